//! Where a pull stores its files: `--out` and `--state`.

use std::env;
use std::path::{Path, PathBuf};

use ccfs::pull::{Bucket, BucketConfig, BucketError};

use super::args::PullArgs;
use crate::failure::Failure;

/// Where a pull stores its files.
pub(super) enum Destination {
    Folder(PathBuf),
    Bucket {
        url: String,
        /// The folder of the journal.
        state: PathBuf,
    },
}

impl Destination {
    pub(super) fn of(args: &PullArgs) -> Result<Self, Failure> {
        let out = args.out.to_string_lossy();
        if !out.starts_with("s3:") {
            if args.state.is_some() {
                return Err(Failure::usage(
                    "--state is for a bucket; a folder has its journal itself",
                ));
            }
            return Ok(Self::Folder(args.out.clone()));
        }
        let rest = out.strip_prefix("s3://").filter(|rest| !rest.is_empty());
        let name =
            rest.ok_or_else(|| Failure::usage("--out: write a bucket as s3://BUCKET/PREFIX"))?;
        let state = match &args.state {
            Some(state) => state.clone(),
            None => default_state(name).ok_or_else(|| {
                Failure::usage("HOME is not set; give --state, a folder for the journal")
            })?,
        };
        Ok(Self::Bucket { url: out.into_owned(), state })
    }

    /// The folder of the journal.
    pub(super) fn folder(&self) -> &Path {
        match self {
            Self::Folder(folder) | Self::Bucket { state: folder, .. } => folder,
        }
    }

    /// A client for the bucket, if it is one.
    pub(super) fn bucket(&self) -> Result<Option<Bucket>, Failure> {
        match self {
            Self::Folder(_) => Ok(None),
            Self::Bucket { url, .. } => {
                let config = BucketConfig::from_env().map_err(failure)?;
                Bucket::new(url, &config).map(Some).map_err(failure)
            }
        }
    }
}

fn failure(error: BucketError) -> Failure {
    match error {
        BucketError::File { .. } => Failure::file(error),
        error => Failure::usage(error),
    }
}

/// `$XDG_STATE_HOME/ccfs/BUCKET/PREFIX`.
fn default_state(name: &str) -> Option<PathBuf> {
    let variable = |name| env::var_os(name).filter(|folder| !folder.is_empty()).map(PathBuf::from);
    let home = || variable("HOME").or_else(|| variable("USERPROFILE"));
    let in_home = || Some(home()?.join(".local").join("state"));
    let folder = variable("XDG_STATE_HOME").or_else(in_home)?;
    let parts = name.split('/').filter(|part| !matches!(*part, "" | "." | ".."));
    Some(parts.fold(folder.join("ccfs"), |folder, part| folder.join(part)))
}
