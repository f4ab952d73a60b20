//! Pulls into a bucket: whatever goes wrong, the next pull leaves what an undisturbed one leaves.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock, Mutex};

use crate::support::{ASK, Bench, Driver, files, pace, plan_of};
use ccfs_driver::Clock;
use ccfs_emulator::Fault;
use ccfs_proto::ResultCode;
use ccfs_pull::{
    Bucket, BucketConfig, Format, Plan, Pull, PullError, PullEvent, PullSummary, verify_bucket,
};
use ccfs_tests::{S3, StoreFault, StoreRequest};
use http::Method;
use proptest::prelude::*;

const PREFIX: &str = "s3://lake/nightly/skills";

struct Lake {
    bench: Bench,
    store: S3,
}

impl Lake {
    fn new() -> Self {
        Self { bench: Bench::new(), store: S3::start() }
    }

    fn bucket(&self, part_bytes: usize) -> Bucket {
        let config = BucketConfig::new()
            .endpoint(self.store.endpoint())
            .credentials("id", "secret", None)
            .part_bytes(part_bytes);
        Bucket::new(PREFIX, &config).unwrap()
    }

    fn try_pull(
        &self,
        driver: Driver,
        plan: Plan,
    ) -> (Result<PullSummary, PullError>, Vec<PullEvent>) {
        self.pull_from(driver, plan, "state", 8 << 20)
    }

    fn pull_from(
        &self,
        driver: Driver,
        plan: Plan,
        folder: &str,
        part_bytes: usize,
    ) -> (Result<PullSummary, PullError>, Vec<PullEvent>) {
        let mut events = Vec::new();
        let pull = Pull::new(plan, self.bench.path().join(folder)).bucket(self.bucket(part_bytes));
        let pull = pull.pace(pace(2)).clock(self.bench.clock.clone());
        let pull = pull.on_event(|event| events.push(event.clone()));
        let summary = match driver {
            Driver::Blocking | Driver::Tasks => pull.run(&self.bench.client()),
            Driver::Async => {
                crate::support::runtime().block_on(pull.run_async(&self.bench.async_client()))
            }
        };
        (summary, events)
    }

    fn pull(&self, driver: Driver, plan: Plan) -> PullSummary {
        let summary = self.try_pull(driver, plan).0.unwrap();
        assert_eq!(summary.failed().count(), 0, "{:?}", summary.failed().collect::<Vec<_>>());
        summary
    }

    /// The objects with data: without receipts, and without the prefix.
    fn data(&self) -> BTreeMap<String, Vec<u8>> {
        let objects = self.store.objects().into_iter();
        let named = objects.map(|(key, content)| {
            (key.strip_prefix("nightly/skills/").unwrap().to_owned(), content.to_vec())
        });
        named.filter(|(key, _)| !key.starts_with("_ccfs/")).collect()
    }

    fn receipts(&self) -> BTreeSet<String> {
        let keys = self.store.objects().into_keys();
        keys.filter(|key| key.contains("/_ccfs/agent")).collect()
    }

    fn faults(&self) -> Vec<String> {
        let mut faults = Vec::new();
        verify_bucket(&self.bench.path().join("state"), self.bucket(8 << 20), |file| {
            let path = file.path.strip_prefix(PREFIX).unwrap().display().to_string();
            faults.extend(file.fault.map(|fault| format!("{path} {fault}")));
        })
        .unwrap();
        faults
    }

    /// Whether the folder of the journal has no data any more.
    fn assert_no_spool(&self) {
        let left = files(&self.bench.path().join("state"));
        assert!(left.is_empty(), "{:?}", left.keys());
    }
}

fn three_days() -> Plan {
    plan_of("2023-04-01", "2023-04-03")
}

fn dataset() -> Plan {
    three_days().convert(Format::Parquet).keep_zip(false)
}

/// What an undisturbed pull leaves on disk.
fn on_disk(plan: Plan) -> BTreeMap<String, Vec<u8>> {
    let bench = Bench::new();
    Driver::Blocking.pull(&bench, plan, 2).unwrap();
    files(&bench.path())
}

static DATASET: LazyLock<BTreeMap<String, Vec<u8>>> = LazyLock::new(|| on_disk(dataset()));

fn is_receipt(request: &StoreRequest) -> bool {
    request.method == Method::PUT && request.key.contains("/_ccfs/agent")
}

