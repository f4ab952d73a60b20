//! Receiving callbacks: each job once, and 200 only for a job that is committed.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use ccfs_proto::auth::{Freshness, VerifyError, decode_query};
use ccfs_proto::callback::{
    Answer, Begin, Callback, CallbackError, JobKey, MemoryGuard, Outcome, ReceiveError, Receiver,
    ReplayGuard, with_request,
};
use ccfs_proto::{Credentials, RequestView, Signer, Timestamp};
use http::HeaderValue;
use proptest::prelude::*;
use proptest::sample::Index;

use super::{cases, sized};

const START: Timestamp = Timestamp::from_unix_millis(1_680_768_000_000);
/// How old a signature may be, and how far in the future, in milliseconds.
const PAST: i64 = 300_000;
const FUTURE: i64 = 200_000;
/// How long a job stays pending, in milliseconds.
const PENDING: i64 = 60_000;
const JOBS: usize = 4;

fn credentials() -> Credentials {
    Credentials::from_text("ak", "secret".to_owned()).unwrap()
}

fn receiver() -> Receiver {
    let millis = |millis: i64| Duration::from_millis(millis.unsigned_abs());
    Receiver::new(&credentials())
        .freshness(Freshness { past: millis(PAST), future: millis(FUTURE) })
}

fn callback(job: usize) -> Callback {
    let id = format!("{job:032x}");
    Callback::new(id.parse().unwrap(), format!("20230406_{id}.zip").parse().unwrap(), None)
}

/// A request as the receiver gets it.
#[derive(Clone, Debug)]
struct Request {
    job: usize,
    signed_at: Timestamp,
    authorization: String,
    body: Vec<u8>,
    is_forged: bool,
}

impl Request {
    fn new(job: usize, signed_at: Timestamp) -> Self {
        Self::with_body(job, signed_at, callback(job).to_body("fileName").to_vec())
    }

    fn with_body(job: usize, signed_at: Timestamp, body: Vec<u8>) -> Self {
        let view = RequestView {
            method: "POST",
            path: "/callback",
            query: &[],
            headers: &[("host", "h")],
            body: &body,
        };
        let value = Signer::new(&credentials()).sign(view, signed_at).unwrap();
        let authorization = value.to_str().unwrap().to_owned();
        Self { job, signed_at, authorization, body, is_forged: false }
    }

    fn view<R>(&self, f: impl FnOnce(RequestView<'_>) -> R) -> R {
        let headers = [("Host", "h"), ("Authorization", self.authorization.as_str())];
        let (method, path) = ("POST", "/callback");
        f(RequestView { method, path, query: &[], headers: &headers, body: &self.body })
    }

    fn is_valid(&self, now: Timestamp) -> bool {
        !self.is_forged && (-FUTURE..=PAST).contains(&now.millis_since(self.signed_at))
    }
}

#[derive(Clone, Debug)]
enum Act {
    /// The server signs a callback and delivers it; the receiver may have no place for it.
    Deliver {
        job: usize,
        age: i64,
        has_place: bool,
    },
    /// Someone sends an earlier request again, as it was or with another byte in the body.
    Replay {
        which: Index,
        forge: Option<Index>,
        has_place: bool,
    },
    /// An asynchronous receiver begins, and continues later.
    Begin {
        job: usize,
    },
    Commit {
        which: Index,
    },
    RollBack {
        which: Index,
    },
    Pass {
        millis: i64,
    },
}

fn act() -> impl Strategy<Value = Act> {
    let (job, index) = (0..JOBS, any::<Index>());
    prop_oneof![
        4 => (job.clone(), -FUTURE - 10..=PAST + 10, any::<bool>())
            .prop_map(|(job, age, has_place)| Act::Deliver { job, age, has_place }),
        4 => (index, prop::option::weighted(0.2, any::<Index>()), any::<bool>())
            .prop_map(|(which, forge, has_place)| Act::Replay { which, forge, has_place }),
        2 => job.prop_map(|job| Act::Begin { job }),
        2 => any::<Index>().prop_map(|which| Act::Commit { which }),
        2 => any::<Index>().prop_map(|which| Act::RollBack { which }),
        2 => prop_oneof![0..2 * PENDING, 0..2 * (PAST + FUTURE)]
            .prop_map(|millis| Act::Pass { millis }),
    ]
}

/// What a guard with enough capacity must know: until when a job is pending, or done.
#[derive(Clone, Copy)]
enum State {
    Pending { until: Timestamp, keep_until: Timestamp },
    Done { keep_until: Timestamp },
}

/// The reference implementation of the guard, and what the receivers did.
struct World {
    guard: MemoryGuard,
    now: Timestamp,
    retention: i64,
    /// `None` if the guard's capacity is smaller than the number of jobs.
    states: Option<BTreeMap<usize, State>>,
    committed: BTreeSet<usize>,
    /// Job and time of each callback that was handed out.
    handed_out: Vec<(usize, Timestamp)>,
    /// Jobs that began and neither committed nor rolled back.
    open: Vec<(usize, JobKey)>,
    sent: Vec<Request>,
}

impl World {
    fn new(capacity: usize, retention: i64) -> Self {
        let duration = Duration::from_millis(retention.unsigned_abs());
        Self {
            guard: MemoryGuard::new(capacity, duration),
            now: START,
            retention,
            states: (capacity >= JOBS).then(BTreeMap::new),
            committed: BTreeSet::new(),
            handed_out: Vec::new(),
            open: Vec::new(),
            sent: Vec::new(),
        }
    }

