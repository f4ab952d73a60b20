//! The journal: what was done and what is about to be, line by line, on the disk before anything is built on it.

mod entry;

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use ccfs_proto::Endpoint;
use ccfs_proto::auth::AccessKey;

pub use self::entry::Entry;
use self::entry::{Header, VERSION};
use crate::plan::Plan;
use crate::scheduler::{Asked, Known, Outcome, Stored};
use crate::window::Window;

/// Bytes of a line.
const LINE_LIMIT: u64 = 64 * 1024;
/// Bytes of a journal that are read: some ten times the lines that the largest plan needs.
const JOURNAL_LIMIT: u64 = 512 << 20;
/// How every journal begins.
const HEADER_START: &[u8] = b"{\"ccfs_pull\":";
/// Characters of a reason that are written down.
const WHY_LIMIT: usize = 500;

/// A journal that is open for writing. Whoever has it must have locked its folder.
#[derive(Debug)]
pub struct Journal {
    path: PathBuf,
    file: Box<dyn Storage>,
}

/// What a journal is written to: a file, or a test's idea of one.
pub trait Storage: std::fmt::Debug + Send + Sync {
    /// Appends all of it.
    fn append(&mut self, bytes: &[u8]) -> io::Result<()>;
    /// Brings it to the disk.
    fn sync(&mut self) -> io::Result<()>;
}

impl Storage for File {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.write_all(bytes)
    }

    fn sync(&mut self) -> io::Result<()> {
        self.sync_data()
    }
}

impl Journal {
    /// Opens the journal at `path`, or begins it, and tells what it knows of every window that it has.
    ///
    /// The end of a last line that a killed process or a full disk left unfinished is cut off. Anything else that is no line of a journal
    /// is an error, and so is a journal of another plan: unless nothing has come of that yet, and then it is begun anew.
    pub fn open(
        path: &Path,
        plan: &Plan,
        endpoint: &Endpoint,
        access_key: &AccessKey,
    ) -> Result<(Self, BTreeMap<Window, Known>), JournalError> {
        let io = |source| JournalError::Io { path: path.to_owned(), source };
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(path)
            .map_err(io)?;
        let header = Header::new(plan, endpoint, access_key);
        let (mut known, mut other) = (BTreeMap::new(), None);
        let mut whole = read(path, &mut file, |number, line| match number {
            1 => check_header(path, line, &header).map(|difference| other = difference),
            _ => replay(path, number, line, &mut known),
        })?;
        if let Some(other) = other {
            if known.values().any(|known| *known != Known::Fresh) {
                return Err(other);
            }
            // Nothing has come of it: a mistake in the first attempt is nobody's to clear away by hand.
            known.clear();
            whole = 0;
        }
        let len = file.metadata().map_err(io)?.len();
        if whole < len {
            file.set_len(whole).map_err(io)?;
            file.sync_all().map_err(io)?;
        }
        file.seek(SeekFrom::End(0)).map_err(io)?;
        let mut journal = Self { path: path.to_owned(), file: Box::new(file) };
        if whole == 0 {
            journal.write(&header)?;
        }
        Ok((journal, known))
    }

    /// A journal in another storage, whose header is there already; `path` is what its errors name.
    pub fn with_storage(path: &Path, storage: impl Storage + 'static) -> Self {
        Self { path: path.to_owned(), file: Box::new(storage) }
    }

    /// Appends an entry and brings it to the disk.
    ///
    /// After an error the journal must not be written any more: half a line may stand at its end.
    pub fn record(&mut self, entry: &Entry) -> Result<(), JournalError> {
        match entry {
            Entry::Failed { window, at, why } => {
                self.write(&Entry::Failed { window: *window, at: *at, why: shortened(why) })
            }
            Entry::Lost { window, at, why } => {
                self.write(&Entry::Lost { window: *window, at: *at, why: shortened(why) })
            }
            entry => self.write(entry),
        }
    }

    fn write(&mut self, line: &impl serde::Serialize) -> Result<(), JournalError> {
        let line = serde_json::to_vec(line).map_err(io::Error::from);
        let written = line.and_then(|mut bytes| {
            bytes.push(b'\n');
            self.file.append(&bytes)?;
            self.file.sync()
        });
        written.map_err(|source| JournalError::Io { path: self.path.clone(), source })
    }
}