fn is_data(request: &StoreRequest) -> bool {
    request.method == Method::PUT && request.key.contains("/day=")
}

#[test]
fn a_bucket_has_what_a_folder_would_have() {
    for driver in [Driver::Blocking, Driver::Async] {
        for plan in [three_days(), dataset(), dataset().keep_zip(true).convert(Format::Csv)] {
            let expected = on_disk(plan.clone());
            let lake = Lake::new();
            let (summary, events) = lake.try_pull(driver, plan.clone());
            let summary = summary.unwrap();
            assert!(events.contains(&PullEvent::ConditionalWrites(true)));
            assert!(summary.windows.iter().all(|report| !report.files.is_empty()));
            assert!(lake.data() == expected, "{:?} {:?}", lake.data().keys(), expected.keys());
            assert_eq!(lake.receipts().len(), summary.windows.len());
            assert_eq!(lake.faults(), Vec::<String>::new());
            lake.assert_no_spool();
            // Nothing is requested or stored twice.
            let (before, requests) = (lake.store.objects(), lake.bench.emulator.received().len());
            let again = lake.pull(driver, plan);
            assert_eq!((again.asked, again.rows()), (0, summary.rows()));
            assert!(again.windows.iter().all(|report| !report.is_changed()));
            assert_eq!(lake.bench.emulator.received().len(), requests);
            assert!(lake.store.objects() == before);
        }
    }
}

/// The process ends at any request to the store: before it is obeyed, or before its answer.
#[test]
fn a_pull_that_is_cut_at_any_request_is_completed_by_the_next() {
    let undisturbed = Lake::new();
    undisturbed.pull(Driver::Blocking, dataset());
    for fault in [StoreFault::Cut, StoreFault::LostAnswer] {
        for at in 0..undisturbed.store.requests() {
            let lake = Lake::new();
            // A token that has expired ends the pull, so every later request fails like that.
            lake.store.hook(move |request| match request.number {
                number if number == at => fault,
                number if number > at => StoreFault::Expired,
                _ => StoreFault::None,
            });
            let driver = if at % 2 == 0 { Driver::Blocking } else { Driver::Async };
            let first = lake.try_pull(driver, dataset()).0;
            let asked = lake.bench.questions().len();
            lake.store.unhook();
            let summary = lake.pull(driver, dataset());
            assert_eq!(summary.rows(), 120, "{at} {fault:?} {first:?}");
            assert!(lake.data() == *DATASET, "{at} {fault:?} {:?}", lake.data().keys());
            assert_eq!(lake.receipts().len(), 3);
            assert_eq!(lake.faults(), Vec::<String>::new(), "{at} {fault:?}");
            assert!(lake.bench.questions().values().all(|times| *times == 1), "{asked}");
            lake.assert_no_spool();
        }
    }
}

fn fault() -> impl Strategy<Value = StoreFault> {
    prop::sample::select(vec![
        StoreFault::Cut,
        StoreFault::LostAnswer,
        StoreFault::Unavailable,
        StoreFault::Expired,
        StoreFault::Conflict,
        StoreFault::ConditionUnsupported,
    ])
}

/// The faults of a run, by the number of the request.
fn run() -> impl Strategy<Value = BTreeMap<usize, StoreFault>> {
    prop::collection::btree_map(0..40_usize, fault(), 0..5)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    /// Runs with any faults, by either driver and with other options, and then one without.
    #[test]
    fn after_any_faults_the_bucket_is_complete(
        runs in prop::collection::vec((run(), any::<bool>(), any::<bool>()), 0..3),
    ) {
        let lake = Lake::new();
        for (faults, is_async, keeps_zip) in runs {
            let first = lake.store.requests();
            lake.store.hook(move |request| {
                faults.get(&(request.number - first)).copied().unwrap_or(StoreFault::None)
            });
            let driver = if is_async { Driver::Async } else { Driver::Blocking };
            let _ = lake.try_pull(driver, dataset().keep_zip(keeps_zip));
        }
        lake.store.unhook();
        lake.pull(Driver::Blocking, dataset());
        prop_assert!(lake.data() == *DATASET, "{:?}", lake.data().keys());
        prop_assert_eq!(lake.receipts().len(), 3);
        prop_assert_eq!(lake.faults(), Vec::<String>::new());
        prop_assert_eq!(lake.store.uploads(), 0);
        prop_assert!(lake.bench.questions().values().all(|times| *times == 1));
        lake.assert_no_spool();
    }
}