    /// What `begin` must return, if that is known; updates the state.
    fn expect_begin(&mut self, job: usize) -> Option<Begin> {
        let now = self.now;
        let keep = now.plus_millis(self.retention.max(PAST + FUTURE));
        let states = self.states.as_mut()?;
        let (begin, state) = match states.get(&job) {
            Some(State::Done { keep_until }) if now <= *keep_until => {
                (Begin::Done, State::Done { keep_until: keep })
            }
            Some(State::Pending { until, keep_until }) if now < *until && now <= *keep_until => {
                (Begin::Pending, State::Pending { until: *until, keep_until: keep })
            }
            _ => {
                let until = now.plus_millis(PENDING);
                (Begin::First, State::Pending { until, keep_until: keep })
            }
        };
        states.insert(job, state);
        Some(begin)
    }

    /// What `commit` must return, if that is known; updates the state.
    fn expect_commit(&mut self, job: usize) -> Option<bool> {
        let keep_until = self.now.plus_millis(self.retention.max(PAST + FUTURE));
        let previous = self.states.as_mut()?.insert(job, State::Done { keep_until });
        Some(!matches!(previous, Some(State::Done { keep_until }) if self.now <= keep_until))
    }

    fn expect_roll_back(&mut self, job: usize) {
        if let Some(states) = &mut self.states
            && matches!(states.get(&job), Some(State::Pending { .. }))
        {
            states.remove(&job);
        }
    }

    fn hand_out(&mut self, job: usize) {
        self.committed.insert(job);
        self.handed_out.push((job, self.now));
    }

    fn receive(&mut self, request: &Request, has_place: bool) -> Result<(), TestCaseError> {
        let mut stored = false;
        let outcome = request.view(|view| {
            receiver().receive(view, &mut self.guard, self.now, |found| {
                assert_eq!(*found, callback(request.job));
                stored = has_place;
                has_place
            })
        });
        let answer = outcome.answer();
        prop_assert!(!answer.body.is_empty());
        if !request.is_valid(self.now) {
            prop_assert_eq!(answer.status, 401);
            prop_assert!(!stored);
            return Ok(());
        }
        let is_accepted = matches!(outcome, Outcome::Accepted(_));
        if let Some(begin) = self.expect_begin(request.job) {
            match begin {
                Begin::First if has_place => prop_assert!(is_accepted, "{outcome:?}"),
                Begin::First | Begin::Pending => prop_assert_eq!(&outcome, &Outcome::Busy),
                Begin::Done => prop_assert_eq!(&outcome, &Outcome::Repeated),
            }
            match begin {
                Begin::First if has_place => drop(self.expect_commit(request.job)),
                Begin::First => self.expect_roll_back(request.job),
                Begin::Pending | Begin::Done => {}
            }
        }
        prop_assert!(stored || !is_accepted, "it is stored before it is accepted");
        if is_accepted {
            // A request from the time of an earlier delivery never causes another one.
            for (job, at) in &self.handed_out {
                let is_newer = request.signed_at.millis_since(*at) > FUTURE;
                prop_assert!(self.states.is_none() || *job != request.job || is_newer);
            }
            self.hand_out(request.job);
        }
        let is_committed = self.committed.contains(&request.job);
        prop_assert!(answer != Answer::RECEIVED || is_committed, "200 without a commit");
        prop_assert!(answer == Answer::RECEIVED || answer == Answer::BUSY);
        Ok(())
    }

