//! A bucket of an S3 store as the destination.

mod config;
mod error;
mod failure;
mod profile;
mod requests;
mod store;
mod upload;

use std::collections::BTreeMap;
use std::fmt;
use std::future::Future;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread;
use std::time::Duration;

use object_store::aws::AmazonS3;
use object_store::path::Path as Key;
use tokio::runtime::{Builder, Handle, Runtime};

pub use self::config::BucketConfig;
pub use self::error::BucketError;

/// The folder of receipts and of the probe. Engines do not read folders with such names.
const OWN: &str = "_ccfs";
/// Name of the metadata with the SHA-256 of an object, in hexadecimal.
const SHA256: &str = "ccfs-sha256";
/// How often a request that failed is repeated.
const RETRIES: usize = 8;

/// A bucket, or the part of it under a prefix, as the destination of a pull.
///
/// Every file has a fixed name, so storing a window again replaces its files. After the files of a
/// window, a receipt is stored under `_ccfs/`, from which a lost journal is rebuilt. See
/// `docs/reliability.md`, "Pulling into a bucket".
///
/// ```no_run
/// # fn example(client: &ccfs_ureq::Client, plan: ccfs_pull::Plan) -> Result<(), Box<dyn std::error::Error>> {
/// use ccfs_pull::{Bucket, BucketConfig, Pull};
///
/// let bucket = Bucket::new("s3://lake/skills", &BucketConfig::from_env()?)?;
/// // The folder has the journal, and files until they are in the bucket.
/// let summary = Pull::new(plan, "/var/lib/ccfs/skills").bucket(bucket).run(client)?;
/// # Ok(())
/// # }
/// ```
pub struct Bucket {
    store: AmazonS3,
    /// Repeats no request: for requests that a store may not know.
    single: AmazonS3,
    root: PathBuf,
    /// Address of the store, unless it is AWS.
    endpoint: Option<String>,
    prefix: String,
    part_bytes: usize,
    /// `None` only while it is dropped.
    runtime: Option<Runtime>,
    /// Whether the store obeys conditions of requests that write.
    is_conditional: AtomicBool,
    /// Whether the pull is stopped.
    is_stopped: AtomicBool,
    opened: OnceLock<Opened>,
    /// Sizes of the objects under the prefix that a pull has.
    objects: Mutex<BTreeMap<PathBuf, u64>>,
}

/// What is known of a bucket when a pull begins.
struct Opened {
    table: &'static str,
    /// The folder of the journal, for notes about uploads.
    folder: PathBuf,
}

impl fmt::Debug for Bucket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bucket").field("root", &self.root).finish_non_exhaustive()
    }
}

/// A runtime must not be dropped where an async caller drops the pull, unless in the background.
impl Drop for Bucket {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

impl Bucket {
    /// Creates a client for `s3://BUCKET/PREFIX`; the prefix may be empty. Sends nothing yet.
    ///
    /// # Errors
    ///
    /// [`BucketError`] if the address is malformed, or no client can be created from `config`.
    pub fn new(url: &str, config: &BucketConfig) -> Result<Self, BucketError> {
        let malformed = || BucketError::Url { url: url.to_owned() };
        let rest = url.strip_prefix("s3://").ok_or_else(malformed)?;
        let (bucket, prefix) = rest.split_once('/').unwrap_or((rest, ""));
        let prefix = prefix.strip_suffix('/').unwrap_or(prefix);
        let is_name = |byte: u8| byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
        let is_plain = |part: &str| !part.is_empty() && !part.chars().any(char::is_control);
        if !(1..=255).contains(&bucket.len())
            || !bucket.bytes().all(is_name)
            || bucket.starts_with('.')
            || prefix.len() > 512
            || (!prefix.is_empty() && !prefix.split('/').all(is_plain))
            || Key::parse(prefix).is_err()
        {
            return Err(malformed());
        }
        let root = format!("s3://{bucket}{}{prefix}", if prefix.is_empty() { "" } else { "/" });
        let http = config.http()?;
        Ok(Self {
            store: config.client(bucket, &http, RETRIES)?,
            single: config.client(bucket, &http, 0)?,
            root: root.into(),
            endpoint: config.store().map(str::to_owned),
            prefix: prefix.to_owned(),
            part_bytes: config.part_bytes,
            runtime: Some(Builder::new_current_thread().enable_all().build()?),
            is_conditional: AtomicBool::new(false),
            is_stopped: AtomicBool::new(false),
            opened: OnceLock::new(),
            objects: Mutex::default(),
        })
    }

    /// Address of the bucket, with the prefix: `s3://BUCKET/PREFIX`.
    pub fn url(&self) -> &Path {
        &self.root
    }

    /// Its address and that of its store. Buckets of two stores may have the same name.
    pub(crate) fn identity(&self) -> String {
        let url = self.root.display();
        self.endpoint.as_ref().map_or(url.to_string(), |store| format!("{url} at {store}"))
    }

    /// Runs a request to its end.
    fn block_on<T: Send>(&self, request: impl Future<Output = T> + Send) -> T {
        let Some(runtime) = &self.runtime else { unreachable!("requests end before the drop") };
        if Handle::try_current().is_err() {
            return runtime.block_on(request);
        }
        // A thread of another runtime may not block on this one.
        let request = thread::scope(|scope| scope.spawn(|| runtime.block_on(request)).join());
        request.unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    }

    /// Runs a request until the pull is stopped.
    fn block_on_until_stopped<T: Send>(
        &self,
        request: impl Future<Output = io::Result<T>> + Send,
    ) -> io::Result<T> {
        self.block_on(async {
            let stopped = async {
                while !self.is_stopped.load(Ordering::Relaxed) {
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
            };
            tokio::select! {
                result = request => result,
                () = stopped => Err(io::ErrorKind::Interrupted.into()),
            }
        })
    }

    fn key(&self, path: &Path) -> io::Result<Key> {
        let name = path.strip_prefix(&self.root).unwrap_or(path);
        let parts = name.iter().map(|part| part.to_string_lossy());
        let prefix = (!self.prefix.is_empty()).then(|| self.prefix.as_str().into());
        let key = prefix.into_iter().chain(parts).collect::<Vec<_>>().join("/");
        Key::parse(key).map_err(io::Error::other)
    }

    fn path_of(&self, key: &Key) -> PathBuf {
        let key = key.as_ref();
        let name = key.strip_prefix(&self.prefix).unwrap_or(key).trim_start_matches('/');
        self.root.join(name)
    }

    fn objects(&self) -> MutexGuard<'_, BTreeMap<PathBuf, u64>> {
        self.objects.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn opened(&self) -> &Opened {
        let Some(opened) = self.opened.get() else { unreachable!("pulls open the bucket first") };
        opened
    }

    fn receipts_folder(&self) -> PathBuf {
        self.root.join(OWN).join(self.opened().table)
    }
}