/// Faults that pass are not noticed.
#[test]
fn a_store_that_fails_for_a_moment_is_asked_again() {
    for fault in
        [StoreFault::Slow, StoreFault::Unavailable, StoreFault::LostAnswer, StoreFault::Conflict]
    {
        let lake = Lake::new();
        let count = AtomicUsize::new(0);
        lake.store.hook(move |request| {
            let hits = if fault == StoreFault::Conflict { is_receipt(request) } else { true };
            let is_third = hits && count.fetch_add(1, Ordering::SeqCst) % 3 == 1;
            if is_third { fault } else { StoreFault::None }
        });
        lake.pull(Driver::Blocking, dataset());
        lake.store.unhook();
        assert!(lake.data() == *DATASET, "{fault:?}");
        assert_eq!(lake.faults(), Vec::<String>::new());
    }
}

#[test]
fn a_listing_without_end_stops_the_pull() {
    let lake = Lake::new();
    lake.store.hook(|_| StoreFault::EmptyPage);
    let error = lake.try_pull(Driver::Blocking, dataset()).0.unwrap_err();
    assert!(error.to_string().contains("more than 5000 pages, which is the limit"), "{error}");
    // A page without objects is not the end.
    let has_one = |request: &StoreRequest| request.number.is_multiple_of(2);
    lake.store.hook(move |it| if has_one(it) { StoreFault::EmptyPage } else { StoreFault::None });
    assert_eq!(lake.pull(Driver::Blocking, dataset()).windows.len(), 3);
}

#[test]
fn a_store_without_conditions_is_reported_and_used() {
    for fault in [StoreFault::ConditionIgnored, StoreFault::ConditionUnsupported] {
        let lake = Lake::new();
        lake.store.hook(move |_| fault);
        let (summary, events) = lake.try_pull(Driver::Async, dataset());
        assert_eq!(summary.unwrap().rows(), 120);
        assert!(events.contains(&PullEvent::ConditionalWrites(false)), "{fault:?}");
        assert!(lake.data() == *DATASET);
        assert_eq!(lake.faults(), Vec::<String>::new());
    }
}

#[test]
fn credentials_that_expire_and_a_wrong_clock_stop_the_pull_with_the_reason() {
    for (fault, words) in [
        (StoreFault::Expired, "the credentials have expired; renew them"),
        (StoreFault::Skewed, "set the clock (403 RequestTimeTooSkewed)"),
    ] {
        let lake = Lake::new();
        lake.store.hook(move |request| if is_data(request) { fault } else { StoreFault::None });
        let error = lake.try_pull(Driver::Blocking, dataset()).0.unwrap_err().to_string();
        assert!(error.contains(words) && !error.contains("the text of the store"), "{error}");
        lake.store.unhook();
        assert_eq!(lake.pull(Driver::Blocking, dataset()).rows(), 120);
        assert!(lake.bench.questions().values().all(|times| *times == 1));
    }
}

/// Large files are stored in parts, and incomplete uploads are aborted.
#[test]
fn uploads_in_parts_are_completed_or_aborted() {
    let parts = |lake: &Lake| lake.pull_from(Driver::Blocking, dataset(), "state", 1000).0;
    let lake = Lake::new();
    parts(&lake).unwrap();
    assert!(lake.data() == *DATASET);
    assert_eq!((lake.store.uploads(), lake.faults().len()), (0, 0));

    let is_upload = |request: &StoreRequest| request.query.contains("uploadId=");
    for (fault, is_aborted) in [(StoreFault::Expired, true), (StoreFault::Expired, false)] {
        let lake = Lake::new();
        lake.store.hook(move |request| {
            let is_part = is_upload(request) && request.query.contains("partNumber=2");
            let is_abort = request.method == Method::DELETE && !is_aborted;
            if is_part || is_abort { fault } else { StoreFault::None }
        });
        parts(&lake).unwrap_err();
        assert_eq!(lake.store.uploads() == 0, is_aborted);
        lake.store.unhook();
        parts(&lake).unwrap();
        assert_eq!(lake.store.uploads(), 0);
        assert!(lake.data() == *DATASET);
        lake.assert_no_spool();
    }
}

