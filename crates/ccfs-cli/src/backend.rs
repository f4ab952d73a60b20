//! Calls over the backend that the settings name.

use std::fs::File;
use std::future::Future;
use std::io;
use std::path::Path;
use std::time::Duration;

use ccfs::{Error, FileReceipt, Operation, Overwrite};

use crate::failure::{Failure, Kind};
use crate::interrupt;
use crate::output::{self, Target};
use crate::progress::Bar;
use crate::settings::{Backend, Settings};

/// Calls an interface that answers with an envelope.
pub(crate) fn call<O: Operation>(settings: &Settings, operation: O) -> Result<O::Answer, Failure> {
    match settings.backend {
        Backend::Blocking => Ok(settings.client(settings.policy())?.call(operation)?),
        Backend::Async => {
            let client = settings.async_client(settings.policy())?;
            run(async { Ok(client.call(operation).await?) })
        }
    }
}

/// Downloads to a file, which is written atomically, or to a device or pipe, which gets the checked file.
pub(crate) fn download<O: Operation<Answer = FileReceipt>>(
    settings: &Settings,
    operation: O,
    path: &Path,
    overwrite: Overwrite,
    check: fn(File) -> Result<(), Box<dyn std::error::Error + Send + Sync>>,
) -> Result<FileReceipt, Failure> {
    if !output::is_special(path) {
        return download_file(settings, operation, path, overwrite, check);
    }
    let folder = tempfile::tempdir().map_err(Failure::file)?;
    let file = folder.path().join("download");
    let receipt = download_file(settings, operation, &file, overwrite, check)?;
    let mut target = Target::open(path, overwrite)?;
    let copied = File::open(&file).and_then(|mut file| io::copy(&mut file, &mut target));
    copied.map_err(Failure::cannot("write", path))?;
    Ok(receipt)
}

/// Downloads to a file, with a bar on a terminal; `check` looks at it before it is in place.
fn download_file<O: Operation<Answer = FileReceipt>>(
    settings: &Settings,
    operation: O,
    path: &Path,
    overwrite: Overwrite,
    check: fn(File) -> Result<(), Box<dyn std::error::Error + Send + Sync>>,
) -> Result<FileReceipt, Failure> {
    interrupt::temporary_of(path);
    let bar = Bar::bytes();
    let report = |progress| {
        bar.show(progress);
        interrupt::flow()
    };
    let receipt = match settings.backend {
        Backend::Blocking => {
            let client = settings.client(settings.policy())?;
            client
                .download(operation)
                .overwrite(overwrite)
                .check(check)
                .progress(report)
                .to_file(path)
        }
        Backend::Async => {
            let client = settings.async_client(settings.policy())?;
            let download =
                client.download(operation).overwrite(overwrite).check(check).progress(report);
            run(async { Ok(download.to_file(path).await) })?
        }
    };
    bar.finish();
    receipt.map_err(|error| match error {
        // What was stopped in the middle of a read ends as a failure of that read.
        _ if interrupt::came() => Failure::from(Error::Stopped),
        error => error.into(),
    })
}

/// Runs a future to its end, or until a signal comes: then it is dropped, which cancels it cleanly.
pub(crate) fn run<T>(future: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    runtime()?.block_on(async {
        tokio::select! {
            result = future => result,
            () = interrupted() => Err(Failure::new(Kind::Interrupted, "interrupted")),
        }
    })
}

/// A runtime on this thread.
pub(crate) fn runtime() -> Result<tokio::runtime::Runtime, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.map_err(|error| Failure::file(format_args!("the async runtime cannot start: {error}")))
}

async fn interrupted() {
    while !interrupt::came() {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