    fn act(&mut self, act: &Act) -> Result<(), TestCaseError> {
        match *act {
            Act::Deliver { job, age, has_place } => {
                let request = Request::new(job, self.now.plus_millis(-age));
                self.receive(&request, has_place)?;
                self.sent.push(request);
            }
            Act::Replay { which, forge, has_place } if !self.sent.is_empty() => {
                let mut request = which.get(&self.sent).clone();
                if let Some(at) = forge {
                    *at.get_mut(&mut request.body) ^= 1;
                    request.is_forged = true;
                }
                self.receive(&request, has_place)?;
            }
            Act::Begin { job } => {
                let request = Request::new(job, self.now);
                let key = request.view(|view| receiver().check(view, self.now)).unwrap().key;
                let Ok(begin) = self.guard.begin(&key, self.now);
                prop_assert_eq!(begin, self.expect_begin(job).unwrap_or(begin));
                prop_assert!(begin != Begin::Done || self.committed.contains(&job));
                if begin == Begin::First {
                    self.open.push((job, key));
                }
                self.sent.push(request);
            }
            Act::Commit { which } if !self.open.is_empty() => {
                let (job, key) = self.open.swap_remove(which.index(self.open.len()));
                let Ok(is_first) = self.guard.commit(&key, self.now);
                prop_assert_eq!(is_first, self.expect_commit(job).unwrap_or(is_first));
                if is_first {
                    self.hand_out(job);
                }
            }
            Act::RollBack { which } if !self.open.is_empty() => {
                let (job, key) = self.open.swap_remove(which.index(self.open.len()));
                let was_done = self.guard.clone().begin(&key, self.now) == Ok(Begin::Done);
                let Ok(()) = self.guard.roll_back(&key);
                self.expect_roll_back(job);
                let next = if was_done { Begin::Done } else { Begin::First };
                prop_assert_eq!(self.guard.clone().begin(&key, self.now), Ok(next));
            }
            Act::Pass { millis } => self.now = self.now.plus_millis(millis),
            Act::Replay { .. } | Act::Commit { .. } | Act::RollBack { .. } => {}
        }
        Ok(())
    }
}

/// The number of jobs in a guard's memory.
fn len(guard: &MemoryGuard) -> usize {
    format!("{guard:?}").matches("pending_until").count()
}

#[test]
fn a_clock_that_is_set_back_leaves_no_job_pending() {
    let mut guard = MemoryGuard::default();
    let key = JobKey::new(&callback(0), Duration::ZERO);
    let ahead = START.plus_millis(24 * 3_600_000);
    assert_eq!(guard.begin(&key, ahead), Ok(Begin::First));
    assert_eq!(guard.begin(&key, START), Ok(Begin::First));
    assert_eq!(guard.begin(&key, START), Ok(Begin::Pending));
}

#[test]
fn a_later_delivery_does_not_shorten_how_long_a_job_is_kept() {
    let mut guard = MemoryGuard::new(1, Duration::ZERO);
    let key = |seconds| JobKey::new(&callback(0), Duration::from_secs(seconds));
    assert_eq!(guard.begin(&key(1000), START), Ok(Begin::First));
    assert_eq!(guard.commit(&key(1000), START), Ok(true));
    assert_eq!(guard.begin(&key(1), START), Ok(Begin::Done));
    assert_eq!(guard.begin(&key(1), START.plus_millis(999_000)), Ok(Begin::Done));
}

/// A guard whose calls fail, or not, as a list says.
struct Unreliable {
    guard: MemoryGuard,
    fails: Vec<bool>,
}

impl Unreliable {
    fn ask<T>(
        &mut self,
        call: impl FnOnce(&mut MemoryGuard) -> Result<T, std::convert::Infallible>,
    ) -> Result<T, &'static str> {
        if self.fails.pop().unwrap_or(false) {
            return Err("no connection");
        }
        let Ok(value) = call(&mut self.guard);
        Ok(value)
    }
}

