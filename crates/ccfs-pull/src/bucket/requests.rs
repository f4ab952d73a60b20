//! Requests to the store.

use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;
use std::sync::atomic::Ordering;

use ccfs_archive::IndexKind;
use futures_util::TryStreamExt as _;
use object_store::aws::AmazonS3;
use object_store::list::{PaginatedListOptions, PaginatedListStore as _};
use object_store::path::Path as Key;
use object_store::{
    Attribute, GetOptions, GetResult, ObjectStore, ObjectStoreExt as _, PutMode, PutOptions,
    PutPayload, UpdateVersion,
};

use super::failure::{if_found, io_error, is_condition, is_unsupported};
use super::{Bucket, OWN, SHA256};
use crate::destination::{Destination as _, Outgoing, Published};
use crate::folder::table;
use crate::receipt::Receipt;
use crate::scheduler::Outcome;
use crate::window::Window;

/// Maximum size of a receipt, in bytes.
const RECEIPT_LIMIT: u64 = 64 * 1024;
/// Maximum number of objects that a pull has under its prefix.
const OBJECTS_LIMIT: usize = 1_000_000;
/// Maximum number of pages of a listing. Stores send 1000 objects in a page, but may send fewer, or
/// none.
const PAGES_LIMIT: usize = 5_000;
/// How often a receipt is written again because other pulls write it, too.
const ROUNDS: u32 = 10;

/// A receipt, or what is wrong with it, and its version.
pub(super) struct FoundReceipt {
    pub(super) receipt: Result<Receipt, String>,
    version: UpdateVersion,
}

impl Bucket {
    /// Lists the objects that a pull of this kind has.
    pub(super) async fn list(&self, kind: IndexKind) -> io::Result<BTreeMap<PathBuf, u64>> {
        let table = table(kind);
        let (mut found, mut pages) = (BTreeMap::new(), 0);
        for start in [format!("{}_", kind.as_str()), format!("{table}/"), format!("{OWN}/{table}/")]
        {
            let slash = if self.prefix.is_empty() { "" } else { "/" };
            let start = format!("{}{slash}{start}", self.prefix);
            let mut page = None;
            loop {
                let options = PaginatedListOptions { page_token: page, ..Default::default() };
                let listed = self.store.list_paginated(Some(&start), options).await;
                let listed = listed.map_err(|error| io_error(&error))?;
                pages += 1;
                for object in listed.result.objects {
                    found.insert(self.path_of(&object.location), object.size);
                }
                if found.len() > OBJECTS_LIMIT {
                    return Err(io::Error::other(format!(
                        "there are more than {OBJECTS_LIMIT} objects, which is the limit; use another prefix"
                    )));
                }
                page = listed.page_token;
                if page.is_none() {
                    break;
                }
                if pages >= PAGES_LIMIT {
                    return Err(io::Error::other(format!(
                        "the list of objects has more than {PAGES_LIMIT} pages, which is the limit; use another prefix, or check the store"
                    )));
                }
            }
        }
        Ok(found)
    }

    /// Finds out whether the store obeys `If-None-Match`.
    pub(super) async fn probe(&self) -> io::Result<bool> {
        let key = self.key(&self.root.join(OWN).join("probe"))?;
        let content = "Pulls find out with this object whether the store obeys If-None-Match.\n";
        for _ in 0..2 {
            let put = async |store: &AmazonS3| {
                store.put_opts(&key, content.into(), PutMode::Create.into()).await
            };
            let put = match put(&self.single).await {
                // The store may have failed for a moment.
                Err(error) if !is_condition(&error) && !is_unsupported(&error) => {
                    put(&self.store).await
                }
                put => put,
            };
            match put {
                Ok(_) => {}
                Err(error) if is_condition(&error) => return Ok(true),
                Err(error) if is_unsupported(&error) => return Ok(false),
                Err(error) => return Err(io_error(&error)),
            }
        }
        // The second request created an object that existed.
        Ok(false)
    }

    /// Returns size and recorded SHA-256 of an object; `None` if it does not exist.
    pub(super) async fn head(&self, key: &Key) -> io::Result<Option<(u64, Option<String>)>> {
        let options = GetOptions { head: true, ..GetOptions::default() };
        let found = if_found(self.store.get_opts(key, options).await)?;
        Ok(found.map(|found| {
            let sha256 = found.attributes.get(&Attribute::Metadata(SHA256.into()));
            (found.meta.size, sha256.map(|text| text.to_string()))
        }))
    }

