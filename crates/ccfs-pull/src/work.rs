//! The work of a job, except for the download itself: both drivers use it.

use std::error::Error as StdError;
use std::fs::File;
use std::io::{self, Seek as _};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use ccfs_driver::{Error, FileError, Overwrite, Progress, WholeFile};
use ccfs_proto::{Endpoint, IndexFileName, ResponseId, Timestamp};
use serde::{Deserialize, Serialize};

use crate::contents::{self, Contents, fingerprint};
use crate::destination::{Outgoing, Published};
use crate::folder::Folder;
use crate::format::Format;
use crate::journal::{ConvertedFile, Entry};
use crate::output::Converted;
use crate::plan::Plan;
use crate::receipt::Receipt;
use crate::scheduler::{Stored, Task};
use crate::trouble::is_rejected;
use crate::window::Window;

/// State that all jobs share.
#[derive(Debug)]
pub(crate) struct Shared {
    stop: AtomicBool,
    received: AtomicU64,
    /// The server, for receipts.
    pub(crate) server: Endpoint,
}

impl Shared {
    pub(crate) fn new(server: &Endpoint) -> Self {
        let (stop, received) = (AtomicBool::default(), AtomicU64::default());
        Self { stop, received, server: server.clone() }
    }

    /// Stops running jobs.
    pub(crate) fn stop(&self) {
        self.stop.store(true, Ordering::Relaxed);
    }

    /// Returns the number of bytes received.
    pub(crate) fn received(&self) -> u64 {
        self.received.load(Ordering::Relaxed)
    }

    /// Counts bytes that another process received.
    #[cfg(feature = "blocking")]
    pub(crate) fn count_received(&self, bytes: u64) {
        self.received.fetch_add(bytes, Ordering::Relaxed);
    }

    /// Whether running jobs are to stop.
    pub(crate) fn is_stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    fn flow(&self) -> ControlFlow<()> {
        if self.is_stopped() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }
}

/// What is done for a window.
#[derive(Clone, Debug)]
pub(crate) enum Duty {
    /// A job of the scheduler.
    Job(Task),
    /// Convert the ZIP of a complete window.
    Convert(Vec<Format>),
}

/// The work for a window, and what earlier runs left of it.
#[derive(Clone, Debug)]
pub(crate) struct Work {
    pub(crate) folder: Arc<Folder>,
    pub(crate) plan: Arc<Plan>,
    pub(crate) shared: Arc<Shared>,
    pub(crate) window: Window,
    pub(crate) duty: Duty,
    /// When the work begins.
    pub(crate) now: Timestamp,
    /// The file that the journal has. A new one replaces it.
    pub(crate) former: Option<Stored>,
    /// Whether a ZIP may be in place that the journal does not have yet: an earlier run had
    /// requested it, and may have ended between the two.
    pub(crate) may_have_zip: bool,
    pub(crate) found: Arc<Mutex<Option<Contents>>>,
}

/// The result of work.
pub(crate) enum JobOutput {
    Asked(ResponseId),
    Stored(Fetched),
    Converted(Vec<ConvertedFile>),
}

/// A window's file that was stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Fetched {
    pub(crate) stored: Stored,
    pub(crate) notes: Vec<String>,
    pub(crate) converted: Vec<ConvertedFile>,
}

impl Work {
    /// The span of the work: its window and the name of the file, which are not secret.
    #[cfg(feature = "tracing")]
    pub(crate) fn span(&self) -> tracing::Span {
        let (task, file) = match &self.duty {
            Duty::Job(Task::Ask) => ("ask", ""),
            Duty::Job(Task::Fetch(name)) => ("fetch", name.as_str()),
            Duty::Convert(_) => ("convert", ""),
        };
        tracing::info_span!("pull", window = %self.window, task, file)
    }

    /// Path of the ZIP in the folder of the journal.
    pub(crate) fn zip(&self) -> PathBuf {
        self.folder.local(&self.folder.zip(self.window))
    }

