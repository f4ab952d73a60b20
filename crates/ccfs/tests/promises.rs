//! What the facade promises: its types are the layers' own, cross threads, and its calls can be spawned.
#![cfg(all(feature = "archive", feature = "async", feature = "blocking"))]
#![allow(clippy::unwrap_used)]

use std::any::TypeId;
use std::error::Error as StdError;
use std::fmt::Debug;
use std::fs::File;
use std::io::Write;
use std::ops::ControlFlow;

use ccfs::{
    AsyncBuildError, AsyncClient, AsyncDownload, BuildError, Client, Config, Credentials, Download,
    DownloadAgentSkillInfoFile, Error, FileError, FileReceipt, GenerationJob, Progress,
    QueryAgentSkillInfoData, Trust, TrustError,
};
use ccfs_emulator::Emulator;

fn thread_safe<T: Send + Sync>() {}
fn movable<T: Send>() {}
fn shared<T: Clone + Send + Sync + Debug + 'static>() {}
fn an_error<E: StdError + Send + Sync + 'static>() {}
fn sendable<T: Send>(value: T) -> T {
    value
}

#[test]
fn everything_crosses_threads() {
    shared::<Client>();
    shared::<AsyncClient>();
    shared::<Config>();
    shared::<ccfs::Proxy>();
    shared::<ccfs::Identity>();
    shared::<ccfs::Pin>();
    shared::<ccfs::TlsVersion>();
    shared::<ccfs::Overwrite>();
    shared::<ccfs::SystemClock>();
    shared::<Credentials>();
    shared::<Trust>();
    shared::<ccfs::Endpoint>();
    shared::<ccfs::Policy>();
    shared::<ccfs::Verifier>();
    shared::<ccfs::IndexFileName>();
    shared::<FileReceipt>();
    shared::<GenerationJob>();
    shared::<Progress>();
    thread_safe::<ccfs::WholeFile>();
    thread_safe::<ccfs::archive::Archive<File>>();
    thread_safe::<ccfs::archive::AgentSkillChange>();
    movable::<ccfs::archive::ArchiveParser<ccfs::archive::AgentSkillChange>>();
    movable::<ccfs::archive::Records<'static, ccfs::archive::AnyRecord>>();
    thread_safe::<ccfs::archive::Report>();
    shared::<ccfs::archive::ReadOptions>();
    an_error::<Error>();
    an_error::<FileError>();
    an_error::<TrustError>();
    an_error::<ccfs::ProxyError>();
    an_error::<ccfs::IdentityError>();
    an_error::<ccfs::PinError>();
    an_error::<BuildError>();
    an_error::<AsyncBuildError>();
    an_error::<ccfs::ExchangeError>();
    an_error::<ccfs::archive::Error>();
}

fn same<A: 'static, B: 'static>() {
    assert_eq!(TypeId::of::<A>(), TypeId::of::<B>());
}

/// A value of the facade can be given to a layer, and the other way round.
#[test]
fn the_facades_types_are_the_layers_own() {
    same::<Client, ccfs_ureq::Client>();
    same::<Download<'static, ()>, ccfs_ureq::Download<'static, ()>>();
    same::<BuildError, ccfs_ureq::BuildError>();
    same::<AsyncClient, ccfs_reqwest::Client>();
    same::<AsyncDownload<'static, ()>, ccfs_reqwest::Download<'static, ()>>();
    same::<AsyncBuildError, ccfs_reqwest::BuildError>();
    same::<Credentials, ccfs_proto::Credentials>();
    same::<DownloadAgentSkillInfoFile, ccfs_proto::DownloadAgentSkillInfoFile>();
    same::<ccfs::proto::operation::PlaybackToken, ccfs_proto::operation::PlaybackToken>();
    same::<ccfs::archive::AgentSkillChange, ccfs_archive::AgentSkillChange>();
    // Both backends have one session, one error, one trust and one progress.
    same::<Config, ccfs_ureq::Config>();
    same::<Config, ccfs_reqwest::Config>();
    same::<Config, ccfs_driver::Config>();
    same::<Error, ccfs_ureq::Error>();
    same::<Error, ccfs_reqwest::Error>();
    same::<Error, ccfs_driver::Error>();
    same::<Trust, ccfs_ureq::Trust>();
    same::<Trust, ccfs_reqwest::Trust>();
    same::<Trust, ccfs_tls::Trust>();
    same::<Progress, ccfs_driver::Progress>();
    same::<FileError, ccfs_driver::FileError>();
}

