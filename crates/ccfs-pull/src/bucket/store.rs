//! A bucket as the destination.

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;

use ccfs_archive::IndexKind;
use ccfs_driver::{Overwrite, WholeFile};
use object_store::ObjectStoreExt as _;

use super::failure::if_found;
use super::requests::{FoundReceipt, copy};
use super::{Bucket, Opened};
use crate::destination::{Destination, Outgoing, Published, is_read_by_engines};
use crate::folder::table;
use crate::output::Hashed;
use crate::receipt::Receipt;
use crate::scheduler::Fingerprint;
use crate::window::Window;

impl Destination for Bucket {
    fn root(&self) -> &Path {
        &self.root
    }

    fn bucket(&self) -> Option<String> {
        Some(self.identity())
    }

    fn open(&self, kind: IndexKind, folder: &Path, writes: bool) -> io::Result<Option<bool>> {
        let opened = Opened { table: table(kind), folder: folder.to_owned() };
        let _ = self.opened.set(opened);
        let (objects, is_conditional) = self.block_on(async {
            let objects = self.list(kind).await?;
            if writes {
                self.abort_uploads().await?;
            }
            let is_conditional = if writes { Some(self.probe().await?) } else { None };
            io::Result::Ok((objects, is_conditional))
        })?;
        self.is_conditional.store(is_conditional == Some(true), Ordering::Relaxed);
        *self.objects() = objects;
        Ok(is_conditional)
    }

    fn exists(&self, path: &Path) -> bool {
        self.objects().contains_key(path)
    }

    fn len(&self, path: &Path) -> Option<u64> {
        self.objects().get(path).copied()
    }

    fn is_foreign(&self, path: &Path) -> io::Result<bool> {
        if !self.exists(path) {
            return Ok(false);
        }
        let key = self.key(path)?;
        Ok(matches!(self.block_on(self.head(&key))?, Some((_, None))))
    }

    fn has(&self, path: &Path, file: Fingerprint) -> io::Result<bool> {
        let key = self.key(path)?;
        let found = self.block_on(self.head(&key))?;
        // Another pull may have stored it since the objects were listed.
        match found {
            Some((bytes, _)) => self.objects().insert(path.to_owned(), bytes),
            None => self.objects().remove(path),
        };
        match found {
            Some((bytes, _)) if bytes != file.bytes => Ok(false),
            Some((_, Some(sha256))) => Ok(sha256 == file.sha256_hex()),
            Some((_, None)) => Ok(self.read(path)? == Some(file)),
            None => Ok(false),
        }
    }

    fn read(&self, path: &Path) -> io::Result<Option<Fingerprint>> {
        let key = self.key(path)?;
        self.block_on(async {
            let Some(found) = self.get(&key).await? else { return Ok(None) };
            let mut hashed = Hashed::new(io::sink());
            copy(found, &mut hashed).await?;
            Ok(Some(hashed.finish().1))
        })
    }

    fn parquet_files(&self, folder: &Path) -> io::Result<Vec<PathBuf>> {
        let objects = self.objects();
        let is_data = |path: &&PathBuf| path.starts_with(folder) && is_read_by_engines(path);
        Ok(objects.keys().filter(is_data).cloned().collect())
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        let key = self.key(path)?;
        if_found(self.block_on(self.store.delete(&key)))?;
        self.objects().remove(path);
        Ok(())
    }

    fn publish(
        &self,
        receipt: &Receipt,
        files: &[Outgoing],
        replaces: bool,
    ) -> io::Result<Published> {
        let Some(window) = receipt.window() else { return Ok(Published::Ours) };
        let stored = self.put_window(receipt, window, files, replaces);
        if files.is_empty() {
            // The journal records "no data" also when the pull is stopped.
            return self.block_on(stored);
        }
        let published = self.block_on_until_stopped(stored);
        if published.as_ref().is_err_and(|error| error.kind() == io::ErrorKind::Interrupted) {
            self.block_on(self.abort_stopped(files));
        }
        published
    }

    fn stop(&self) {
        self.is_stopped.store(true, Ordering::Relaxed);
    }

    fn fetch(&self, path: &Path, local: &Path) -> io::Result<()> {
        let key = self.key(path)?;
        let mut file = WholeFile::create(local, Overwrite::Replace).map_err(io::Error::other)?;
        self.block_on_until_stopped(async {
            let Some(found) = self.get(&key).await? else {
                return Err(io::Error::new(io::ErrorKind::NotFound, "it does not exist any more"));
            };
            copy(found, &mut file).await
        })?;
        let len = file.written();
        file.commit(len).map(drop).map_err(io::Error::other)
    }

    fn receipt(&self, window: Window) -> io::Result<Option<Receipt>> {
        match self.block_on_until_stopped(self.get_receipt(window))? {
            Some(FoundReceipt { receipt: Ok(receipt), .. }) => Ok(Some(receipt)),
            Some(FoundReceipt { receipt: Err(what), .. }) => {
                Err(io::Error::new(io::ErrorKind::InvalidData, what))
            }
            None => Ok(None),
        }
    }

    fn receipts(&self) -> BTreeSet<Window> {
        let folder = self.receipts_folder();
        let objects = self.objects();
        let names = objects.keys().filter(|path| path.parent() == Some(&*folder));
        let windows = names.filter(|path| path.extension().is_some_and(|it| it == "json"));
        windows.filter_map(|path| path.file_stem()?.to_str()?.parse().ok()).collect()
    }

    fn receipt_path(&self, window: Window) -> PathBuf {
        self.receipts_folder().join(format!("{window}.json"))
    }
}