impl ReplayGuard for Unreliable {
    type Error = &'static str;

    fn begin(&mut self, key: &JobKey, now: Timestamp) -> Result<Begin, &'static str> {
        self.ask(|guard| guard.begin(key, now))
    }

    fn commit(&mut self, key: &JobKey, now: Timestamp) -> Result<bool, &'static str> {
        self.ask(|guard| guard.commit(key, now))
    }

    fn roll_back(&mut self, key: &JobKey) -> Result<(), &'static str> {
        self.ask(|guard| guard.roll_back(key))
    }
}

proptest! {
    #![proptest_config(cases(256))]

    /// The guard does what the reference implementation does, with receivers that interleave, die,
    /// and are replayed to. Each job is handed out once while it is remembered.
    #[test]
    fn each_job_is_handed_out_once(
        capacity in 0..JOBS + 3,
        retention in prop_oneof![Just(0), 0..PAST, Just(i64::from(u32::MAX))],
        acts in prop::collection::vec(act(), 1..sized(60, 6)),
    ) {
        let mut world = World::new(capacity, retention);
        for act in acts {
            world.act(&act)?;
            prop_assert!(len(&world.guard) <= capacity.max(1));
        }
        if retention == i64::from(u32::MAX) && world.states.is_some() {
            let jobs: BTreeSet<usize> = world.handed_out.iter().map(|(job, _)| *job).collect();
            prop_assert_eq!(jobs.len(), world.handed_out.len());
        }
    }

    /// A guard that fails is answered with 503. The server then calls again until it gets 200, and
    /// the job is handed out once.
    #[test]
    fn a_failing_guard_loses_nothing(
        fails in prop::collection::vec(any::<bool>(), 0..20),
        places in prop::collection::vec(any::<bool>(), 0..10),
    ) {
        let mut guard = Unreliable { guard: MemoryGuard::default(), fails };
        let (mut now, mut places, mut handed_out) = (START, places, 0);
        loop {
            let had_failures = guard.fails.len();
            let has_place = places.pop().unwrap_or(true);
            let outcome = Request::new(1, now)
                .view(|view| receiver().receive(view, &mut guard, now, |_| has_place));
            let is_received = outcome.answer() == Answer::RECEIVED;
            match outcome {
                Outcome::Accepted(_) => handed_out += 1,
                Outcome::GuardFailed(_) => prop_assert!(guard.fails.len() < had_failures),
                other => prop_assert_eq!(other, Outcome::Busy),
            }
            prop_assert_eq!(is_received, handed_out == 1);
            if is_received {
                break;
            }
            now = now.plus_millis(10 * 60 * 1000);
        }
        let repeated = Request::new(1, now)
            .view(|view| receiver().receive(view, &mut guard.guard, now, |_| true));
        prop_assert_eq!(repeated, Outcome::Repeated);
    }

    /// A full guard forgets pending jobs, and then the job that was delivered least recently.
    #[test]
    fn a_full_guard_forgets_the_oldest(capacity in 1..6_usize, jobs in 1..12_usize) {
        let mut guard = MemoryGuard::new(capacity, Duration::from_secs(3600));
        let key = |job: usize| {
            let at = START.plus_millis(i64::try_from(job).unwrap());
            (JobKey::new(&callback(job), Duration::ZERO), at)
        };
        for job in 0..jobs {
            let (key, at) = key(job);
            prop_assert_eq!(guard.begin(&key, at), Ok(Begin::First));
            prop_assert_eq!(guard.commit(&key, at), Ok(true));
        }
        for job in 0..jobs {
            let begin = if job + capacity < jobs { Begin::First } else { Begin::Done };
            prop_assert_eq!(guard.clone().begin(&key(job).0, key(jobs).1), Ok(begin));
        }
        for pending in jobs..jobs + 3 {
            prop_assert_eq!(guard.begin(&key(pending).0, key(pending).1), Ok(Begin::First));
        }
        // The first took the place of a done job, and the others that of a pending one.
        let done = |job: &usize| guard.clone().begin(&key(*job).0, key(jobs).1) == Ok(Begin::Done);
        prop_assert_eq!((0..jobs).filter(done).count(), jobs.min(capacity - 1));
    }

    /// Whatever the query and the other headers are, the view of a received request is what was
    /// signed, and any other body is refused.
    #[test]
    fn a_received_request_is_seen_as_it_was_sent(
        query in "[a-z%+=&0-9]{0,20}",
        opaque in prop::collection::vec(any::<u8>(), 0..8),
        text in "[ -~]{0,20}",
    ) {
        let body = callback(7).to_body("fileName");
        let mut builder = http::Request::post(format!("/callback?{query}")).header("host", "h");
        if let Ok(value) = HeaderValue::from_bytes(&opaque) {
            builder = builder.header("x-opaque", value);
        }
        let unsigned = builder.header("x-text", &text).body(()).unwrap();
        let (mut head, ()) = unsigned.into_parts();
        let authorization = with_request(&head, &body, |view| {
            assert_eq!((view.method, view.path, view.body), ("POST", "/callback", &body[..]));
            let pairs = decode_query(&query);
            let pairs = pairs.iter().map(|(key, value)| (key.as_str(), value.as_str()));
            assert!(view.query.iter().copied().eq(pairs));
            let is_text = head.headers.get("x-opaque").is_some_and(|value| value.to_str().is_ok());
            assert_eq!(view.headers.iter().any(|(name, _)| *name == "x-opaque"), is_text);
            assert!(view.headers.contains(&("x-text", text.as_str())));
            let signed = RequestView { headers: &[("host", "h")], ..view };
            Signer::new(&credentials()).sign(signed, START).unwrap()
        });
        head.headers.insert("authorization", authorization);
        let checked = with_request(&head, &body, |view| receiver().check(view, START));
        prop_assert_eq!(checked.unwrap().callback, callback(7));
        let other = with_request(&head, b"{}", |view| receiver().check(view, START));
        prop_assert_eq!(other, Err(ReceiveError::Signature(VerifyError::Mismatch)));
    }
}