/// Two pulls with their own journals, at the same time or one after the other.
#[test]
fn two_pulls_of_one_prefix_leave_one_dataset() {
    let lake = Lake::new();
    lake.pull(Driver::Blocking, dataset());
    let before = lake.store.objects();
    let second = lake.pull_from(Driver::Blocking, dataset(), "other", 8 << 20).0.unwrap();
    // The second learns from the receipts.
    assert_eq!((second.asked, second.rows(), second.windows.len()), (0, 120, 3));
    assert!(lake.store.objects() == before);

    for _ in 0..4 {
        let lake = Lake::new();
        std::thread::scope(|scope| {
            for folder in ["state", "other"] {
                let lake = &lake;
                scope.spawn(move || {
                    let pull = lake.pull_from(Driver::Blocking, dataset(), folder, 8 << 20);
                    assert_eq!(pull.0.unwrap().rows(), 120);
                });
            }
        });
        assert_eq!(lake.data().len(), 3);
        assert_eq!(lake.receipts().len(), 3);
        assert_eq!(lake.faults(), Vec::<String>::new());
        assert_eq!(lake.pull(Driver::Blocking, dataset()).asked, 0);
    }
}

#[test]
fn a_lost_journal_is_rebuilt_from_the_receipts() {
    for driver in [Driver::Blocking, Driver::Async] {
        let lake = Lake::new();
        lake.pull(driver, dataset());
        let before = lake.store.objects();
        std::fs::remove_dir_all(lake.bench.path().join("state")).unwrap();
        let summary = lake.pull(driver, dataset());
        assert_eq!((summary.asked, summary.resumed, summary.rows()), (0, 3, 120));
        assert!(lake.store.objects() == before);
        assert_eq!(lake.faults(), Vec::<String>::new());
        // What another pull may not use.
        std::fs::remove_dir_all(lake.bench.path().join("state")).unwrap();
        let error = lake.try_pull(driver, dataset().account_id("7")).0.unwrap_err().to_string();
        assert!(error.contains("another tenant space: none, now 7"), "{error}");
    }
}

/// `--verify` reports what does not fit, and `--again` repairs it.
#[test]
fn damage_is_reported_and_repaired() {
    let lake = Lake::new();
    lake.pull(Driver::Blocking, dataset());
    let expected = lake.data();
    let day = "20230402T000000_20230402T235959";
    let data = format!("agent_skill_info/day=2023-04-02/{day}.parquet");
    let receipt = format!("_ccfs/agent_skill_info/{day}.json");
    let key = |name: &str| format!("nightly/skills/{name}");
    let cut = &expected[&data][..100];
    let other = vec![b'x'; expected[&data].len()];
    for (name, content, fault) in [
        (&data, Some(cut), "has 100 bytes, expected "),
        (&data, Some(&other[..]), "does not match the SHA-256"),
        (&data, None, "is missing"),
        (&receipt, Some(&b"{}"[..]), "it is not a receipt of version 1"),
        (&receipt, None, "is missing"),
    ] {
        lake.store.set(&key(name), content);
        let faults = lake.faults();
        assert!(faults.len() == 1 && faults[0].contains(fault), "{faults:?}");
        assert!(faults[0].starts_with(name.as_str()), "{faults:?}");
        let again = "2023-04-02".parse().unwrap();
        let summary = lake.pull(Driver::Blocking, dataset().again(again, again));
        assert_eq!(summary.asked, 1);
        assert_eq!(lake.faults(), Vec::<String>::new());
        assert_eq!(lake.data().len(), 3);
    }
    // A file that no pull stored.
    lake.store.set(&key("agent_skill_info/day=2023-04-02/copy.parquet"), Some(cut));
    assert_eq!(
        lake.faults(),
        ["agent_skill_info/day=2023-04-02/copy.parquet is not in the journal"]
    );
    let again = "2023-04-02".parse().unwrap();
    let error = lake.try_pull(Driver::Blocking, dataset().again(again, again)).0.unwrap_err();
    assert!(matches!(error, PullError::Foreign { .. }), "{error}");
}

#[test]
fn a_window_without_data_has_a_receipt() {
    let lake = Lake::new();
    let fault = || Fault::ErrorUnder200(ResultCode::NoData).at(ASK).times(3);
    lake.bench.emulator.faults().add(fault());
    let summary = lake.pull(Driver::Blocking, dataset());
    assert_eq!((summary.rows(), lake.data().len(), lake.receipts().len()), (0, 0, 3));
    std::fs::remove_dir_all(lake.bench.path().join("state")).unwrap();
    let summary = lake.pull(Driver::Blocking, dataset());
    assert_eq!((summary.asked, summary.resumed), (0, 3));
    lake.bench.clock.wait(std::time::Duration::from_secs(60));
    assert_eq!(lake.pull(Driver::Blocking, dataset().recheck_days(30)).rows(), 120);
    assert_eq!(lake.faults(), Vec::<String>::new());
}