    /// Completes a window whose files an earlier run put in place and did not record. `None` if
    /// there are no usable files.
    pub(crate) fn resume(&self, name: &IndexFileName) -> Result<Option<Fetched>, Error> {
        if !self.may_have_zip {
            return Ok(None);
        }
        let job = name.response_id();
        let receipt = self.receipt()?;
        if let Some(receipt) = receipt.filter(|receipt| receipt.is_of(job))
            && let Some(fetched) = self.stored_as(&receipt, Vec::new())?
        {
            return Ok(Some(fetched));
        }
        let file = match File::open(self.zip()) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            file => file.map_err(Error::Write)?,
        };
        if let Some(former) = self.former
            && fingerprint(&file).map_err(Error::Write)? == former.zip
        {
            return Ok(None);
        }
        match self.read(&file, &self.plan.formats_of(self.window)) {
            Ok(contents) => self.store(contents, name).map(Some),
            // A file that cannot be used is replaced by the download.
            Err(Error::Rejected(_)) => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn receipt(&self) -> Result<Option<Receipt>, Error> {
        self.at(self.folder.store.root(), self.folder.store.receipt(self.window))
    }

    /// Reads a ZIP and converts it.
    fn read(&self, file: &File, formats: &[Format]) -> Result<Contents, Error> {
        let create = |format: &Format| {
            let temporary = self.folder.temporary(self.window, *format);
            let target = self.folder.local(&self.folder.converted(self.window, *format));
            let file = WholeFile::create(temporary, Overwrite::Replace)?;
            Ok((*format, file.rename_to(target)?))
        };
        let outputs: Result<_, FileError> = formats.iter().map(create).collect();
        contents::read(file, &self.plan, self.window, outputs?, || self.shared.flow())
    }

    /// Whether the ZIP stays beside the converted files.
    fn keeps_zip(&self, stored: &Stored) -> bool {
        !self.plan.removes_zips()
            || !stored.is_complete()
            || self.plan.formats_of(self.window).len() < self.plan.formats.len()
    }

    /// The output of a job whose files another pull stored, or an earlier run. `None` if they are not
    /// all there, in all formats of the plan.
    fn stored_as(&self, receipt: &Receipt, notes: Vec<String>) -> Result<Option<Fetched>, Error> {
        let Entry::Stored { stored, converted, .. } = &receipt.entry else { return Ok(None) };
        let has_format = |format: &Format| converted.iter().any(|file| file.format == *format);
        if !self.plan.formats_of(self.window).iter().all(has_format) {
            return Ok(None);
        }
        let zip = self.keeps_zip(stored).then_some(stored.zip);
        for Outgoing { path, fingerprint, .. } in self.folder.outgoing(self.window, zip, converted)
        {
            if !self.at(&path, self.folder.store.has(&path, fingerprint))? {
                return Ok(None);
            }
        }
        self.folder.clear(self.window).map_err(Error::Write)?;
        Ok(Some(Fetched { stored: *stored, notes, converted: converted.clone() }))
    }

    /// The check of a download: reads the file before it is put in place, and keeps a copy of it if
    /// it is unusable and another download would not change that.
    pub(crate) fn check(
        &self,
    ) -> impl FnOnce(File) -> Result<(), Box<dyn StdError + Send + Sync>> + Send + use<> {
        let work = self.clone();
        move |file| {
            let contents = work.read(&file, &work.plan.formats_of(work.window));
            if let Err(Error::Rejected(cause)) = &contents
                && cause.downcast_ref().is_none_or(is_rejected)
            {
                work.keep_rejected(&file).map_err(Error::File)?;
            }
            *work.found.lock().unwrap_or_else(PoisonError::into_inner) = Some(contents?);
            Ok(())
        }
    }

    fn keep_rejected(&self, mut file: &File) -> Result<(), FileError> {
        let path = self.folder.rejected(self.window);
        let io = |source| FileError::Io { path: path.clone(), source };
        let mut copy = WholeFile::create(&path, Overwrite::Replace)?;
        file.rewind().map_err(io)?;
        let len = io::copy(&mut file, &mut copy).map_err(io)?;
        copy.commit(len).map(drop)
    }

    /// The progress function of a download: counts its bytes.
    pub(crate) fn progress(&self) -> impl FnMut(Progress) -> ControlFlow<()> + Send + use<> {
        let (shared, mut seen) = (Arc::clone(&self.shared), 0);
        move |progress| {
            let more = progress.received.checked_sub(seen).unwrap_or(progress.received);
            seen = progress.received;
            shared.received.fetch_add(more, Ordering::Relaxed);
            shared.flow()
        }
    }

    /// Returns what [`check`](Self::check) read, after a download that ended like this.
    pub(crate) fn downloaded<T>(&self, result: Result<T, Error>) -> Result<Contents, Error> {
        result.map_err(|error| match error {
            Error::Rejected(cause) => cause.downcast().map_or_else(Error::Rejected, |cause| *cause),
            error => error,
        })?;
        let found = self.found.lock().unwrap_or_else(PoisonError::into_inner).take();
        Ok(found.unwrap_or_else(|| unreachable!("a download that is not checked fails")))
    }

    /// Converts the ZIP of a complete window to further formats. A file that is there must be the
    /// same: an earlier run may have written it. Other files are left alone.
    pub(crate) fn convert(&self, formats: &[Format]) -> Result<Vec<ConvertedFile>, Error> {
        let (path, store) = (self.folder.zip(self.window), &self.folder.store);
        self.at(&path, store.fetch(&path, &self.zip()))?;
        let file = File::open(self.zip()).map_err(Error::Write)?;
        let contents = self.read(&file, formats)?;
        // The journal says what the ZIP holds, and whether it may be removed after a conversion.
        if let Some(stored) = self.former.filter(|stored| *stored != contents.stored) {
            return Err(Error::Rejected(difference(&stored, &contents.stored).into()));
        }
        for output in &contents.converted {
            let path = self.folder.converted(self.window, output.format);
            if store.exists(&path) && !self.at(&path, store.has(&path, output.fingerprint))? {
                return Err(FileError::Exists { path }.into());
            }
        }
        let former = self.receipt()?;
        if former.is_none() && !self.folder.is_store() {
            return Err(Error::Rejected("it has no receipt; request the window again".into()));
        }
        let converted = self.place(contents.converted)?;
        if let Some(former) = former {
            let mut all = converted.clone();
            if let Entry::Stored { converted: former, .. } = &former.entry {
                all.extend(former.iter().filter(|file| !formats.contains(&file.format)));
            }
            let receipt = self.new_receipt(former.job_id(), contents.stored, all);
            self.publish(&receipt, &self.folder.outgoing(self.window, None, &converted), true)?;
        }
        Ok(converted)
    }

    /// Puts the converted files in place, after the ZIP, and stores all files at the destination.
    pub(crate) fn store(&self, contents: Contents, name: &IndexFileName) -> Result<Fetched, Error> {
        let Contents { stored, notes, converted } = contents;
        let converted = self.place(converted)?;
        let zip = self.keeps_zip(&stored).then_some(stored.zip);
        let path = self.folder.zip(self.window);
        if zip.is_none() && !self.folder.is_store() && self.folder.store.exists(&path) {
            // The ZIP of an earlier request, whose rows are replaced.
            self.at(&path, self.folder.store.remove(&path))?;
        }
        let files = self.folder.outgoing(self.window, zip, &converted);
        let receipt = self.new_receipt(name.response_id(), stored, converted.clone());
        let published = self.publish(&receipt, &files, self.former.is_some())?;
        if let Published::Others(others) = published {
            let note = "another pull stored this period first; its files are kept";
            if let Some(fetched) = self.stored_as(&others, vec![note.into()])? {
                return Ok(fetched);
            }
            self.publish(&receipt, &files, true)?;
        }
        Ok(Fetched { stored, notes, converted })
    }

    fn new_receipt(
        &self,
        job: Option<ResponseId>,
        stored: Stored,
        converted: Vec<ConvertedFile>,
    ) -> Receipt {
        let entry = Entry::Stored { window: self.window, at: self.now, stored, converted };
        Receipt::new(&self.plan, &self.shared.server, job, entry)
    }

    /// Stores files at the destination, and then removes them from the folder of the journal.
    fn publish(
        &self,
        receipt: &Receipt,
        files: &[Outgoing],
        replaces: bool,
    ) -> Result<Published, Error> {
        let store = &self.folder.store;
        let published = self.at(store.root(), store.publish(receipt, files, replaces))?;
        if let Published::Ours = published {
            self.folder.clear(self.window).map_err(Error::Write)?;
        }
        Ok(published)
    }

    /// The result of a destination, about a file at this path.
    fn at<T>(&self, path: &Path, result: io::Result<T>) -> Result<T, Error> {
        result.map_err(|source| match source.kind() {
            io::ErrorKind::Interrupted if self.shared.is_stopped() => Error::Stopped,
            _ => FileError::Io { path: path.to_owned(), source }.into(),
        })
    }

    /// Puts converted files in place.
    fn place(&self, converted: Vec<Converted>) -> Result<Vec<ConvertedFile>, Error> {
        let mut placed = Vec::new();
        for output in converted {
            let path = output.file.target().to_owned();
            self.folder.make_partition(&path).map_err(|source| FileError::Io { path, source })?;
            output.file.commit(output.fingerprint.bytes)?;
            placed.push(ConvertedFile::new(output.format, output.fingerprint));
        }
        Ok(placed)
    }
}

/// Says how a ZIP that is read again differs from what was stored.
fn difference(stored: &Stored, found: &Stored) -> String {
    if found.zip != stored.zip {
        return "it is not the file that was stored; request the window again".into();
    }
    let rows = |stored: &Stored| {
        let Stored { rows, bad_rows, unread_members, .. } = stored;
        format!("{rows} rows, {bad_rows} bad rows and {unread_members} unread members")
    };
    let (found, stored) = (rows(found), rows(stored));
    format!(
        "with these options it has {found}, but {stored} when it was stored; use the same options, or request the window again"
    )
}