#[test]
fn each_refusal_has_its_status() {
    let request = Request::new(1, START);
    let status = |error: &ReceiveError| error.answer().status.as_u16();
    let get =
        |view: RequestView<'_>| receiver().check(RequestView { method: "GET", ..view }, START);
    assert_eq!(status(&request.view(get).unwrap_err()), 405);
    for headers in [&[("host", "h")][..], &[("authorization", "a"), ("Authorization", "a")]] {
        let check =
            |view: RequestView<'_>| receiver().check(RequestView { headers, ..view }, START);
        let error = request.view(check).unwrap_err();
        assert_eq!((status(&error), error), (401, ReceiveError::Unsigned));
    }
    let too_large = vec![b' '; Callback::BODY_LIMIT + 1];
    for (body, expected) in [
        (&b"{}"[..], CallbackError::Missing { field: "msgBody" }),
        (&too_large, CallbackError::TooLarge),
    ] {
        let signed = Request::with_body(1, START, body.to_vec());
        let error = signed.view(|view| receiver().check(view, START)).unwrap_err();
        assert_eq!((status(&error), error), (400, ReceiveError::Body(expected)));
        // Without its signature, nothing is said about the body.
        let forged = Request { body: body.to_vec(), ..request.clone() };
        let error = forged.view(|view| receiver().check(view, START)).unwrap_err();
        assert_eq!(error, ReceiveError::Signature(VerifyError::Mismatch));
    }
}