fn query() -> QueryAgentSkillInfoData {
    let (begin, end) =
        ("2023-04-05 00:00:00".parse().unwrap(), "2023-04-06 00:00:00".parse().unwrap());
    QueryAgentSkillInfoData::new(begin, end, "http://127.0.0.1:9/callback")
}

fn emulator() -> Emulator {
    Emulator::builder().rows(5).start().unwrap()
}

fn trust(emulator: &Emulator) -> Trust {
    Trust::none().add_pem(emulator.ca_pem().unwrap().as_bytes()).unwrap()
}

/// Every future of the async client is `Send`, which `spawn` asks of it even where one thread runs them all
/// (runtimes with several threads move them about).
#[test]
fn async_calls_can_be_spawned() {
    let emulator = emulator();
    let client = AsyncClient::with_trust(
        Config::new(emulator.endpoint().clone(), emulator.credentials()).proxy(None),
        &trust(&emulator),
    )
    .unwrap();
    let folder = tempfile::tempdir().unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let (caller, path) = (client.clone(), folder.path().join("a.zip"));
    let task = runtime.spawn(sendable(async move {
        let job = sendable(caller.call(query())).await?;
        let download =
            || DownloadAgentSkillInfoFile::new(job.file_name("2023-04-06".parse().unwrap()));
        Ok::<_, Error>((
            job,
            sendable(
                caller
                    .download(download())
                    .progress(|_| ControlFlow::Continue(()))
                    .to_writer(tokio::io::sink()),
            )
            .await
            .map(|_| ()),
        ))
    }));
    let (job, elsewhere) = runtime.block_on(task).unwrap().unwrap();
    // The day in the name is the emulator's, so that one is not there.
    assert!(elsewhere.is_err() && emulator.files()[0].response_id() == Some(job.response_id));
    let name = emulator.files().remove(0);
    let caller = client.clone();
    let task = runtime.spawn(async move {
        let download = caller.download(DownloadAgentSkillInfoFile::new(name)).check(|mut file| {
            std::io::copy(&mut file, &mut std::io::sink())?;
            Ok(())
        });
        sendable(download.to_file(path)).await
    });
    let receipt = runtime.block_on(task).unwrap().unwrap();
    assert_eq!(std::fs::metadata(folder.path().join("a.zip")).unwrap().len(), receipt.bytes);
}

/// Clones are one client: what one learned about the clock, the other knows.
#[test]
fn clones_of_a_client_share_the_clock_correction() {
    let emulator = emulator();
    let client = Client::with_trust(
        Config::new(emulator.endpoint().clone(), emulator.credentials()).proxy(None),
        &trust(&emulator),
    )
    .unwrap();
    let clone = client.clone();
    assert!(clone.session().clock_skew().is_none());
    std::thread::scope(|scope| {
        let workers: Vec<_> =
            (0..3).map(|_| scope.spawn(|| client.call(query()).unwrap())).collect();
        let jobs: Vec<_> =
            workers.into_iter().map(|worker| worker.join().unwrap().response_id).collect();
        assert!(jobs[0] != jobs[1] && jobs[1] != jobs[2]);
    });
    let skew = |client: &Client| client.session().clock_skew();
    assert!(skew(&clone).is_some() && skew(&clone) == skew(&client));
    assert_eq!(emulator.files().len(), 3);
}

/// Callers can pass errors on with `?`, including the source chain.
#[test]
fn errors_go_into_boxes_with_their_chain() {
    struct Full;
    impl Write for Full {
        fn write(&mut self, _: &[u8]) -> std::io::Result<usize> {
            Err(std::io::ErrorKind::StorageFull.into())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let run = || -> Result<FileReceipt, Box<dyn StdError + Send + Sync>> {
        let emulator = emulator();
        let client = Client::with_trust(
            Config::new(emulator.endpoint().clone(), emulator.credentials()).proxy(None),
            &trust(&emulator),
        )?;
        client.call(query())?;
        Ok(client
            .download(DownloadAgentSkillInfoFile::new(emulator.files().remove(0)))
            .to_writer(Full)?)
    };
    let error = run().unwrap_err();
    assert!(error.to_string().starts_with("could not write the download: "), "{error}");
    let source = error.source().unwrap().downcast_ref::<std::io::Error>().unwrap();
    assert_eq!(source.kind(), std::io::ErrorKind::StorageFull);
    assert!(matches!(error.downcast_ref::<Error>(), Some(Error::Write(_))));
}
