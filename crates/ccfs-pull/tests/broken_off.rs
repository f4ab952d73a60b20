//! Pulls that are stopped, dropped, cut off or called at the wrong time: the files are the same, and no window is requested twice.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::channel;
use std::time::Duration;

use crate::support::{Bench, DRIVERS, Driver, FETCH, files, pace, plan, questions, runtime};
use ccfs_driver::{Clock, Config};
use ccfs_emulator::Emulator;
use ccfs_proto::callback::Callback;
use ccfs_proto::{IndexFileName, ResponseId};
use ccfs_pull::{Pace, Pull, PullError};
use ccfs_tests::{HeldPort, wait_until};

type Files = BTreeMap<String, Vec<u8>>;

fn undisturbed() -> Files {
    let bench = Bench::new();
    Driver::Blocking.pull(&bench, plan(), 1).unwrap();
    files(&bench.path())
}

/// Stopped in good order, also again and again, it asks for each window exactly once: the answers to what is under way are waited for.
#[test]
fn a_stopped_pull_goes_on() {
    let expected = undisturbed();
    for driver in DRIVERS {
        for stop_at in 1..12 {
            let bench = Bench::new();
            let mut stops = 0;
            loop {
                let mut calls = 0;
                let result = driver.watched(&bench, plan(), pace(2), None, |_| {
                    calls += 1;
                    if calls < stop_at + stops {
                        ControlFlow::Continue(())
                    } else {
                        ControlFlow::Break(())
                    }
                });
                match result {
                    Ok(summary) => break assert_eq!(summary.rows(), 160),
                    Err(PullError::Stopped) => stops += 1,
                    Err(other) => panic!("{other}"),
                }
            }
            assert!(stops > 0);
            assert!(files(&bench.path()) == expected, "{driver:?}, stopped {stops} times");
            assert!(
                bench.questions().values().all(|times| *times == 1),
                "{driver:?}: {:?}",
                bench.questions()
            );
        }
    }
}

/// An async pull that is dropped at any step leaves what a killed one leaves.
#[test]
fn a_pull_continues_after_a_dropped_future() {
    let expected = undisturbed();
    for drop_at in 1..16 {
        let bench = Bench::new();
        let client = bench.async_client();
        runtime().block_on(async {
            let dropped = tokio::sync::Notify::new();
            let mut steps = 0;
            let progress = |_: &_| {
                steps += 1;
                if steps == drop_at {
                    dropped.notify_one();
                }
                ControlFlow::Continue(())
            };
            let pull = Pull::new(plan(), bench.path())
                .pace(pace(2))
                .clock(bench.clock.clone())
                .progress(progress);
            tokio::select! {
                biased;
                () = dropped.notified() => {}
                result = pull.run_async(&client) => assert!(result.is_ok()),
            }
        });
        let known =
            std::fs::read_to_string(bench.path().join("ccfs-pull.journal")).unwrap_or_default();
        let known: BTreeSet<String> = known
            .lines()
            .filter(|line| line.contains("\"asked\""))
            .map(|line| line[27..58].to_owned())
            .collect();
        let before = bench.questions().len();
        let summary = Driver::Async.pull(&bench, plan(), 2).unwrap();
        assert_eq!(summary.rows(), 160);
        assert!(files(&bench.path()) == expected, "dropped at step {drop_at}");
        // All that was not written down, and no more.
        assert_eq!(
            summary.asked,
            4 - known.len() as u64,
            "dropped at step {drop_at}, {before} asked before: {known:?}"
        );
    }
}

/// A server that goes away in the middle and comes back, with its jobs or without.
#[test]
fn a_server_that_starts_again_is_waited_for() {
    let expected = undisturbed();
    for driver in DRIVERS {
        for keeps_jobs in [true, false] {
            // The folder and the clock are those of the bench; the server and its replacement are started here.
            let bench = Bench::new();
            let port = HeldPort::to_listen_on();
            let builder =
                || bench.another().ready_after(Duration::from_secs(600)).bind(port.address());
            let former = builder().start().unwrap();
            let (address, credentials) = (former.endpoint().clone(), former.credentials());
            let successor = builder();
            let (clock, former) = (bench.clock.clone(), Mutex::new(Some(former)));
            let mut asked = BTreeMap::new();
            let (mut successor, mut down, mut second) = (Some(successor), 0, None::<Emulator>);
            let progress = |_: &ccfs_pull::PullProgress| {
                let mut former = former.lock().unwrap();
                let journal = || {
                    std::fs::read_to_string(bench.path().join("ccfs-pull.journal"))
                        .unwrap_or_default()
                };
                // Three answers are recorded, so none is lost.
                if former.is_some()
                    && journal().lines().filter(|line| line.contains("\"asked\"")).count() == 3
                {
                    let server = former.take().unwrap();
                    asked = questions(&server);
                    successor = successor.take().map(|builder| builder.jobs_of(&server));
                    if !keeps_jobs {
                        // And gives no id again, which could be that of a lost job.
                        server.lose_jobs();
                    }
                    server.shutdown();
                } else if !asked.is_empty() && second.is_none() {
                    down += 1;
                    if down == 20 {
                        second = Some(successor.take().unwrap().start().unwrap());
                    }
                }
                ControlFlow::Continue(())
            };
            let session = Config::new(address, credentials)
                .proxy(None)
                .policy(crate::support::policy())
                .clock(clock.clone());
            let pull = Pull::new(plan(), bench.path())
                .pace(pace(3))
                .clock(clock.clone())
                .progress(progress);
            let summary = driver.run(pull, session);
            let summary = summary.unwrap();
            assert_eq!((summary.rows(), summary.failed().count()), (160, 0), "{driver:?}");
            assert!(files(&bench.path()) == expected, "{driver:?}");
            let again: usize = questions(second.as_ref().unwrap())
                .keys()
                .filter(|window| asked.contains_key(*window))
                .count();
            assert_eq!(
                again,
                if keeps_jobs { 0 } else { 3 },
                "{driver:?}: what the server still has is not asked for again"
            );
        }
    }
}