/// A later pull with another format reads the ZIPs in the bucket.
#[test]
fn zips_in_the_bucket_are_converted_later() {
    for driver in [Driver::Blocking, Driver::Async] {
        let lake = Lake::new();
        lake.pull(driver, three_days().window_days(1));
        let requests = lake.bench.emulator.received().len();
        lake.pull(driver, dataset());
        assert_eq!(lake.bench.emulator.received().len(), requests);
        assert!(lake.data() == *DATASET);
        assert_eq!(lake.faults(), Vec::<String>::new());
        lake.assert_no_spool();
    }
}

/// The folder belongs to one bucket.
#[test]
fn another_bucket_is_refused() {
    let lake = Lake::new();
    lake.pull(Driver::Blocking, dataset());
    let pull = Pull::new(dataset(), lake.bench.path().join("state"));
    let error = pull.clock(lake.bench.clock.clone()).run(&lake.bench.client()).unwrap_err();
    assert!(
        error.to_string().contains("another bucket: s3://lake/nightly/skills at http://"),
        "{error}"
    );
    // The other bucket is not written.
    let config = BucketConfig::new().endpoint(lake.store.endpoint()).credentials("id", "s", None);
    let pull = Pull::new(dataset(), lake.bench.path().join("state"));
    let pull = pull.bucket(Bucket::new("s3://lake/elsewhere", &config).unwrap());
    let error = pull.clock(lake.bench.clock.clone()).run(&lake.bench.client()).unwrap_err();
    assert!(error.to_string().contains("another bucket"), "{error}");
    assert!(lake.store.objects().keys().all(|key| key.starts_with("nightly/")));
}

/// A store that does not answer does not delay the end of a pull that is stopped.
#[test]
fn a_pull_that_waits_for_a_receipt_or_a_zip_can_be_stopped() {
    for driver in [Driver::Blocking, Driver::Async] {
        for is_zip in [false, true] {
            let lake = Lake::new();
            let fault = if is_zip { StoreFault::None } else { StoreFault::Expired };
            lake.store.hook(move |request| if is_data(request) { fault } else { StoreFault::None });
            let plan = if is_zip { three_days().window_days(1) } else { dataset() };
            assert_eq!(lake.try_pull(driver, plan).0.is_ok(), is_zip);
            let reached = Arc::new(AtomicUsize::new(0));
            let counter = Arc::clone(&reached);
            lake.store.hook(move |request| {
                let end = if is_zip { ".zip" } else { ".json" };
                if request.method != Method::GET || !request.key.ends_with(end) {
                    return StoreFault::None;
                }
                counter.fetch_add(1, Ordering::SeqCst);
                StoreFault::Silent
            });
            let mut stopped = None;
            let pull = Pull::new(dataset(), lake.bench.path().join("state"));
            let pull = pull.bucket(lake.bucket(8 << 20)).clock(lake.bench.clock.clone());
            let pull = pull.progress(|_| {
                if reached.load(Ordering::SeqCst) == 0 {
                    return std::ops::ControlFlow::Continue(());
                }
                stopped.get_or_insert_with(std::time::Instant::now);
                std::ops::ControlFlow::Break(())
            });
            let error = match driver {
                Driver::Blocking | Driver::Tasks => pull.run(&lake.bench.client()),
                Driver::Async => {
                    crate::support::runtime().block_on(pull.run_async(&lake.bench.async_client()))
                }
            }
            .unwrap_err();
            assert!(matches!(error, PullError::Stopped), "{error}");
            assert!(stopped.unwrap().elapsed() < std::time::Duration::from_secs(5));
            lake.store.unhook();
            lake.pull(driver, dataset());
            assert!(lake.data() == *DATASET);
        }
    }
}

