//! Uploads of files: in one request, or in parts.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use object_store::multipart::MultipartStore;
use object_store::path::Path as Key;
use object_store::{
    Attribute, Attributes, MultipartId, ObjectStore, PutMultipartOptions, PutOptions, PutPayload,
};
use serde::{Deserialize, Serialize};

use super::failure::{if_found, io_error};
use super::{Bucket, SHA256};
use crate::destination::{Outgoing, sync};

/// Maximum number of parts of an object.
const PARTS_LIMIT: u64 = 10_000;
/// Start of the names of notes about uploads.
const NOTE: &str = ".ccfs-upload.";
/// Maximum size of a note, in bytes.
const NOTE_LIMIT: u64 = 16 * 1024;
/// The longest time to abort an upload when the pull is stopped.
const ABORT_TIMEOUT: Duration = Duration::from_millis(500);

/// A note in the folder of the journal: an upload in parts that is not complete.
#[derive(Serialize, Deserialize)]
struct Note {
    key: String,
    id: MultipartId,
}

impl Bucket {
    /// Stores a file, unless the object is already there with this content.
    pub(super) async fn put(&self, file: &Outgoing) -> io::Result<()> {
        let (key, bytes) = (self.key(&file.path)?, file.fingerprint.bytes);
        let is_there = || async {
            let found = self.head(&key).await?;
            io::Result::Ok(found == Some((bytes, Some(file.fingerprint.sha256_hex()))))
        };
        if !is_there().await? {
            let put = match usize::try_from(bytes) {
                Ok(len) if len <= self.part_bytes => self.put_at_once(&key, file).await,
                _ => self.put_in_parts(&key, file).await,
            };
            if let Err(error) = put {
                // The answer may have been lost, and the object be in place.
                if !is_there().await.unwrap_or(false) {
                    return Err(error);
                }
            }
        }
        self.objects().insert(file.path.clone(), bytes);
        Ok(())
    }

    async fn put_at_once(&self, key: &Key, file: &Outgoing) -> io::Result<()> {
        let content = fs::read(&file.local)?;
        let options = PutOptions { attributes: attributes(file), ..PutOptions::default() };
        let put = self.store.put_opts(key, PutPayload::from(content), options).await;
        put.map(drop).map_err(|error| io_error(&error))
    }

    async fn put_in_parts(&self, key: &Key, file: &Outgoing) -> io::Result<()> {
        let options = PutMultipartOptions { attributes: attributes(file), ..Default::default() };
        let id = self.store.create_multipart_opts(key, options).await;
        let id = id.map_err(|error| io_error(&error))?;
        let note = match self.note_upload(key, &id, file) {
            Ok(note) => note,
            Err(error) => {
                let _ = self.abort(key, &id).await;
                return Err(error);
            }
        };
        let put = self.put_parts(key, &id, file).await;
        if put.is_err() {
            // If this fails, too, the next run does it.
            if self.abort(key, &id).await.is_err() {
                return put;
            }
        }
        fs::remove_file(note)?;
        put
    }

    async fn put_parts(&self, key: &Key, id: &MultipartId, file: &Outgoing) -> io::Result<()> {
        let least = file.fingerprint.bytes.div_ceil(PARTS_LIMIT);
        let part_bytes = (self.part_bytes as u64).max(least);
        let (mut source, mut parts) = (File::open(&file.local)?, Vec::new());
        loop {
            let mut part = Vec::new();
            (&mut source).take(part_bytes).read_to_end(&mut part)?;
            if part.is_empty() {
                break;
            }
            let put = self.store.put_part(key, id, parts.len(), PutPayload::from(part)).await;
            parts.push(put.map_err(|error| io_error(&error))?);
        }
        let complete = self.store.complete_multipart(key, id, parts).await;
        complete.map(drop).map_err(|error| io_error(&error))
    }

    async fn abort(&self, key: &Key, id: &MultipartId) -> io::Result<()> {
        if_found(self.store.abort_multipart(key, id).await).map(drop)
    }

    /// Writes a note about an upload to the folder of the journal, synced to disk.
    fn note_upload(&self, key: &Key, id: &MultipartId, file: &Outgoing) -> io::Result<PathBuf> {
        let path = self.note_of(file);
        let note = serde_json::to_vec(&Note { key: key.to_string(), id: id.clone() });
        let mut to = File::create(&path)?;
        to.write_all(&note.map_err(io::Error::other)?)?;
        to.sync_all()?;
        sync(&self.opened().folder)?;
        Ok(path)
    }

    fn note_of(&self, file: &Outgoing) -> PathBuf {
        let name = file.local.file_name().unwrap_or_default().to_string_lossy();
        self.opened().folder.join(format!("{NOTE}{name}"))
    }

    /// Aborts the uploads that earlier runs left incomplete.
    pub(super) async fn abort_uploads(&self) -> io::Result<()> {
        for entry in fs::read_dir(&self.opened().folder)? {
            let entry = entry?;
            if entry.file_name().to_string_lossy().starts_with(NOTE) {
                self.abort_noted(&entry.path()).await?;
            }
        }
        Ok(())
    }

    /// Aborts the uploads of these files, after the caller stopped them. What fails is left to the
    /// next run.
    pub(super) async fn abort_stopped(&self, files: &[Outgoing]) {
        for note in files.iter().map(|file| self.note_of(file)).filter(|note| note.exists()) {
            let _ = tokio::time::timeout(ABORT_TIMEOUT, self.abort_noted(&note)).await;
        }
    }

    async fn abort_noted(&self, path: &Path) -> io::Result<()> {
        let mut note = Vec::new();
        File::open(path)?.take(NOTE_LIMIT).read_to_end(&mut note)?;
        // A note that was cut is of an upload without parts.
        if let Ok(Note { key, id }) = serde_json::from_slice(&note) {
            let key = Key::parse(key).map_err(io::Error::other)?;
            self.abort(&key, &id).await?;
        }
        fs::remove_file(path)
    }
}

/// The metadata of an object.
fn attributes(file: &Outgoing) -> Attributes {
    let sha256 = (Attribute::Metadata(SHA256.into()), file.fingerprint.sha256_hex());
    [sha256].into_iter().collect()
}
