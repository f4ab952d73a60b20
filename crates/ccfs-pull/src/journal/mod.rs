//! The journal: events and intentions, line by line, synced to disk before the pull acts on them.

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

/// Maximum length of a line, in bytes.
const LINE_LIMIT: u64 = 64 * 1024;
/// Maximum size of a journal, in bytes: about ten times the lines that the largest plan needs.
const JOURNAL_LIMIT: u64 = 512 << 20;
/// The first bytes of every journal.
const HEADER_START: &[u8] = b"{\"ccfs_pull\":";
/// Maximum number of characters of a recorded reason.
const WHY_LIMIT: usize = 500;

/// A journal that is open for writing. The caller must have locked its folder.
#[derive(Debug)]
pub struct Journal {
    path: PathBuf,
    file: Box<dyn Storage>,
}

/// The storage of a journal: a file, or a simulation in tests.
pub trait Storage: std::fmt::Debug + Send + Sync {
    /// Appends all bytes.
    ///
    /// # Errors
    ///
    /// The error of the storage. The bytes may be written in part.
    fn append(&mut self, bytes: &[u8]) -> io::Result<()>;
    /// Syncs all appended bytes to disk.
    ///
    /// # Errors
    ///
    /// The error of the storage.
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
    /// Opens or creates the journal at `path`. Returns it and the state of each of its windows.
    ///
    /// An incomplete last line, which a killed process or a full disk leaves, is removed. A journal
    /// of another plan is replaced if the server has not accepted any of its requests.
    ///
    /// # Errors
    ///
    /// [`JournalError`] if the journal cannot be read or written, is malformed, or belongs to
    /// another plan.
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
            // Nothing was accepted, so a mistake in the first attempt needs no cleanup by the user.
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

    /// Creates a journal in a custom storage that already has a header. `path` is used in errors.
    pub fn with_storage(path: &Path, storage: impl Storage + 'static) -> Self {
        Self { path: path.to_owned(), file: Box::new(storage) }
    }

    /// Appends an entry and syncs it to disk.
    ///
    /// # Errors
    ///
    /// [`JournalError::Io`]. Do not write to the journal after an error: its last line may be
    /// incomplete.
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

/// Reads complete lines, numbered from 1. Returns their length in bytes.
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
            // The line is too long, or the file is not a journal.
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

/// Returns the difference between the header and the current plan, if any, as an error.
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
        // The next run continues from the entry before.
        Entry::Failed { .. } => None,
    };
    Ok(())
}

fn shortened(why: &str) -> String {
    why.chars().take(WHY_LIMIT).collect()
}

/// Error of a [`Journal`].
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum JournalError {
    /// The journal cannot be read or written.
    #[error("cannot read or write the journal {}: {source}; fix that, then run the same pull again", path.display())]
    Io {
        /// The journal.
        path: PathBuf,
        /// The error of the operating system.
        source: io::Error,
    },
    /// The journal belongs to another server or plan.
    #[error(
        "the journal {} was created with another {what}: {before}, now {now}; pull with the former value, or into another folder",
        path.display()
    )]
    OtherPlan {
        /// The journal.
        path: PathBuf,
        /// The name of the setting that differs.
        what: &'static str,
        /// The value in the journal.
        before: String,
        /// The value now.
        now: String,
    },
    /// A line is malformed.
    #[error(
        "line {line} of the journal {} is malformed; undo manual edits, or check the disk, move the folder away and pull again",
        path.display()
    )]
    Line {
        /// The journal.
        path: PathBuf,
        /// The line, from 1.
        line: u64,
    },
    /// Another version of this crate wrote it.
    #[error("the journal {} has version {version}, supported is {known}; use the program that created it, or pull into another folder", path.display())]
    Version {
        /// The journal.
        path: PathBuf,
        /// Its version.
        version: u32,
        /// The supported version.
        known: u32,
    },
    /// The journal is too large.
    #[error("the journal {} has {len} bytes, limit {limit}; pull into another folder", path.display())]
    TooLarge {
        /// The journal.
        path: PathBuf,
        /// The limit in bytes.
        limit: u64,
        /// Its size in bytes.
        len: u64,
    },
}