/// Each with files that differ, and with other options.
#[test]
fn two_pulls_that_request_windows_again_leave_files_and_receipts_that_fit() {
    let plans = [dataset(), dataset().keep_zip(true), dataset(), dataset().convert(Format::Csv)];
    for plans in plans.chunks(2).cycle().take(6) {
        let bench = Bench::with(|builder| builder.same_files(false));
        let lake = Lake { bench, store: S3::start() };
        lake.pull(Driver::Blocking, dataset());
        lake.pull_from(Driver::Blocking, dataset(), "other", 8 << 20).0.unwrap();
        let (from, to) = ("2023-04-01".parse().unwrap(), "2023-04-03".parse().unwrap());
        std::thread::scope(|scope| {
            for (folder, plan) in ["state", "other"].into_iter().zip(plans) {
                let (lake, plan) = (&lake, plan.clone().again(from, to));
                scope.spawn(move || {
                    let pull = lake.pull_from(Driver::Blocking, plan, folder, 8 << 20);
                    assert_eq!(pull.0.unwrap().rows(), 120);
                });
            }
        });
        assert_eq!(lake.faults(), Vec::<String>::new());
        let is_data = |key: &&String| key.ends_with(".parquet");
        assert_eq!(lake.data().keys().filter(is_data).count(), 3);
    }
}

/// Another pull converted a file later, and its journal alone has that.
#[test]
fn files_of_other_formats_do_not_stay_when_a_window_is_stored_again() {
    let lake = Lake::new();
    let plan = || dataset().keep_zip(true);
    lake.pull(Driver::Blocking, plan());
    let other = || three_days().window_days(1).convert(Format::Csv);
    lake.pull_from(Driver::Blocking, other(), "other", 8 << 20).0.unwrap();
    assert_eq!(lake.data().len(), 9);
    let again = "2023-04-02".parse().unwrap();
    lake.pull(Driver::Blocking, plan().again(again, again));
    assert_eq!(lake.data().len(), 8, "{:?}", lake.data().keys());
    assert_eq!(lake.faults(), Vec::<String>::new());
    lake.pull_from(Driver::Blocking, other(), "other", 8 << 20).0.unwrap();
    assert_eq!(lake.data().len(), 9);
    assert_eq!(lake.faults(), Vec::<String>::new());
}

/// What an earlier job left in the state folder is not the answer to a new request.
#[test]
fn requesting_again_drops_files_that_were_not_stored() {
    let lake = Lake::new();
    lake.store
        .hook(|request| if is_data(request) { StoreFault::Expired } else { StoreFault::None });
    lake.try_pull(Driver::Blocking, dataset()).0.unwrap_err();
    lake.store.unhook();
    lake.bench.emulator.faults().add(Fault::ErrorUnder200(ResultCode::NoData).at(ASK).times(3));
    let (from, to) = ("2023-04-01".parse().unwrap(), "2023-04-03".parse().unwrap());
    lake.pull(Driver::Blocking, dataset().again(from, to));
    lake.assert_no_spool();
    assert_eq!((lake.data().len(), lake.receipts().len()), (0, 3));
}

#[test]
fn debug_shows_the_address_and_no_key() {
    let shown = format!("{:?}", Lake::new().bucket(8 << 20));
    assert!(shown.contains(PREFIX) && !shown.contains("secret"), "{shown}");
}

/// A connection that breaks once, at any request, is not noticed.
#[test]
fn a_connection_that_breaks_once_does_not_end_the_pull() {
    for part_bytes in [8 << 20, 1000] {
        let undisturbed = Lake::new();
        undisturbed.pull_from(Driver::Blocking, dataset(), "state", part_bytes).0.unwrap();
        let requests = undisturbed.store.requests();
        // Each pull waits before it repeats the request; several wait at the same time.
        std::thread::scope(|scope| {
            for first in 0..4 {
                scope.spawn(move || {
                    (first..requests).step_by(4).for_each(|at| break_once(part_bytes, at));
                });
            }
        });
    }
}

/// Pulls over a connection that breaks at a request.
fn break_once(part_bytes: usize, at: usize) {
    let lake = Lake::new();
    let seen = Arc::new(Mutex::new(String::new()));
    let noted = Arc::clone(&seen);
    lake.store.hook(move |request| {
        if request.number != at {
            return StoreFault::None;
        }
        *noted.lock().unwrap() = format!("{} {} {}", request.method, request.key, request.query);
        StoreFault::Cut
    });
    let pulled = lake.pull_from(Driver::Blocking, dataset(), "state", part_bytes).0;
    assert!(pulled.is_ok(), "{at} {} {pulled:?}", seen.lock().unwrap());
    lake.store.unhook();
    assert!(lake.data() == *DATASET, "{at}");
    assert_eq!(lake.faults(), Vec::<String>::new());
}

