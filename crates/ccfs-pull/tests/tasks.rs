//! Tasks that other processes run.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};
use std::{fs, io};

use crate::support::{Bench, Driver, FETCH, files, pace, plan, plan_of, run_elsewhere};
use ccfs_emulator::Fault;
use ccfs_pull::{FetchReport, FetchTask, Format, Plan, Pull, PullError, PullSummary};

type BoxError = Box<dyn std::error::Error + Send + Sync>;

fn dataset() -> Plan {
    plan_of("2023-04-01", "2023-04-03").convert(Format::Parquet)
}

/// Pulls with a function that runs tasks.
fn pull(
    bench: &Bench,
    plan: Plan,
    fetch: impl Fn(&FetchTask, &dyn Fn() -> bool) -> Result<FetchReport, BoxError> + Sync,
) -> Result<PullSummary, PullError> {
    let pull = Pull::new(plan, bench.path()).pace(pace(2)).clock(bench.clock.clone());
    pull.run_with(&bench.client(), fetch)
}

/// Returns the files of a pull without tasks.
fn plain(plan: Plan) -> BTreeMap<String, Vec<u8>> {
    let bench = Bench::new();
    Driver::Blocking.pull(&bench, plan, 1).unwrap();
    files(&bench.path())
}

/// The unfinished files of the pull in its folder.
fn unfinished(folder: &Path) -> usize {
    let names = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name());
    names.filter(|name| name.to_string_lossy().ends_with(".part")).count()
}

