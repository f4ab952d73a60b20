//! Properties that hold for every backend, tested with a server that plays scripts of bytes.

// What a property is given, it owns: that is how proptest calls it.
#![allow(clippy::needless_pass_by_value)]

use std::fs;

use ccfs_conformance::{
    Backend, Behaviour, Framing, ManualClock, ScriptedServer, Setup, archive_bytes,
};
use ccfs_driver::{Error, Overwrite};
use ccfs_proto::{Credentials, ErrorKind, Verifier};
use proptest::prelude::*;
use proptest::test_runner::{Config, FileFailurePersistence, TestCaseError, TestRunner};

use crate::calls::{download, query};

/// Checks every property with a backend. `regressions` is the file of seeds, in the calling crate.
pub fn hold<B: Backend + Default>(regressions: &'static str) {
    let mut runner = TestRunner::new(Config {
        cases: 24,
        failure_persistence: Some(Box::new(FileFailurePersistence::Direct(regressions))),
        ..Config::default()
    });
    let property = |name: &str, result: Result<(), String>| {
        assert!(result.is_ok(), "{name}: {}", result.unwrap_err());
    };
    property(
        "a file arrives as it was sent, however it is cut and framed",
        runner.run(&transfer(), arrives::<B>).map_err(|e| e.to_string()),
    );
    property(
        "a file that breaks off leaves nothing, and a writer knows what it has",
        runner.run(&transfer(), breaks::<B>).map_err(|e| e.to_string()),
    );
    property(
        "every attempt is signed again, and rightly, over what is really sent",
        runner.run(&signing(), signed::<B>).map_err(|e| e.to_string()),
    );
    property(
        "whatever a server does, there is one outcome within the attempts",
        runner.run(&script(), ends::<B>).map_err(|e| e.to_string()),
    );
    property(
        "nothing follows a 401 or a 403",
        runner
            .run(&(prop_oneof![Just(401_u16), Just(403)], script()), stops::<B>)
            .map_err(|e| e.to_string()),
    );
    property(
        "what starts a job is sent again only when the server said so",
        runner
            .run(&proptest::collection::vec(behaviour(), 1..6), starts_once::<B>)
            .map_err(|e| e.to_string()),
    );
}

/// How a body is transferred.
#[derive(Clone, Debug)]
struct Transfer {
    len: usize,
    framing: Framing,
    piece: usize,
    /// Where the body is cut off, in thousandths of its length.
    cut: usize,
}

fn framing() -> impl Strategy<Value = Framing> {
    prop_oneof![Just(Framing::Length), Just(Framing::Chunked), Just(Framing::Close)]
}

fn transfer() -> impl Strategy<Value = Transfer> {
    let len = prop_oneof![0..2000_usize, 60_000..200_000_usize];
    (len, framing(), prop_oneof![1..50_usize, 1000..100_000_usize], 0..1000_usize).prop_map(
        |(len, framing, piece, cut)| Transfer {
            len,
            framing,
            // Tiny pieces of a large body only cost time.
            piece: piece.max(len / 2000),
            cut,
        },
    )
}

impl Transfer {
    fn behaviour(&self, body: &[u8], cut_after: Option<usize>) -> Behaviour {
        Behaviour::answer(200, &[], body, self.framing, cut_after, self.piece)
    }
}

fn setup(server: &ScriptedServer, clock: &ManualClock) -> Setup {
    let mut setup = Setup::new(
        server.url().parse().unwrap(),
        Credentials::from_text("ak", "sk".into()).unwrap(),
    );
    setup.clock = clock.clone();
    setup
}