/// Other files appear in the store with the first request that is so.
fn appear_at(
    lake: &Arc<Lake>,
    theirs: BTreeMap<String, Vec<u8>>,
    is_so: fn(&StoreRequest) -> bool,
) {
    let (weak, seen) = (Arc::downgrade(lake), AtomicUsize::new(0));
    lake.store.hook(move |request| {
        if is_so(request) && seen.fetch_add(1, Ordering::SeqCst) == 0 {
            let lake = weak.upgrade().unwrap();
            for (key, content) in &theirs {
                lake.store.set(key, Some(content));
            }
        }
        StoreFault::None
    });
}

/// Another pull stores a window after this one found that there is no receipt.
fn stored_meanwhile(lake: &Arc<Lake>, theirs: BTreeMap<String, Vec<u8>>) {
    appear_at(lake, theirs, is_receipt);
}

/// What a pull from a server with other records and jobs leaves.
fn of_another_job() -> BTreeMap<String, Vec<u8>> {
    let lake = Lake { bench: Bench::with(|builder| builder.rows(30)), store: S3::start() };
    lake.pull(Driver::Blocking, dataset());
    let objects = lake.store.objects().into_iter().filter(|(key, _)| !key.ends_with("probe"));
    let renamed = objects.map(|(key, bytes)| {
        if !key.contains("/_ccfs/") {
            return (key, bytes.to_vec());
        }
        let mut receipt: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
        receipt["job"] = "ffffffffffffffffffffffffffffffff".into();
        (key, receipt.to_string().into_bytes())
    });
    renamed.collect()
}

/// The window was stored after this pull listed the objects, and before it stored its own.
#[test]
fn files_of_another_pull_are_kept() {
    let (theirs, lake) = (of_another_job(), Arc::new(Lake::new()));
    appear_at(&lake, theirs.clone(), |request| {
        request.method == Method::GET && request.key.contains("/_ccfs/agent")
    });
    let summary = lake.pull(Driver::Blocking, dataset());
    assert_eq!(summary.rows(), 90);
    for report in &summary.windows {
        assert!(report.notes[0].contains("another pull stored"), "{:?}", report.notes);
        assert_eq!(report.files.len(), 1);
    }
    lake.store.unhook();
    assert!(
        lake.store
            .objects()
            .into_iter()
            .all(|(key, bytes)| { key.ends_with("probe") || theirs[&key] == bytes })
    );
    assert_eq!(lake.faults(), Vec::<String>::new());
    lake.assert_no_spool();
}

/// The receipt of another pull appears after our file replaced its own.
#[test]
fn a_receipt_is_always_that_of_the_files() {
    let lake = Arc::new(Lake::new());
    let receipts = of_another_job().into_iter().filter(|(key, _)| key.contains("/_ccfs/"));
    stored_meanwhile(&lake, receipts.collect());
    assert_eq!(lake.pull(Driver::Blocking, dataset()).rows(), 120);
    lake.store.unhook();
    assert!(lake.data() == *DATASET);
    assert_eq!(lake.faults(), Vec::<String>::new());
}

/// What a pull of this plan leaves.
fn left_by(plan: Plan) -> BTreeMap<String, Vec<u8>> {
    let lake = Lake::new();
    lake.pull(Driver::Blocking, plan);
    let objects = lake.store.objects().into_iter().map(|(key, bytes)| (key, bytes.to_vec()));
    objects.filter(|(key, _)| !key.ends_with("probe")).collect()
}

#[test]
fn no_data_does_not_replace_the_receipt_of_data() {
    let theirs = left_by(dataset());
    let lake = Arc::new(Lake::new());
    lake.bench.emulator.faults().add(Fault::ErrorUnder200(ResultCode::NoData).at(ASK).times(3));
    stored_meanwhile(&lake, theirs.clone());
    lake.pull(Driver::Blocking, dataset());
    lake.store.unhook();
    assert_eq!(lake.faults(), Vec::<String>::new());
    for (key, content) in theirs {
        assert!(lake.store.objects()[&key] == content, "{key}");
    }
}

#[test]
fn files_of_another_tenant_space_are_not_taken() {
    let theirs = left_by(three_days());
    let lake = Arc::new(Lake::new());
    stored_meanwhile(&lake, theirs);
    let error =
        lake.try_pull(Driver::Blocking, three_days().account_id("7")).0.unwrap_err().to_string();
    assert!(error.contains("another tenant space: none, now 7"), "{error}");
}

