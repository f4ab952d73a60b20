//! What a caller brings along, and the machine's own clock: the two things that the scenarios replace.

use std::thread;
use std::time::Duration;

use ccfs_driver::Error;
use ccfs_emulator::{Emulator, Fault};
use ccfs_proto::operation::{PlayVoice, PlaybackToken};
use ccfs_proto::{DownloadAgentSkillInfoFile, ErrorKind, Policy, Timestamp};
use ccfs_tests::{config, download, query, runtime};
use ccfs_tls::Trust;

fn is_redirect<T: std::fmt::Debug>(result: Result<T, Error>) -> bool {
    matches!(result, Err(Error::Exchange(error)) if matches!(&error.kind, ErrorKind::Refused { refusal, .. } if refusal.status == 307))
}

/// An agent that would follow redirects, take statuses for errors, and name itself: set right for every request.
#[test]
fn an_agent_of_the_callers_is_used_and_kept_to_the_protocol() {
    let emulator = Emulator::builder().plain().start().unwrap();
    let agent = ureq::Agent::config_builder()
        .max_redirects(5)
        .http_status_as_error(true)
        .user_agent("mine")
        .proxy(None)
        .build()
        .new_agent();
    let client = ccfs_ureq::Client::with_http(config(&emulator), agent);
    client.call(query()).unwrap();
    emulator.faults().add(Fault::Redirect);
    assert!(is_redirect(client.download(download()).to_writer(Vec::new())));
    let log = emulator.received();
    assert_eq!(log.len(), 2, "the redirect was not followed");
    assert!(log.iter().all(|request| request.header("user-agent").is_none()
        && request.header("accept-encoding").is_none()));
}

/// A request without a body has no `content-length`, over either backend.
#[test]
fn a_get_has_no_content_length() {
    let emulator = Emulator::builder().plain().start().unwrap();
    let play = || {
        let token = PlaybackToken::new("a token that the emulator does not know".into()).unwrap();
        PlayVoice::new(token, Timestamp::from_unix_millis(1_680_768_000_000))
    };
    let client = ccfs_ureq::Client::new(config(&emulator)).unwrap();
    client.download(play()).to_writer(Vec::new()).unwrap_err();
    let client = ccfs_reqwest::Client::new(config(&emulator)).unwrap();
    runtime().block_on(client.download(play()).to_writer(Vec::new())).unwrap_err();
    let log = emulator.received();
    assert_eq!(log.len(), 2);
    for request in &log {
        assert_eq!(request.header("content-length"), None);
    }
}

/// A custom HTTP client with a private CA.
#[test]
fn a_client_of_the_callers_is_used() {
    let emulator = Emulator::builder().start().unwrap();
    let tls = Trust::none()
        .add_pem(emulator.ca_pem().unwrap().as_bytes())
        .unwrap()
        .client_config()
        .unwrap();
    let http = reqwest::Client::builder()
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .retry(reqwest::retry::never())
        .tls_backend_preconfigured(tls)
        .build()
        .unwrap();
    let client = ccfs_reqwest::Client::with_http(config(&emulator), http);
    runtime().block_on(client.call(query())).unwrap();
    emulator.faults().add(Fault::Redirect);
    assert!(is_redirect(runtime().block_on(client.download(download()).to_writer(Vec::new()))));
    assert_eq!(emulator.received().len(), 2);
}

/// The machine's clock, and a silent server: the call ends with the total timeout, not with
/// the longer idle timeout.
#[test]
fn the_deadline_ends_a_call_in_real_time() {
    let emulator = Emulator::builder().plain().start().unwrap();
    emulator.faults().add(Fault::Silent);
    // Long enough to connect and ask on any machine: what then ends the call is surely the silence.
    let limit = Duration::from_secs(2);
    let policy = Policy::default().total_timeout(limit).idle_timeout(Duration::from_secs(60));
    let session = config(&emulator).policy(policy);
    let results = thread::scope(|scope| {
        let blocking = scope.spawn(|| {
            ccfs_ureq::Client::new(session.clone())
                .unwrap()
                .download(download())
                .to_writer(Vec::new())
        });
        let client = ccfs_reqwest::Client::new(session.clone()).unwrap();
        let asynchronous = runtime().block_on(client.download(download()).to_writer(Vec::new()));
        [blocking.join().unwrap(), asynchronous]
    });
    for result in results {
        let Err(Error::Exchange(error)) = result else { panic!("{result:?}") };
        let ErrorKind::TotalTimeout { limit: told, cause } = &error.kind else { panic!("{error}") };
        assert_eq!(*told, limit);
        assert_eq!((cause, error.code()), (&None, "total_timeout"), "{error}");
    }
}

/// Dropping an async download leaves nothing; a blocking one is stopped by its progress function.
#[test]
fn a_cancelled_download_leaves_nothing() {
    let emulator = Emulator::builder().plain().rows(5000).start().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let is_empty = || std::fs::read_dir(folder.path()).unwrap().next().is_none();
    let client = ccfs_ureq::Client::new(config(&emulator)).unwrap();
    client.call(query()).unwrap();
    let name = emulator.files().pop().unwrap();
    let stop = |progress: ccfs_driver::Progress| match progress.received {
        0 => std::ops::ControlFlow::Continue(()),
        _ => std::ops::ControlFlow::Break(()),
    };
    let stopped = client
        .download(DownloadAgentSkillInfoFile::new(name.clone()))
        .progress(stop)
        .to_file(folder.path().join("a.zip"));
    assert!(matches!(stopped, Err(Error::Stopped)) && is_empty());

    emulator.faults().add(Fault::Stall);
    let client = ccfs_reqwest::Client::new(config(&emulator)).unwrap();
    runtime().block_on(async {
        let (begun, begins) = tokio::sync::oneshot::channel();
        let mut begun = Some(begun);
        let progress = move |progress: ccfs_driver::Progress| {
            if progress.received > 0 {
                begun.take().map(|begun| begun.send(()));
            }
            std::ops::ControlFlow::Continue(())
        };
        let download = client
            .download(DownloadAgentSkillInfoFile::new(name))
            .progress(progress)
            .to_file(folder.path().join("a.zip"));
        tokio::select! {
            result = download => panic!("{result:?}"),
            begins = begins => begins.unwrap(),
        }
    });
    assert!(is_empty());
}
