//! The journal: events and intentions, line by line, synced to disk before the pull acts on them.

mod entry;
mod error;

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use ccfs_archive::IndexKind;
use ccfs_proto::auth::AccessKey;
use ccfs_proto::{Endpoint, Timestamp};

#[cfg(feature = "blocking")]
pub(crate) use self::entry::text;
pub use self::entry::{ConvertedFile, Entry};
pub(crate) use self::entry::{Difference, first_difference};
use self::entry::{Header, VERSION};
pub use self::error::JournalError;
use crate::plan::Plan;
use crate::scheduler::{Asked, History, Known, Outcome};
use crate::window::Window;

/// Maximum length of a line, in bytes.
const LINE_LIMIT: u64 = 64 * 1024;
/// Maximum size of a journal, in bytes: about ten times the lines that the largest plan needs.
const JOURNAL_LIMIT: u64 = 512 << 20;
/// The first bytes of every journal.
const HEADER_START: &[u8] = b"{\"ccfs_pull\":";

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

/// What a journal says about each window.
pub type Histories = BTreeMap<Window, History>;

impl Journal {
    /// Opens or creates the journal at `path`. Returns it and what it says about each window.
    ///
    /// An incomplete last line, which a killed process or a full disk leaves, is removed. A journal
    /// of another plan is replaced if the server has not accepted any of its requests. Another
    /// server or access key is recorded if the plan [allows](Plan::moved) that.
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
        now: Timestamp,
    ) -> Result<(Self, Histories), JournalError> {
        let now_header = Header::new(plan, endpoint, access_key);
        let mut access = OpenOptions::new();
        access.read(true).write(true).create(true).truncate(false);
        let Contents { mut header, mut windows, mut whole, file, has_stored } =
            Contents::read(path, &access)?;
        if header.as_ref().is_some_and(|header| header.difference(&now_header).is_some())
            && windows.values().all(|history| history.known == Known::Fresh)
            && !has_stored
        {
            // Nothing was accepted, so a mistake in the first attempt needs no cleanup by the user.
            windows.clear();
            (header, whole) = (None, 0);
        }
        let mut journal = Self::writing(path, file, whole)?;
        let Some(header) = header else {
            journal.write(&now_header)?;
            return Ok((journal, windows));
        };
        if let Some((what, before, now_value)) = header.difference(&now_header) {
            let moves = header.is_same_data(&now_header);
            if !(moves && plan.moved) {
                return Err(JournalError::OtherPlan {
                    path: path.to_owned(),
                    what,
                    before,
                    now: now_value,
                    moves,
                });
            }
            let Header { endpoint, access_key, .. } = now_header;
            journal.write(&Entry::Moved { at: now, endpoint, access_key })?;
            lose_jobs(&mut windows);
        }
        Ok((journal, windows))
    }

    /// Opens an existing journal for writing, without a plan.
    pub(crate) fn reopen(path: &Path) -> Result<(Self, Facts), JournalError> {
        let contents = Contents::read(path, OpenOptions::new().read(true).write(true))?;
        let whole = contents.whole;
        let (file, known) = contents.known(path)?;
        Ok((Self::writing(path, file, whole)?, known))
    }

    /// Reads an existing journal without a plan.
    pub(crate) fn read(path: &Path) -> Result<Facts, JournalError> {
        Ok(Contents::read(path, OpenOptions::new().read(true))?.known(path)?.1)
    }

    /// Continues a file after its complete lines.
    fn writing(path: &Path, mut file: File, whole: u64) -> Result<Self, JournalError> {
        let io = |source| JournalError::Io { path: path.to_owned(), source };
        if whole < file.metadata().map_err(io)?.len() {
            file.set_len(whole).map_err(io)?;
            file.sync_all().map_err(io)?;
        }
        file.seek(SeekFrom::End(0)).map_err(io)?;
        Ok(Self { path: path.to_owned(), file: Box::new(file) })
    }

    /// Creates a journal in a custom storage that already has a header. `path` is used in errors.
    pub fn with_storage(path: &Path, storage: impl Storage + 'static) -> Self {
        Self { path: path.to_owned(), file: Box::new(storage) }
    }

    /// Records an entry from elsewhere, and adds it to `windows`.
    pub(crate) fn adopt(
        &mut self,
        entry: Entry,
        windows: &mut Histories,
    ) -> Result<(), JournalError> {
        self.record(&entry)?;
        replay(entry, windows);
        Ok(())
    }

    /// Appends an entry and syncs it to disk.
    ///
    /// # Errors
    ///
    /// [`JournalError::Io`]. Do not write to the journal after an error: its last line may be
    /// incomplete.
    pub fn record(&mut self, entry: &Entry) -> Result<(), JournalError> {
        self.write(entry)
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

/// What a journal says: the kind and the tenant space of the files, and the history of each window.
pub(crate) struct Facts {
    pub(crate) kind: IndexKind,
    pub(crate) account: Option<String>,
    pub(crate) bucket: Option<String>,
    pub(crate) windows: Histories,
}

/// A journal that was read.
struct Contents {
    /// `None` if the file is empty, or has only a part of a header.
    header: Option<Header>,
    windows: Histories,
    /// Whether a file was ever stored, also if it was forgotten since.
    has_stored: bool,
    /// Length of the complete lines in bytes.
    whole: u64,
    file: File,
}

impl Contents {
    fn read(path: &Path, access: &OpenOptions) -> Result<Self, JournalError> {
        let io = |source| JournalError::Io { path: path.to_owned(), source };
        if path.metadata().is_ok_and(|metadata| !metadata.is_file()) {
            return Err(io(io::Error::other("it is not a regular file")));
        }
        let mut file = access.open(path).map_err(io)?;
        let (mut header, mut windows, mut has_stored) = (None, Histories::new(), false);
        let whole = read_lines(path, &mut file, |number, line| match &mut header {
            None => read_header(path, line).map(|read| header = Some(read)),
            Some(header) => {
                let entry = serde_json::from_slice(line)
                    .map_err(|_| JournalError::Line { path: path.to_owned(), line: number })?;
                has_stored |= matches!(entry, Entry::Stored { .. });
                if let Entry::Moved { endpoint, access_key, .. } = &entry {
                    (header.endpoint, header.access_key) = (endpoint.clone(), access_key.clone());
                }
                replay(entry, &mut windows);
                Ok(())
            }
        })?;
        Ok(Self { header, windows, has_stored, whole, file })
    }

    /// What the journal says, which must have a header.
    fn known(self, path: &Path) -> Result<(File, Facts), JournalError> {
        let malformed = || JournalError::Line { path: path.to_owned(), line: 1 };
        let Header { kind, account_id, bucket, .. } = self.header.ok_or_else(malformed)?;
        let kind = IndexKind::ALL.into_iter().find(|known| known.as_str() == kind);
        let kind = kind.ok_or_else(malformed)?;
        Ok((self.file, Facts { kind, account: account_id, bucket, windows: self.windows }))
    }
}

/// Reads complete lines, numbered from 1. Returns their length in bytes.
fn read_lines(
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

fn read_header(path: &Path, line: &[u8]) -> Result<Header, JournalError> {
    #[derive(serde::Deserialize)]
    struct Version {
        ccfs_pull: u32,
    }
    let malformed = |_| JournalError::Line { path: path.to_owned(), line: 1 };
    let Version { ccfs_pull } = serde_json::from_slice(line).map_err(malformed)?;
    if ccfs_pull != VERSION {
        return Err(JournalError::Version {
            path: path.to_owned(),
            version: ccfs_pull,
            known: VERSION,
        });
    }
    serde_json::from_slice(line).map_err(malformed)
}

fn of(windows: &mut Histories, window: Window) -> &mut History {
    windows.entry(window).or_insert_with(|| History::from(Known::Fresh))
}

fn replay(entry: Entry, windows: &mut Histories) {
    match entry {
        Entry::Asking { window, .. } | Entry::Lost { window, .. } => {
            let history = of(windows, window);
            (history.known, history.failed) = (Known::Fresh, None);
        }
        Entry::Asked { window, id, sent, at } => {
            let history = of(windows, window);
            (history.known, history.job) = (Known::Asked(Asked { id, sent, at }), Some(id));
        }
        Entry::Stored { window, at, stored, converted } => {
            let job = of(windows, window).job;
            let known = Known::Complete(Outcome::Stored(stored));
            *of(windows, window) = History { fetched: Some(at), job, converted, ..known.into() };
        }
        Entry::NoData { window, at } => {
            let history = of(windows, window);
            (history.fetched, history.failed) = (Some(at), None);
            history.known =
                Known::Complete(history.stored.map_or(Outcome::NoData, Outcome::Stored));
        }
        Entry::Converted { window, file, .. } => {
            let history = of(windows, window);
            history.converted.retain(|other| other.format != file.format);
            history.converted.push(file);
        }
        Entry::ZipRemoved { window, .. } => of(windows, window).zip_removed = true,
        // The next run continues from the entry before.
        Entry::Failed { window, why, .. } => of(windows, window).failed = Some(why),
        Entry::Moved { .. } => lose_jobs(windows),
        Entry::Forgotten { from, to, .. } => {
            windows.retain(|window, _| !window.overlaps(from, to));
        }
    }
}

/// Another server does not have the jobs of the former one.
fn lose_jobs(windows: &mut Histories) {
    for history in windows.values_mut() {
        history.job = None;
        if matches!(history.known, Known::Asked(_)) {
            history.known = Known::Fresh;
        }
    }
}