/// A window that was requested overlaps one that another pull stored since.
#[test]
fn requested_windows_of_another_length_are_not_stored_beside_those_of_the_receipts() {
    let lake = Lake::new();
    lake.store.hook(|request| {
        let is_zip = request.method == Method::PUT && request.key.contains("/agentSkillInfo_");
        if is_zip { StoreFault::Expired } else { StoreFault::None }
    });
    lake.try_pull(Driver::Blocking, three_days()).0.unwrap_err();
    lake.store.unhook();
    lake.pull_from(Driver::Blocking, dataset(), "other", 8 << 20).0.unwrap();
    let before = lake.store.objects();
    let error = lake.try_pull(Driver::Blocking, three_days()).0.unwrap_err();
    assert!(matches!(error, PullError::Foreign { .. }), "{error}");
    assert!(lake.store.objects() == before);
}

#[test]
fn a_conversion_without_a_receipt_is_not_reported_as_stored() {
    let lake = Lake::new();
    lake.pull(Driver::Blocking, three_days().window_days(1));
    let receipt = "nightly/skills/_ccfs/agent_skill_info/20230402T000000_20230402T235959.json";
    lake.store.set(receipt, None);
    let summary = lake.try_pull(Driver::Blocking, dataset()).0.unwrap();
    let failed: Vec<_> = summary.failed().collect();
    assert_eq!(failed.len(), 1);
    assert!(failed[0].1.contains("has no receipt; request the window again"), "{failed:?}");
    let again = "2023-04-02".parse().unwrap();
    lake.pull(Driver::Blocking, dataset().again(again, again));
    assert_eq!(lake.faults(), Vec::<String>::new());
    assert!(lake.data() == *DATASET, "{:?}", lake.data().keys());
}

/// Without a journal, a ZIP is missing unless converted files have its rows.
#[test]
fn a_missing_zip_is_reported_without_the_former_journal() {
    let lake = Lake::new();
    lake.pull(Driver::Blocking, three_days());
    let zip = lake.data().into_keys().next().unwrap();
    lake.store.set(&format!("nightly/skills/{zip}"), None);
    std::fs::remove_dir_all(lake.bench.path().join("state")).unwrap();
    lake.pull(Driver::Blocking, three_days());
    assert_eq!(lake.faults(), [format!("{zip} is missing")]);
}

/// Some stores know `If-None-Match` and not `If-Match`.
#[test]
fn a_store_that_cannot_replace_on_a_condition_is_used_without() {
    for fault in [StoreFault::ConditionUnsupported, StoreFault::ConditionIgnored] {
        let lake = Lake::new();
        lake.pull(Driver::Blocking, dataset());
        lake.store.hook(move |request| if is_receipt(request) { fault } else { StoreFault::None });
        let again = "2023-04-02".parse().unwrap();
        lake.pull(Driver::Blocking, dataset().again(again, again));
        assert_eq!(lake.faults(), Vec::<String>::new());
    }
}

#[test]
fn prefixes_may_have_any_characters() {
    for prefix in ["", "/", "/a b+c/", "/Kennzahlen für 技能", "/100%/a%20b", "/a=b,c;d:e@f/~!*'()"]
    {
        let lake = Lake::new();
        for asked in [3, 0] {
            let config = BucketConfig::new()
                .endpoint(lake.store.endpoint() + "/")
                .credentials("id", "secret", None);
            let bucket = Bucket::new(&format!("s3://lake{prefix}"), &config).unwrap();
            let pull = Pull::new(dataset(), lake.bench.path().join(format!("state{asked}")))
                .bucket(bucket);
            let pull = pull.pace(pace(2)).clock(lake.bench.clock.clone());
            let summary = pull.run(&lake.bench.client()).unwrap();
            assert_eq!((summary.asked, summary.rows()), (asked, 120), "{prefix}");
        }
        assert_eq!(lake.store.objects().len(), 7, "{:?}", lake.store.objects().keys());
    }
    for url in [
        "s3://lake/..",
        "s3://lake/a/../b",
        "s3://lake/a//",
        "s3://../lake",
        "s3://lake/./a",
        "s3://.x/a",
    ] {
        assert!(Bucket::new(url, &BucketConfig::new()).is_err(), "{url}");
    }
}