/// Reads whole lines, each with its number from 1. Returns how many bytes they are.
fn read(
    path: &Path,
    file: &mut File,
    mut line: impl FnMut(u64, &[u8]) -> Result<(), JournalError>,
) -> Result<u64, JournalError> {
    let io = |source| JournalError::Io { path: path.to_owned(), source };
    let len = file.metadata().map_err(io)?.len();
    if len > JOURNAL_LIMIT {
        return Err(JournalError::TooLarge { path: path.to_owned(), limit: JOURNAL_LIMIT, len });
    }
    file.seek(SeekFrom::Start(0)).map_err(io)?;
    let mut reader = BufReader::new(file);
    let (mut whole, mut bytes) = (0, Vec::new());
    for number in 1.. {
        bytes.clear();
        let taken = reader.by_ref().take(LINE_LIMIT).read_until(b'\n', &mut bytes).map_err(io)?;
        if bytes.pop_if(|byte| *byte == b'\n').is_none() {
            // Too long, or the beginning of a file that is something else.
            let torn_header =
                bytes.iter().zip(HEADER_START).all(|(byte, expected)| byte == expected);
            if taken as u64 == LINE_LIMIT || (number == 1 && !torn_header) {
                return Err(JournalError::Line { path: path.to_owned(), line: number });
            }
            break;
        }
        line(number, &bytes)?;
        whole += taken as u64;
    }
    Ok(whole)
}

/// The error that tells what it was begun with, if that was something else.
fn check_header(
    path: &Path,
    line: &[u8],
    now: &Header,
) -> Result<Option<JournalError>, JournalError> {
    #[derive(serde::Deserialize)]
    struct Version {
        ccfs_pull: u32,
    }
    let not_one = || JournalError::Line { path: path.to_owned(), line: 1 };
    let Version { ccfs_pull } = serde_json::from_slice(line).map_err(|_| not_one())?;
    if ccfs_pull != VERSION {
        return Err(JournalError::Version {
            path: path.to_owned(),
            version: ccfs_pull,
            known: VERSION,
        });
    }
    let header: Header = serde_json::from_slice(line).map_err(|_| not_one())?;
    let difference = header.difference(now);
    Ok(difference.map(|(what, before, now)| JournalError::OtherPlan {
        path: path.to_owned(),
        what,
        before,
        now,
    }))
}

fn replay(
    path: &Path,
    number: u64,
    line: &[u8],
    known: &mut BTreeMap<Window, Known>,
) -> Result<(), JournalError> {
    let entry = serde_json::from_slice(line)
        .map_err(|_| JournalError::Line { path: path.to_owned(), line: number })?;
    match entry {
        Entry::Asking { window, .. } | Entry::Lost { window, .. } => {
            known.insert(window, Known::Fresh)
        }
        Entry::Asked { window, id, sent, at } => {
            known.insert(window, Known::Asked(Asked { id, sent, at }))
        }
        Entry::Stored { window, bytes, rows, bad_rows, unread_members, .. } => {
            let stored = Stored { bytes, rows, bad_rows, unread_members };
            known.insert(window, Known::Complete(Outcome::Stored(stored)))
        }
        Entry::NoData { window, .. } => known.insert(window, Known::Complete(Outcome::NoData)),
        // The next run goes on from what was known before.
        Entry::Failed { .. } => None,
    };
    Ok(())
}

fn shortened(why: &str) -> String {
    why.chars().take(WHY_LIMIT).collect()
}

/// Why a journal cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum JournalError {
    /// The file system said no.
    #[error("the journal {} cannot be read or written: {source}. Once that is mended, the same pull goes on from there", path.display())]
    Io {
        /// The journal.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// It was begun for something else.
    #[error(
        "the journal {} was begun with another {what}: {before}, and now it is {now}. Pull with the former one, or into another folder",
        path.display()
    )]
    OtherPlan {
        /// The journal.
        path: PathBuf,
        /// What differs.
        what: &'static str,
        /// What the journal has.
        before: String,
        /// What is wanted now.
        now: String,
    },
    /// A line in it is none.
    #[error(
        "line {line} of {} is no line of a journal. If somebody edited it, undo that; otherwise the disk is not to be trusted: move the folder away and pull again",
        path.display()
    )]
    Line {
        /// The journal.
        path: PathBuf,
        /// The line, from 1.
        line: u64,
    },
    /// Another version of this crate wrote it.
    #[error("the journal {} has version {version}, and this program writes version {known}: go on with the program that began it, or pull into another folder", path.display())]
    Version {
        /// The journal.
        path: PathBuf,
        /// Its version.
        version: u32,
        /// The version that is known here.
        known: u32,
    },
    /// It is larger than any journal.
    #[error("the journal {} has {len} bytes, more than the bound of {limit}: pull into another folder", path.display())]
    TooLarge {
        /// The journal.
        path: PathBuf,
        /// The bound in bytes.
        limit: u64,
        /// Its length.
        len: u64,
    },
}