fn arrives<B: Backend + Default>(transfer: Transfer) -> Result<(), TestCaseError> {
    let body = archive_bytes(transfer.len);
    let server =
        ScriptedServer::play([transfer.behaviour(&body, None), transfer.behaviour(&body, None)]);
    let client = B::default().client(&setup(&server, &ManualClock::default()));
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.zip");
    let receipt = client
        .to_file(download(), &path, Overwrite::Refuse)
        .map_err(|error| TestCaseError::fail(error.to_string()))?;
    prop_assert_eq!(receipt.bytes, body.len() as u64);
    prop_assert!(fs::read(&path).unwrap() == body);
    let mut taken = Vec::new();
    let result = client.to_writer(download(), &mut taken);
    prop_assert!(result.is_ok() && taken == body);
    Ok(())
}

fn breaks<B: Backend + Default>(transfer: Transfer) -> Result<(), TestCaseError> {
    let body = archive_bytes(transfer.len);
    let cut = body.len() * transfer.cut / 1000;
    let broken = transfer.behaviour(&body, Some(cut));
    let server = ScriptedServer::play(vec![broken.clone(); 5]);
    let mut setup = setup(&server, &ManualClock::default());
    setup.policy.max_retries = 1;
    let client = B::default().client(&setup);
    let folder = tempfile::tempdir().unwrap();
    let error = client.to_file(download(), &folder.path().join("a.zip"), Overwrite::Refuse);
    prop_assert!(matches!(error, Err(Error::Exchange(_))));
    prop_assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    let mut taken = Vec::new();
    let result = client.to_writer(download(), &mut taken);
    prop_assert!(body[..cut].starts_with(&taken));
    let Err(Error::Exchange(error)) = result else {
        return Err(TestCaseError::fail("a broken file was taken for whole"));
    };
    match error.kind {
        ErrorKind::Interrupted { handed_over, .. } => {
            prop_assert_eq!(handed_over, taken.len() as u64);
        }
        _ => prop_assert!(taken.is_empty()),
    }
    Ok(())
}

fn signing() -> impl Strategy<Value = (String, String, String)> {
    (
        "[!-.0-~]{1,30}",
        "\\PC{1,40}",
        prop_oneof![Just(String::new()), "(/[a-zA-Z0-9._~-]{1,8}x){1,3}"],
    )
}

fn signed<B: Backend + Default>(
    (access_key, secret_key, prefix): (String, String, String),
) -> Result<(), TestCaseError> {
    let body = archive_bytes(100);
    let server = ScriptedServer::play([Behaviour::status(503, ""), Behaviour::ok(body)]);
    let clock = ManualClock::default();
    let mut setup = setup(&server, &clock);
    setup.endpoint = format!("{}{prefix}", server.url()).parse().unwrap();
    setup.credentials = Credentials::from_text(&access_key, secret_key).unwrap();
    let verifier = Verifier::new(&setup.credentials);
    let result = B::default().client(&setup).to_writer(download(), &mut Vec::new());
    prop_assert!(result.is_ok());
    let seen = server.seen();
    prop_assert_eq!(seen.len(), 2);
    let times: Vec<_> = seen
        .iter()
        .map(|request| {
            request
                .verify(&verifier, ManualClock::default().wall())
                .map(|verified| verified.timestamp)
        })
        .collect::<Result<_, _>>()
        .map_err(|error| TestCaseError::fail(error.to_string()))?;
    prop_assert!(times[0] < times[1], "the second attempt carries a later time");
    Ok(())
}

