//! Servers and gateways that refuse.

use std::time::Duration;

use ccfs_emulator::Fault;
use ccfs_proto::answer::{Advice, AnswerError};
use ccfs_proto::auth::Freshness;
use ccfs_proto::{Credentials, ErrorKind, ResultCode};

use super::wire::job;
use crate::archive::archive_bytes;
use crate::backend::{Backend, Setup};
use crate::clock::ManualClock;
use crate::server::Behaviour;
use crate::stage::{
    Bench, Played, Script, Stop, failure, holds, is_status, query, same, waits_are,
};

pub(super) fn result_codes(backend: &dyn Backend) -> Played {
    let bench = Bench::with(backend, |builder| builder, |setup| setup.policy.max_retries = 1)?;
    for code in ResultCode::DOCUMENTED.iter().filter(|code| !code.is_success()) {
        bench.server.clear_logs();
        bench.server.faults().clear();
        bench.add_fault(Fault::ErrorUnder200(code.clone()));
        let error = failure(bench.download())?;
        same("the result code", &Some(code), &error.result_code())?;
        let expected = if code.advice() == Advice::TryLater { 2 } else { 1 };
        same(&format!("attempts after {code}"), &expected, &error.attempts)?;
        bench.requests_are(expected as usize)?;
        bench.folder.holds(None)?;
    }
    Ok(())
}

pub(super) fn missing_file(backend: &dyn Backend) -> Played {
    let bench = Bench::new(backend)?;
    let error = failure(bench.download())?;
    same("the result code", &Some(&ResultCode::FileNotFound), &error.result_code())?;
    bench.folder.holds(None)
}

/// Another secret key than the emulator's.
fn wrong(setup: &mut Setup) {
    let access_key = setup.credentials.access_key().as_str().to_owned();
    setup.credentials = Credentials::from_text(&access_key, "not the key".into())
        .unwrap_or_else(|_| unreachable!("it is a key"));
}

pub(super) fn wrong_key(backend: &dyn Backend) -> Played {
    let bench = Bench::with(backend, |builder| builder, wrong)?;
    bench.fails("a refusal with 401", is_status(401), 1)
}

/// Some HTTP clients answer a challenge on their own.
pub(super) fn unauthorized(backend: &dyn Backend) -> Played {
    for challenge in ["www-authenticate: Basic realm=\"a\"", "retry-after: 1", "x-nothing: 1"] {
        let head = ["HTTP/1.1 401 Unauthorized", "content-length: 2", challenge];
        let refusal = Behaviour::raw(&head, b"{}", true);
        let script = Script::new(backend, [refusal, Behaviour::ok(archive_bytes(100))])?;
        script.fails("a refusal with 401", is_status(401), 1)?;
    }
    Ok(())
}

pub(super) fn locked(backend: &dyn Backend) -> Played {
    let bench = Bench::new(backend)?;
    bench.add_fault(Fault::Locked.times(1));
    bench.fails("a refusal with 403", is_status(403), 1)
}

/// The server's clock is two hours ahead, and it accepts signatures for a quarter of an hour only.
fn ahead(backend: &dyn Backend, adjust: impl FnOnce(&mut Setup)) -> Result<Bench, Stop> {
    let ahead = ManualClock::at(ManualClock::default().wall().plus_millis(2 * 3600 * 1000));
    Bench::with(
        backend,
        |builder| builder.clock(move || ahead.wall()).freshness(Freshness::default()),
        adjust,
    )
}

pub(super) fn wrong_clock(backend: &dyn Backend) -> Played {
    let bench = ahead(backend, |_| {})?;
    let statuses = || -> Vec<Option<u16>> {
        bench.server.received().iter().map(|request| request.status).collect()
    };
    bench.client.query(query()?)?;
    same("the answers", &vec![Some(401), Some(200)], &statuses())?;
    bench.client.query(query()?)?;
    same(
        "the answers, with the correction remembered",
        &vec![Some(401), Some(200), Some(200)],
        &statuses(),
    )?;
    let bench = ahead(backend, |setup| setup.policy.skew_threshold = None)?;
    let error = failure(bench.client.query(query()?))?;
    holds(
        error.to_string().contains("clock is about 2 hours"),
        "an error that names the clock",
        &error,
    )?;
    // No retry, because the correction is switched off.
    bench.requests_are(1)
}

pub(super) fn wrong_key_and_clock(backend: &dyn Backend) -> Played {
    let bench = ahead(backend, wrong)?;
    let error = failure(bench.client.query(query()?))?;
    holds(error.is_auth(), "a refused signature", &error)?;
    bench.requests_are(2)
}

pub(super) fn busy(backend: &dyn Backend) -> Played {
    let bench = Bench::new(backend)?;
    bench.add_fault(Fault::Busy(7).times(2));
    bench.client.query(query()?)?;
    same(
        "the waits on the setup's clock",
        &vec![Duration::from_secs(7); 2],
        &bench.setup.clock.waits(),
    )?;
    bench.requests_are(3)
}

pub(super) fn too_many(backend: &dyn Backend) -> Played {
    let head = ["HTTP/1.1 429 Too Many Requests", "content-length: 0", "retry-after: 9"];
    let script = Script::new(backend, [Behaviour::raw(&head, b"", true), job(true, &[])])?;
    script.client.query(query()?)?;
    same(
        "the waits on the setup's clock",
        &vec![Duration::from_secs(9)],
        &script.setup.clock.waits(),
    )?;
    script.requests_are(2)
}

pub(super) fn flow_control(backend: &dyn Backend) -> Played {
    let bench = Bench::new(backend)?;
    bench.add_fault(Fault::FlowControl.times(2));
    bench.client.query(query()?)?;
    waits_are(&bench.setup.clock, &[Duration::from_secs(5), Duration::from_secs(10)])?;
    bench.requests_are(3)
}

pub(super) fn bad_gateway(backend: &dyn Backend) -> Played {
    told(backend, Fault::Html(502), "a refusal with 502", is_status(502))
}

pub(super) fn garbage(backend: &dyn Backend, fault: Fault) -> Played {
    told(backend, fault, "an answer that is neither a file nor an envelope", |kind| {
        matches!(kind, ErrorKind::Answer(AnswerError::Garbage { .. }))
    })
}

pub(super) fn empty(backend: &dyn Backend) -> Played {
    told(backend, Fault::Empty, "an empty answer", |kind| {
        matches!(kind, ErrorKind::Answer(AnswerError::Empty))
    })
}

fn told(
    backend: &dyn Backend,
    fault: Fault,
    what: &str,
    is: impl Fn(&ErrorKind) -> bool,
) -> Played {
    let mut bench = Bench::new(backend)?;
    bench.generate()?;
    bench.add_fault(fault);
    bench.fails(what, is, 1)
}

pub(super) fn bad_request(backend: &dyn Backend) -> Played {
    let bench = Bench::new(backend)?;
    let result = bench.client.query(query()?.account_id("a".repeat(21)));
    let so = matches!(&result, Err(error @ ccfs_driver::Error::Request(_)) if error.to_string().contains("accountId"));
    holds(so, "an error that names the field accountId", format_args!("{result:?}"))?;
    bench.requests_are(0)
}
