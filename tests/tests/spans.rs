//! What both backends report to `tracing` during a call.
#![allow(clippy::unwrap_used)]

use std::time::Duration;

use ccfs::{AsyncClient, Client, DownloadAgentSkillInfoFile};
use ccfs_conformance::{ManualClock, file_name};
use ccfs_emulator::{Emulator, Fault};
use ccfs_proto::auth::Freshness;
use ccfs_tests::{Collector, TEST_TIMEOUT, config, query, runtime};

/// Returns the events of the driver while `work` runs, one line each, followed by the fields recorded in spans.
fn told(work: impl FnOnce()) -> Vec<String> {
    let logged = Collector::alone(false);
    work();
    let by_target = logged.by_target();
    let lines = |target: &str| {
        by_target.get(target).map_or(Vec::new(), |text| text.lines().map(str::to_owned).collect())
    };
    let events = lines("ccfs_driver::call")
        .into_iter()
        .map(|line| line.split_once(' ').map_or(line.clone(), |(_, fields)| fields.to_owned()));
    events.chain(lines("(a span)").into_iter().filter(|line| line.contains("outcome="))).collect()
}

/// An emulator whose clock is two hours ahead of the clients', and clients that wait on a manual clock.
fn clients() -> (Emulator, Client, AsyncClient) {
    let ahead = ManualClock::at(ManualClock::default().wall().plus_millis(2 * 3600 * 1000));
    let emulator = Emulator::builder()
        .plain()
        .clock(move || ahead.wall())
        .freshness(Freshness::default())
        .lockout(None)
        .start()
        .unwrap();
    let config = || config(&emulator).clock(ManualClock::default());
    let blocking = Client::new(config()).unwrap();
    let asynchronous = AsyncClient::new(config()).unwrap();
    (emulator, blocking, asynchronous)
}

#[test]
fn a_call_logs_its_attempts_waits_and_end() {
    let runtime = runtime();
    let expected = [
        "interface=\"queryAgentSkillInfoData\"",
        "message=sending request attempt=1",
        "message=received response head status=503",
        "message=waiting before the next attempt millis=7000",
        "message=sending request attempt=2",
        "message=received response head status=401",
        "message=signing with a corrected clock millis=",
        "message=sending request attempt=3",
        "message=received response head status=200",
        "message=call ended attempts=3 bytes=",
        " outcome=\"done\"",
    ];
    for is_async in [false, true] {
        let (emulator, blocking, asynchronous) = clients();
        emulator.faults().add(Fault::Busy(7).times(1));
        let lines = told(|| {
            if is_async {
                runtime.block_on(asynchronous.call(query())).unwrap()
            } else {
                blocking.call(query()).unwrap()
            };
        });
        let so = lines.len() >= expected.len()
            && lines.iter().zip(expected).all(|(line, expected)| line.contains(expected.trim()));
        assert!(so, "{lines:#?}");
    }
}

#[test]
fn errors_are_logged_by_kind_and_a_dropped_future_as_given_up() {
    let (emulator, blocking, asynchronous) = clients();
    let download = || DownloadAgentSkillInfoFile::new(file_name());
    let end_of = |lines: &[String]| {
        lines.iter().find(|line| line.contains("message=call ended")).unwrap().clone()
    };
    emulator.faults().add(Fault::MissingFile.times(1));
    assert!(
        end_of(&told(|| drop(
            blocking.download(download()).to_writer(std::io::sink()).unwrap_err()
        )))
        .contains("outcome=\"result_code\"")
    );
    emulator.faults().add(Fault::Locked.times(1));
    assert!(
        end_of(&told(|| drop(
            blocking.download(download()).to_writer(std::io::sink()).unwrap_err()
        )))
        .contains("outcome=\"forbidden\"")
    );

    let runtime = runtime();
    emulator.faults().add(Fault::Silent);
    let lines = told(|| {
        runtime.block_on(async {
            let call = asynchronous.call(query());
            let arrived = async {
                while emulator.received().iter().all(|request| request.fault != Some(Fault::Silent)) {
                    tokio::time::sleep(Duration::from_millis(1)).await;
                }
            };
            let arrived = tokio::time::timeout(TEST_TIMEOUT, arrived);
            tokio::select! { result = call => panic!("{result:?}"), arrived = arrived => arrived.expect("the request arrives") }
        });
    });
    assert!(lines.iter().any(|line| line.ends_with("message=call cancelled")), "{lines:#?}");
}