/// Any behaviour of a server, except idle timeouts, which take real time; and whether it says that it is busy.
fn behaviour() -> impl Strategy<Value = (Behaviour, bool)> {
    let status = prop_oneof![
        Just(200_u16),
        Just(200),
        Just(200),
        Just(302),
        Just(404),
        Just(429),
        Just(500),
        Just(502),
        Just(503)
    ];
    let code =
        prop_oneof![Just("0"), Just("0300008"), Just("0300009"), Just("0300011"), Just("010106")];
    let envelope = code.prop_map(|code| {
        format!(r#"{{"resultCode":"{code}","resultDesc":"words","resultData":null}}"#).into_bytes()
    });
    let job = Just(
        br#"{"resultCode":"0","resultData":{"responseId":"9239cb50a8384bb0ab503441bf089446"}}"#
            .to_vec(),
    );
    let body = prop_oneof![
        3 => (0..3000_usize).prop_map(archive_bytes),
        2 => envelope,
        1 => job,
        1 => Just(b"<html>502</html>".to_vec()),
        1 => Just(Vec::new()),
        1 => proptest::collection::vec(any::<u8>(), 0..100),
    ];
    let retry_after = prop_oneof![3 => Just(None), 1 => (0..400_u32).prop_map(Some)];
    let answer = (
        status,
        body,
        framing(),
        proptest::option::weighted(0.2, 0..1000_usize),
        1..2000_usize,
        retry_after,
    )
        .prop_map(|(status, body, framing, cut, piece, retry_after)| {
            // A body that is delimited by the end of the connection, and is cut at its end, is complete.
            let cut_after = cut.map(|cut| body.len() * cut / 1000);
            let retry_after = retry_after.map(|seconds| format!("retry-after: {seconds}"));
            let headers: Vec<&str> = retry_after.iter().map(String::as_str).collect();
            let says = |code| String::from_utf8_lossy(&body).contains(code);
            let is_busy = matches!(status, 429 | 503)
                || (status == 200 && ["0300008", "0300009"].into_iter().any(says));
            (Behaviour::answer(status, &headers, &body, framing, cut_after, piece), is_busy)
        });
    prop_oneof![1 => Just((Behaviour::close(), false)), 8 => answer]
}

/// A script of such behaviours.
pub fn script() -> impl Strategy<Value = Vec<Behaviour>> {
    proptest::collection::vec(behaviour().prop_map(|(behaviour, _)| behaviour), 1..6)
}

fn ends<B: Backend + Default>(script: Vec<Behaviour>) -> Result<(), TestCaseError> {
    let server = ScriptedServer::play(script);
    let client = B::default().client(&setup(&server, &ManualClock::default()));
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.zip");
    match client.to_file(download(), &path, Overwrite::Refuse) {
        Ok(receipt) => prop_assert_eq!(fs::metadata(&path).unwrap().len(), receipt.bytes),
        Err(Error::Exchange(error)) => {
            prop_assert!(
                error.attempts as usize == server.seen().len(),
                "{} attempts, {} seen",
                error.attempts,
                server.seen().len()
            );
            prop_assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
        }
        Err(error) => return Err(TestCaseError::fail(error.to_string())),
    }
    prop_assert!((1..=4).contains(&server.seen().len()));
    Ok(())
}

fn stops<B: Backend + Default>((status, rest): (u16, Vec<Behaviour>)) -> Result<(), TestCaseError> {
    let refusal = Behaviour::status(
        status,
        r#"{"timestamp":1,"status":401,"error":"no","message":"No message available"}"#,
    );
    let server = ScriptedServer::play([refusal].into_iter().chain(rest));
    let mut taken = Vec::new();
    let result = B::default()
        .client(&setup(&server, &ManualClock::default()))
        .to_writer(download(), &mut taken);
    prop_assert!(
        matches!(result, Err(Error::Exchange(error)) if error.is_auth() && error.attempts == 1)
    );
    prop_assert!(taken.is_empty());
    prop_assert_eq!(server.seen().len(), 1);
    Ok(())
}

fn starts_once<B: Backend + Default>(script: Vec<(Behaviour, bool)>) -> Result<(), TestCaseError> {
    let may_be_sent = 1 + script.iter().take_while(|(_, is_busy)| *is_busy).count();
    let server = ScriptedServer::play(script.into_iter().map(|(behaviour, _)| behaviour));
    let client = B::default().client(&setup(&server, &ManualClock::default()));
    let _ = client.query(query());
    prop_assert!(
        (1..=may_be_sent).contains(&server.seen().len()),
        "{} sent, {may_be_sent} allowed",
        server.seen().len()
    );
    Ok(())
}