    pub(super) async fn get(&self, key: &Key) -> io::Result<Option<GetResult>> {
        if_found(self.store.get(key).await)
    }

    /// Reads a receipt, or what is wrong with it, and its version.
    pub(super) async fn get_receipt(&self, window: Window) -> io::Result<Option<FoundReceipt>> {
        let path = self.receipt_path(window);
        let Some(found) = self.get(&self.key(&path)?).await? else { return Ok(None) };
        let version =
            UpdateVersion { e_tag: found.meta.e_tag.clone(), version: found.meta.version.clone() };
        let size = found.meta.size;
        let receipt = if size > RECEIPT_LIMIT {
            Err(format!("it has {size} bytes, limit {RECEIPT_LIMIT}"))
        } else {
            let bytes = found.bytes().await.map_err(|it| io_error(&it))?;
            Receipt::from_json(&bytes, window)
        };
        Ok(Some(FoundReceipt { receipt, version }))
    }

    async fn has_receipt(&self, receipt: &Receipt, window: Window) -> io::Result<bool> {
        let found = self.get_receipt(window).await?;
        Ok(found.is_some_and(|found| found.receipt.as_ref() == Ok(receipt)))
    }

    /// Stores files, and then the receipt, which is last: an object without a receipt is not
    /// complete.
    pub(super) async fn put_window(
        &self,
        receipt: &Receipt,
        window: Window,
        files: &[Outgoing],
        mut replaces: bool,
    ) -> io::Result<Published> {
        let path = self.receipt_path(window);
        let key = self.key(&path)?;
        let json = serde_json::to_vec_pretty(receipt).map_err(io::Error::other)?;
        for _ in 0..ROUNDS {
            let existing = self.get_receipt(window).await?;
            if let Some(FoundReceipt { receipt: Ok(found), .. }) = &existing {
                let other = found.difference(receipt).filter(|it| it.0 != "server");
                if let Some((what, before, now)) = other {
                    return Err(io::Error::other(format!(
                        "another pull stored the same period with another {what}: {before}, now {now}; use another prefix"
                    )));
                }
                let is_finished = matches!(found.outcome(), Outcome::Stored(_));
                // "No data" has no files that would replace the other ones.
                let is_kept = !replaces || receipt.outcome() == Outcome::NoData;
                if is_kept && is_finished && !found.is_of(receipt.job_id()) {
                    return Ok(Published::Others(Box::new(found.clone())));
                }
            }
            for file in files {
                self.put(file).await?;
            }
            let mode = match existing {
                _ if !self.is_conditional.load(Ordering::Relaxed) => PutMode::Overwrite,
                Some(found) => PutMode::Update(found.version),
                None => PutMode::Create,
            };
            let options = PutOptions { mode, ..PutOptions::default() };
            let put = self.store.put_opts(&key, PutPayload::from(json.clone()), options).await;
            let error = match put {
                // The answer may have been lost, and the receipt be in place.
                Err(error) if !self.has_receipt(receipt, window).await? => error,
                _ => {
                    self.objects().insert(path, json.len() as u64);
                    return Ok(Published::Ours);
                }
            };
            // Some stores know only If-None-Match, which the probe uses.
            if is_unsupported(&error) && self.is_conditional.swap(false, Ordering::Relaxed) {
                continue;
            }
            if !is_condition(&error) {
                return Err(io_error(&error));
            }
            // Another pull wrote its receipt in the meantime, maybe after our files replaced its
            // own. The receipt must be that of the files, so both are written again.
            replaces = true;
        }
        let text = "other pulls store the same period at the same time; run one pull per prefix";
        Err(io::Error::other(text))
    }
}

/// Writes the content of an object.
pub(super) async fn copy(found: GetResult, to: &mut (dyn io::Write + Send)) -> io::Result<()> {
    let (size, mut written) = (found.meta.size, 0);
    let mut chunks = found.into_stream();
    while let Some(chunk) = chunks.try_next().await.map_err(|it| io_error(&it))? {
        written += chunk.len() as u64;
        to.write_all(&chunk)?;
    }
    if written == size {
        return Ok(());
    }
    Err(io::Error::new(
        io::ErrorKind::UnexpectedEof,
        format!("the store sent {written} of {size} bytes"),
    ))
}