/// Otherwise the panic would wait for them.
#[test]
fn a_panic_of_the_caller_stops_what_is_under_way() {
    let bench = Bench::new();
    let (is_running, was_stopped) = (AtomicBool::new(false), AtomicBool::new(false));
    let client = ccfs_ureq::Client::new(bench.session()).unwrap();
    let pull =
        Pull::new(plan(), bench.path()).pace(pace(2)).clock(bench.clock.clone()).progress(|_| {
            assert!(!is_running.load(Ordering::SeqCst), "the caller's panic");
            ControlFlow::Continue(())
        });
    let pulled = catch_unwind(AssertUnwindSafe(|| {
        pull.run_with(&client, |_, is_stopped| {
            is_running.store(true, Ordering::SeqCst);
            wait_until("the stop", is_stopped);
            was_stopped.store(true, Ordering::SeqCst);
            Err("stopped".into())
        })
    }));
    let panic = *pulled.unwrap_err().downcast::<&str>().unwrap();
    assert_eq!((panic, was_stopped.into_inner()), ("the caller's panic", true));
}

/// Callbacks that are early, late, repeated, or of an unknown job.
#[test]
fn callbacks_say_when_to_look() {
    let expected = undisturbed();
    for driver in DRIVERS {
        let bench = Bench::with(|builder| builder.ready_after(Duration::from_secs(120)));
        let (speaker, line) = channel();
        let speak = |callback| speaker.send(callback).unwrap_or_default();
        let mut told = BTreeSet::new();
        let (emulator, clock) = (&bench.emulator, &bench.clock);
        let started = clock.now().wall;
        let stranger: ResponseId = "f".repeat(32).parse().unwrap();
        let stranger = Callback::new(
            stranger,
            IndexFileName::new("2023-04-20".parse().unwrap(), stranger),
            None,
        );
        let progress = |_: &_| {
            if clock.now().wall.millis_since(started) >= 180_000 {
                for name in emulator.files() {
                    let callback = Callback::new(name.response_id().unwrap(), name.clone(), None);
                    if told.insert(name) {
                        speak(stranger.clone());
                        speak(callback.clone());
                    }
                    // And again at every step, long after the file was had.
                    speak(callback);
                }
            }
            ControlFlow::Continue(())
        };
        let summary = driver.watched(&bench, plan(), pace(4), Some(line), progress).unwrap();
        assert_eq!((summary.rows(), summary.asked), (160, 4), "{driver:?}");
        assert_eq!(
            bench.requests(FETCH),
            4,
            "{driver:?}: each file is looked for once, when it is there"
        );
        assert!(files(&bench.path()) == expected, "{driver:?}");
        assert!(bench.clock.now().wall.millis_since(started) < 600_000);
    }
}

#[test]
fn callbacks_that_never_come_cost_time_and_nothing_else() {
    let expected = undisturbed();
    for driver in DRIVERS {
        let bench = Bench::new();
        let (_speaker, line) = channel();
        let started = bench.clock.now().wall;
        let summary = driver
            .watched(&bench, plan(), pace(4), Some(line), |_| ControlFlow::Continue(()))
            .unwrap();
        assert_eq!(
            (summary.rows(), summary.asked, bench.requests(FETCH)),
            (160, 4, 4),
            "{driver:?}"
        );
        assert!(files(&bench.path()) == expected, "{driver:?}");
        let waited = Duration::from_millis(
            u64::try_from(bench.clock.now().wall.millis_since(started)).unwrap(),
        );
        assert!(
            (Pace::CALLBACK_TIMEOUT..2 * Pace::CALLBACK_TIMEOUT).contains(&waited),
            "{waited:?}"
        );
    }
}

/// A key that is not accepted, another's file: the first such answer ends the pull, and the next one goes on.
#[test]
fn what_no_other_call_would_survive_ends_the_pull() {
    use ccfs_emulator::Fault;
    use ccfs_proto::ResultCode;
    for driver in DRIVERS {
        for fault in [
            Fault::Unauthorized.at(crate::support::ASK),
            Fault::Locked.at(FETCH),
            Fault::ErrorUnder200(ResultCode::OtherDevelopersRecord).at(crate::support::ASK),
            Fault::ErrorUnder200(ResultCode::OtherDevelopersRecord).at(FETCH),
            Fault::Html(404).at(FETCH),
        ] {
            let bench = Bench::new();
            bench.emulator.faults().add(fault.clone());
            let error = driver.pull(&bench, plan(), 1).unwrap_err();
            assert!(
                matches!(error, PullError::Call { .. } | PullError::Task { .. }),
                "{fault}: {error}"
            );
            let struck =
                bench.emulator.received().iter().filter(|request| request.fault.is_some()).count();
            assert_eq!(struck, 1, "{fault}: nothing follows");
            bench.emulator.faults().clear();
            assert_eq!(driver.pull(&bench, plan(), 1).unwrap().rows(), 160, "{fault}");
        }
    }
}