fn wait_until(is_so: impl Fn() -> bool) {
    let until = Instant::now() + Duration::from_secs(60);
    while !is_so() {
        assert!(Instant::now() < until);
        thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn a_task_may_run_twice_at_once() {
    let bench = Bench::new();
    bench.emulator.faults().add(Fault::Slow(Duration::from_millis(20)).at(FETCH));
    let summary = pull(&bench, dataset(), |task, _| {
        let (first, second) = thread::scope(|scope| {
            let run = || run_elsewhere(task, &bench.client());
            let runs = (scope.spawn(run), scope.spawn(run));
            (runs.0.join().unwrap(), runs.1.join().unwrap())
        });
        assert_eq!(first, second);
        // And once more, over the files in place.
        assert_eq!(run_elsewhere(task, &bench.client()), first);
        Ok(second)
    });
    assert_eq!(summary.unwrap().rows(), 120);
    assert_eq!(files(&bench.path()), plain(dataset()));
    assert_eq!((bench.questions().len(), bench.requests(crate::support::ASK)), (3, 3));
    assert_eq!(bench.requests(FETCH), 9);
    ccfs_pull::verify(&bench.path(), |file| assert!(file.fault.is_none(), "{file:?}")).unwrap();
}

#[test]
fn tasks_contain_no_secret() {
    let bench = Bench::new();
    let texts = Mutex::new(Vec::new());
    pull(&bench, plan(), |task, _| {
        texts.lock().unwrap().push(serde_json::to_string(task)? + &format!("{task:?}"));
        Ok(run_elsewhere(task, &bench.client()))
    })
    .unwrap();
    let (credentials, texts) = (bench.emulator.credentials(), texts.into_inner().unwrap().join(""));
    assert!(texts.contains(credentials.access_key().as_str()));
    assert!(!texts.contains(bench.emulator.secret_key()), "{texts}");
}

/// A task that runs late does nothing: the pull ended, or has not its folder or its server.
#[test]
fn a_task_that_does_not_fit_fails() {
    let bench = Bench::new();
    let kept = Mutex::new(None);
    pull(&bench, plan_of("2023-04-01", "2023-04-01"), |task, _| {
        *kept.lock().unwrap() = Some(task.clone());
        Ok(task.run(&bench.client()))
    })
    .unwrap();
    let (task, before) = (kept.into_inner().unwrap().unwrap(), files(&bench.path()));
    let report = task.run(&bench.client());
    let failure = report.failure().unwrap();
    assert_eq!((failure.trouble, failure.code.as_str()), (None, "task"));
    assert!(failure.message.starts_with("the pull has ended, or "), "{failure}");

    for (change, message) in
        [("wrong key", "another access key"), ("endpoint", "the same endpoint")]
    {
        let other = Bench::new();
        let credentials = ccfs_proto::Credentials::from_text("other", "secret".into()).unwrap();
        let session = if change == "endpoint" { other.session() } else { bench.session() };
        let client = if change == "endpoint" {
            ccfs_ureq::Client::new(session).unwrap()
        } else {
            let endpoint = bench.emulator.endpoint().clone();
            ccfs_ureq::Client::new(ccfs_driver::Config::new(endpoint, credentials)).unwrap()
        };
        let error =
            pull(&bench, plan_of("2023-04-02", "2023-04-02"), |task, _| Ok(task.run(&client)));
        let error = error.unwrap_err();
        assert!(matches!(error, PullError::Task { .. }), "{error:?}");
        assert!(error.to_string().contains(message), "{error}");
        assert_eq!(other.requests(FETCH), 0);
    }
    assert_eq!(files(&bench.path()), before);
}

/// The server was asked, so the next pull only fetches.
#[test]
fn a_function_that_fails_ends_the_pull() {
    let bench = Bench::new();
    let error = pull(&bench, plan(), |_, _| Err("the pool is broken".into())).unwrap_err();
    assert!(matches!(error, PullError::NoReport { .. }), "{error:?}");
    let text = error.to_string();
    assert!(text.contains("the pool is broken; the next pull continues from here"), "{text}");
    assert_eq!(files(&bench.path()), BTreeMap::new());
    let asked = bench.questions();
    pull(&bench, plan(), |task, _| Ok(task.run(&bench.client()))).unwrap();
    assert_eq!(files(&bench.path()), plain(plan()));
    let again: Vec<_> = bench
        .questions()
        .into_iter()
        .filter(|(window, count)| asked.contains_key(window) && *count > 1)
        .collect();
    assert_eq!(again, []);
}

#[test]
fn tasks_stop_when_the_pull_does() {
    let bench = Bench::new();
    bench.emulator.faults().add(Fault::Slow(Duration::from_secs(1)).at(FETCH));
    let started = Instant::now();
    let is_running = AtomicBool::new(false);
    thread::scope(|scope| {
        let (bench, is_running, left) = (&bench, &is_running, Mutex::new(Vec::new()));
        let progress = |_: &ccfs_pull::PullProgress| {
            if is_running.load(Ordering::Relaxed) && unfinished(&bench.path()) > 1 {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            }
        };
        let pull = Pull::new(plan_of("2023-04-01", "2023-04-01"), bench.path())
            .clock(bench.clock.clone())
            .progress(progress);
        let error = pull.run_with(&bench.client(), |task, is_stopping| {
            let task = task.clone();
            // The pull does not wait for it.
            left.lock().unwrap().push(scope.spawn(move || task.run(&bench.client())));
            is_running.store(true, Ordering::Relaxed);
            wait_until(is_stopping);
            Err(io::Error::other("stopping").into())
        });
        assert!(matches!(error, Err(PullError::Stopped)), "{error:?}");
        for task in left.lock().unwrap().drain(..) {
            let report = task.join().unwrap();
            assert_eq!(report.failure().unwrap().code, "stopped");
        }
    });
    assert!(started.elapsed() < Duration::from_secs(7), "{:?}", started.elapsed());
    assert_eq!((unfinished(&bench.path()), files(&bench.path()).len()), (0, 0));
}

/// The process of a pull was killed, and a worker still runs its task while the next pull begins: that removes the
/// worker's unfinished file, but not those of its workers.
#[test]
fn a_task_of_a_killed_pull_changes_nothing() {
    let bench = Bench::new();
    bench.emulator.faults().add(Fault::Slow(Duration::from_secs(1)).at(FETCH).times(1));
    let expected = plain(dataset());
    thread::scope(|scope| {
        let (bench, former) = (&bench, Mutex::new(None));
        // The files that a killed process leaves: its marker, and what its worker writes.
        let error = pull(bench, dataset(), |task, _| {
            let mut task = serde_json::to_value(task)?;
            let marker = bench.path().join(".agentSkillInfo_tasks.killed.part");
            fs::write(&marker, "")?;
            task["marker"] = marker.to_str().unwrap().into();
            let task: FetchTask = serde_json::from_value(task)?;
            let mut former = former.lock().unwrap();
            if former.is_none() {
                let client = bench.client();
                *former = Some(scope.spawn(move || task.run(&client)));
                let is_downloading = || unfinished(&bench.path()) > 2;
                wait_until(is_downloading);
            }
            Err("killed".into())
        });
        assert!(matches!(error, Err(PullError::NoReport { .. })), "{error:?}");
        // Its own tasks see their files all the time.
        let summary = pull(bench, dataset(), |task, _| {
            let report = run_elsewhere(task, &bench.client());
            assert_eq!(report.failure(), None);
            Ok(report)
        });
        assert_eq!(summary.unwrap().failed().count(), 0);
        let report = former.into_inner().unwrap().unwrap().join().unwrap();
        assert!(report.failure().is_some(), "{report:?}");
    });
    assert_eq!(files(&bench.path()), expected);
    assert_eq!(bench.requests(crate::support::ASK), 3);
}
