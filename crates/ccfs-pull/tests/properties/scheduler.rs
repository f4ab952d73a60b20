//! The machine against servers that do anything, and processes that die at any step.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use ccfs_proto::callback::Callback;
use ccfs_proto::{Day, IndexFileName, LocalTime, Now, ResponseId, Timestamp};
use ccfs_pull::{
    Asked, Entry, Fingerprint, Job, Known, Outcome, Pace, Scheduler, Step, Stored, Task, Trouble,
    Window, Zone, windows,
};
use proptest::prelude::*;

use super::{cases, meaning};

/// Steps that any pull must end within.
const STEPS: usize = 60_000;

/// What the server, or the network, does with one job.
#[derive(Clone, Copy, Debug)]
enum Act {
    Well,
    Trouble(Trouble),
    /// The request arrives and the answer is lost: the job still runs.
    HeardUnanswered,
    /// From now on the server has forgotten all jobs.
    Forget,
    /// The process dies here.
    Die,
    /// Callbacks of all jobs come, twice, and one of an unknown job.
    Callbacks,
}

fn act() -> impl Strategy<Value = Act> {
    let trouble = prop::sample::select(vec![
        Trouble::NoData,
        Trouble::NotThere,
        Trouble::Busy,
        Trouble::Offline,
        Trouble::TooEarly,
        Trouble::Damaged,
        Trouble::Faulty,
        Trouble::Refused,
    ]);
    prop_oneof![4 => Just(Act::Well), 5 => trouble.prop_map(Act::Trouble), 1 => Just(Act::HeardUnanswered), 1 => Just(Act::Forget),
        3 => Just(Act::Die), 1 => Just(Act::Callbacks)]
}

#[derive(Clone, Debug)]
struct Script {
    acts: Vec<Act>,
    /// Which of the running jobs ends next, and whether it is a step to die at: read in a circle.
    picks: Vec<usize>,
    deaths: Vec<usize>,
    slots: usize,
    days: i64,
    /// How far the server's clocks are ahead of UTC, in hours.
    server: i64,
    /// Seconds until a file is there.
    ready: u64,
    callbacks: bool,
}

fn script() -> impl Strategy<Value = Script> {
    let acts = prop::collection::vec(act(), 0..60);
    let numbers =
        (prop::collection::vec(0_usize..64, 1..20), prop::collection::vec(0_usize..300, 0..6));
    (acts, numbers, 1_usize..6, 1_i64..30, -12_i64..=14, 0_u64..5000, any::<bool>()).prop_map(
        |(acts, (picks, deaths), slots, days, server, ready, callbacks)| Script {
            acts,
            picks,
            deaths,
            slots,
            days,
            server,
            ready,
            callbacks,
        },
    )
}

#[derive(Debug)]
struct ServerJob {
    window: Window,
    name: IndexFileName,
    ready: Duration,
    /// The client received the ID and recorded it.
    known: bool,
    /// Times that its file came damaged, in one run.
    damaged: u32,
}

struct World {
    script: Script,
    acts: VecDeque<Act>,
    zone: Zone,
    now: Now,
    jobs: BTreeMap<ResponseId, ServerJob>,
    ids: u128,
    picked: usize,
    steps: usize,
    // What a crash leaves.
    journal: Vec<Entry>,
    disk: BTreeSet<Window>,
}

enum End {
    Done,
    GaveUp,
    Died,
}

impl World {
    fn new(script: Script) -> Self {
        let now = Now {
            wall: "2023-05-20T11:00:00Z".parse::<Timestamp>().unwrap(),
            monotonic: Duration::from_secs(5),
        };
        let acts = script.acts.iter().copied().collect();
        let zone = Zone::named("Asia/Shanghai").unwrap();
        Self {
            script,
            acts,
            zone,
            now,
            jobs: BTreeMap::new(),
            ids: 0,
            picked: 0,
            steps: 0,
            journal: Vec::new(),
            disk: BTreeSet::new(),
        }
    }

    fn pass(&mut self, time: Duration) {
        self.now.monotonic += time;
        self.now.wall = self.now.wall.plus_millis(i64::try_from(time.as_millis()).unwrap());
    }

    fn pick(&mut self, of: usize) -> usize {
        self.picked += 1;
        self.script.picks[self.picked % self.script.picks.len()] % of
    }

    fn windows(&self) -> Vec<Window> {
        let from = "2023-04-01".parse::<Day>().unwrap().midnight();
        let to = from.plus_seconds((self.script.days - 1) * 86_400).unwrap();
        windows(&self.zone, from.day(), to.day(), 3, &[]).collect()
    }

    /// The contents of the journal, as the library reads them.
    fn known(&self) -> BTreeMap<Window, Known> {
        let mut known: BTreeMap<Window, Known> =
            self.windows().into_iter().map(|window| (window, Known::Fresh)).collect();
        known.extend(meaning(&self.journal));
        known
    }

    fn pace(&self) -> Pace {
        Pace {
            in_flight: self.script.slots,
            callback_timeout: self.script.callbacks.then_some(Pace::CALLBACK_TIMEOUT),
            ..Pace::default()
        }
    }

    /// The server accepts a request for a window.
    fn start_job(&mut self, window: Window) -> ResponseId {
        self.ids += 1;
        let id: ResponseId = format!("{:032x}", self.ids).parse().unwrap();
        let day =
            LocalTime::at_offset(self.now.wall, i32::try_from(self.script.server * 3600).unwrap())
                .day();
        let ready = self.now.monotonic + Duration::from_secs(self.script.ready);
        self.jobs.insert(
            id,
            ServerJob {
                window,
                name: IndexFileName::new(day, id),
                ready,
                known: false,
                damaged: 0,
            },
        );
        id
    }

    /// One process, from its start to its end.
    fn run(&mut self, mortal: bool) -> End {
        let resumed = self.known();
        let open_before = resumed.values().filter(|known| matches!(known, Known::Asked(_))).count();
        let complete: BTreeSet<Window> = resumed
            .iter()
            .filter(|(_, known)| matches!(known, Known::Complete(_)))
            .map(|(w, _)| *w)
            .collect();
        let mut scheduler = Scheduler::new(self.zone.clone(), self.pace(), resumed, self.now);
        let mut running: Vec<Job> = Vec::new();
        self.jobs.values_mut().for_each(|job| job.damaged = 0);
        loop {
            self.steps += 1;
            assert!(self.steps < STEPS, "a pull that does not end");
            if mortal && self.script.deaths.contains(&self.steps) {
                return self.die(&running);
            }
            assert!(
                scheduler.in_flight() <= self.script.slots.max(open_before),
                "{} windows under way",
                scheduler.in_flight()
            );
            match scheduler.poll(self.now) {
                Step::Record(entry) => {
                    if let Entry::Asked { id, .. } = entry {
                        self.jobs.entry(id).and_modify(|job| job.known = true);
                    }
                    if let Entry::Lost { window, .. } = entry {
                        self.lost(window);
                    }
                    self.journal.push(entry);
                }
                Step::Start(job) => {
                    assert!(running.len() < self.script.slots, "more at once than allowed");
                    assert!(
                        running.iter().all(|other| other.window != job.window),
                        "two jobs for one window"
                    );
                    assert!(!complete.contains(&job.window), "a window that was complete");
                    if job.task == Task::Ask {
                        assert!(
                            matches!(self.journal.last(), Some(Entry::Asking { window, .. }) if *window == job.window),
                            "written down before"
                        );
                        let live = self
                            .jobs
                            .values()
                            .find(|other| other.known && other.window == job.window);
                        assert!(live.is_none(), "asked for again, and the server has {live:?}");
                    }
                    running.push(job);
                }
                Step::Wait(within) if running.is_empty() => {
                    let within = within.expect("nothing runs, so time must be what is waited for");
                    self.pass(within.max(Duration::from_millis(1)));
                }
                Step::Wait(within) => {
                    // Something ends before the time is over.
                    self.pass(within.unwrap_or(Duration::from_secs(1)).min(Duration::from_secs(1)));
                    let job = running.remove(self.pick(running.len()));
                    if let Some(end) = self.finish(&mut scheduler, job, &running, mortal) {
                        return end;
                    }
                }
                Step::Done => {
                    assert!(running.is_empty(), "done while {running:?}");
                    if scheduler.gave_up().is_some() {
                        return End::GaveUp;
                    }
                    assert_eq!(scheduler.left(), 0);
                    for (window, outcome) in scheduler.outcomes() {
                        let outcome = outcome.expect("done, so every window is settled");
                        assert!(
                            !matches!(outcome, Outcome::Stored(_)) || self.disk.contains(&window),
                            "{window} {outcome:?}"
                        );
                    }
                    return End::Done;
                }
            }
        }
    }

    fn finish(
        &mut self,
        scheduler: &mut Scheduler,
        job: Job,
        running: &[Job],
        mortal: bool,
    ) -> Option<End> {
        let act = self.acts.pop_front().unwrap_or(Act::Well);
        match act {
            Act::Die if mortal => {
                let mut all = running.to_vec();
                all.push(job);
                return Some(self.die(&all));
            }
            Act::Forget => self.jobs.clear(),
            Act::Callbacks => {
                let stranger = ResponseId::from_server(&"f".repeat(32)).unwrap();
                let mut all: Vec<Callback> = self
                    .jobs
                    .iter()
                    .map(|(id, job)| Callback::new(*id, job.name.clone(), None))
                    .collect();
                all.push(Callback::new(
                    stranger,
                    IndexFileName::new("2023-05-20".parse().unwrap(), stranger),
                    None,
                ));
                for callback in all.iter().chain(&all) {
                    scheduler.on_callback(self.now, callback);
                }
            }
            _ => {}
        }
        let (now, window) = (self.now, job.window);
        match (act, &job.task) {
            (Act::Trouble(trouble), task) => {
                if let (Trouble::Damaged, Task::Fetch(name)) = (trouble, task)
                    && let Some(server) = name.response_id().and_then(|id| self.jobs.get_mut(&id))
                {
                    server.damaged += 1;
                }
                scheduler.on_trouble(now, window, trouble, "scripted");
            }
            (Act::HeardUnanswered, Task::Ask) => {
                self.start_job(window);
                scheduler.on_trouble(now, window, Trouble::Unanswered, "scripted");
            }
            (_, Task::Ask) => {
                let id = self.start_job(window);
                scheduler.on_asked(now, window, id);
            }
            (_, Task::Fetch(name)) => {
                let there = self.jobs.values().any(|server| {
                    server.name == *name && server.window == window && now.monotonic >= server.ready
                });
                if there || self.disk.contains(&window) {
                    self.disk.insert(window);
                    scheduler.on_stored(
                        now,
                        window,
                        Stored::new(Fingerprint::of(b"ZIP"), 1),
                        vec![],
                    );
                } else {
                    scheduler.on_trouble(now, window, Trouble::NotThere, "not there");
                }
            }
        }
        None
    }

    /// The machine says that the server lost a window's job: it must have, or it never made the file, or made a damaged one.
    fn lost(&mut self, window: Window) {
        let slow = Duration::from_secs(self.script.ready) >= Pace::default().lost_after;
        // What the script said against the truth counts as the server's word.
        let lied = self.script.acts.iter().any(|act| {
            matches!(act, Act::Trouble(Trouble::NotThere | Trouble::NoData | Trouble::TooEarly))
        });
        let live: Vec<&ServerJob> =
            self.jobs.values().filter(|job| job.known && job.window == window).collect();
        assert!(
            slow || lied || live.iter().all(|job| job.damaged >= 5),
            "{window} is not lost: {live:?}"
        );
        self.jobs.retain(|_, job| job.window != window || !job.known);
    }

    /// Work that was running may have finished at the server and on the disk without being recorded.
    fn die(&mut self, running: &[Job]) -> End {
        for job in running {
            match &job.task {
                Task::Ask if self.pick(2) == 0 => drop(self.start_job(job.window)),
                Task::Fetch(name) if self.pick(2) == 0 => {
                    let there = self
                        .jobs
                        .values()
                        .any(|server| server.name == *name && self.now.monotonic >= server.ready);
                    self.disk.extend(there.then_some(job.window));
                }
                _ => {}
            }
        }
        End::Died
    }
}

proptest! {
    #![proptest_config(cases(400))]

    /// Whatever happens and however often the process dies: it ends, nothing is asked for twice that the server still has, never more at
    /// once than allowed, and in the end every window is on disk, unless the server reported that it has no data.
    #[test]
    fn every_window_ends_on_disk_once(script in script()) {
        let mut world = World::new(script);
        for _ in 0..100 {
            world.run(true);
            world.pass(Duration::from_secs(3600));
        }
        // Finally a run without faults: the rest arrives, too.
        world.acts.clear();
        prop_assert!(matches!(world.run(false), End::Done));
        for (window, known) in world.known() {
            match known {
                Known::Complete(Outcome::Stored(_)) => prop_assert!(world.disk.contains(&window)),
                Known::Complete(Outcome::NoData) => {
                    prop_assert!(world.script.acts.iter().any(|act| matches!(act, Act::Trouble(Trouble::NoData))));
                }
                other => prop_assert!(false, "{} is {:?}", window, other),
            }
        }
    }

    /// Without faults and kills, each window is requested once, and that is recorded.
    #[test]
    fn a_quiet_run_asks_once(mut script in script()) {
        script.acts.retain(|act| matches!(act, Act::Callbacks));
        script.deaths.clear();
        let mut world = World::new(script);
        prop_assert!(matches!(world.run(false), End::Done));
        let windows = world.windows().len();
        prop_assert_eq!(world.ids, windows as u128);
        prop_assert_eq!(world.disk.len(), windows);
        // Each has its three lines, in their order.
        for window in world.windows() {
            let lines: Vec<&str> = world.journal.iter().filter_map(|entry| match entry {
                Entry::Asking { window: of, .. } if *of == window => Some("asking"),
                Entry::Asked { window: of, .. } if *of == window => Some("asked"),
                Entry::Stored { window: of, .. } if *of == window => Some("stored"),
                _ => None,
            }).collect();
            prop_assert_eq!(lines, ["asking", "asked", "stored"]);
        }
        prop_assert_eq!(world.journal.len(), 3 * windows);
    }

    /// The same reports give the same steps.
    #[test]
    fn it_is_deterministic(script in script()) {
        let run = |script: Script| {
            let mut world = World::new(script);
            for _ in 0..4 {
                world.run(true);
            }
            (world.journal, world.steps)
        };
        prop_assert_eq!(run(script.clone()), run(script));
    }
}

fn now_at(seconds: u64) -> Now {
    let wall = "2023-05-20T11:00:00Z"
        .parse::<Timestamp>()
        .unwrap()
        .plus_millis(i64::try_from(seconds * 1000).unwrap());
    Now { wall, monotonic: Duration::from_secs(seconds) }
}

fn one_window() -> (Zone, Window) {
    (Zone::named("Asia/Shanghai").unwrap(), "20230405T000000_20230407T235959".parse().unwrap())
}

/// Executes the steps before the next wait, and returns the jobs that started.
fn begun(scheduler: &mut Scheduler, now: Now) -> (Vec<Job>, Option<Duration>) {
    let mut jobs = Vec::new();
    loop {
        match scheduler.poll(now) {
            Step::Record(_) => {}
            Step::Start(job) => jobs.push(job),
            Step::Wait(within) => return (jobs, within),
            Step::Done => panic!("the pull is over"),
        }
    }
}

#[test]
fn a_callback_before_the_answer_counts() {
    let (zone, window) = one_window();
    let pace = Pace { callback_timeout: Some(Duration::from_secs(600)), ..Pace::default() };
    let mut scheduler = Scheduler::new(zone, pace, [(window, Known::Fresh)], now_at(0));
    assert_eq!(begun(&mut scheduler, now_at(0)).0.len(), 1);
    let id: ResponseId = "9239cb50a8384bb0ab503441bf089446".parse().unwrap();
    let name = IndexFileName::new("2023-05-20".parse().unwrap(), id);
    scheduler.on_callback(now_at(0), &Callback::new(id, name.clone(), None));
    scheduler.on_asked(now_at(1), window, id);
    let jobs = begun(&mut scheduler, now_at(1)).0;
    assert_eq!((jobs.len(), &jobs[0].task), (1, &Task::Fetch(name)));
}

/// The callback comes while another name is tried: its own is next, however old the job is.
#[test]
fn a_callback_that_comes_during_a_look_counts() {
    let (zone, window) = one_window();
    let id: ResponseId = "9239cb50a8384bb0ab503441bf089446".parse().unwrap();
    let long_ago = now_at(0).wall.plus_millis(-86_400_000);
    let known = Known::Asked(Asked::new(id, long_ago, long_ago));
    let mut scheduler = Scheduler::new(zone, Pace::default(), [(window, known)], now_at(0));
    assert_eq!(begun(&mut scheduler, now_at(0)).0.len(), 1);
    let name = IndexFileName::new("2023-05-20".parse().unwrap(), id);
    scheduler.on_callback(now_at(0), &Callback::new(id, name.clone(), None));
    scheduler.on_trouble(now_at(1), window, Trouble::NotThere, "another name");
    assert_eq!(begun(&mut scheduler, now_at(1)).0[0].task, Task::Fetch(name));
}

#[test]
fn a_missing_callback_is_waited_for_and_then_done_without() {
    let (zone, window) = one_window();
    let pace = Pace { callback_timeout: Some(Duration::from_secs(600)), ..Pace::default() };
    let mut scheduler = Scheduler::new(zone, pace, [(window, Known::Fresh)], now_at(0));
    begun(&mut scheduler, now_at(0));
    scheduler.on_asked(now_at(1), window, "9239cb50a8384bb0ab503441bf089446".parse().unwrap());
    assert_eq!(begun(&mut scheduler, now_at(1)), (vec![], Some(Duration::from_secs(600))));
    assert_eq!(begun(&mut scheduler, now_at(601)).0.len(), 1);
}

/// Nothing runs beside the first call.
fn answer_the_first(scheduler: &mut Scheduler) {
    let (jobs, wait) = begun(scheduler, now_at(0));
    assert_eq!((jobs.len(), wait), (1, None));
    scheduler.on_trouble(now_at(0), jobs[0].window, Trouble::NoData, "0300012");
}

/// Until it is known that the server takes the key, each call could bring the lock nearer.
#[test]
fn one_call_goes_ahead_until_the_server_has_answered_properly() {
    let zone = one_window().0;
    let all: Vec<Window> =
        windows(&zone, "2023-01-01".parse().unwrap(), "2023-04-30".parse().unwrap(), 1, &[])
            .collect();
    let mut scheduler = Scheduler::new(
        zone,
        Pace::default(),
        all.into_iter().map(|window| (window, Known::Fresh)),
        now_at(0),
    );
    let (jobs, _) = begun(&mut scheduler, now_at(0));
    assert_eq!(jobs.len(), 1);
    // An answer of a gateway, or a missing answer, does not say anything about the key.
    scheduler.on_trouble(now_at(1), jobs[0].window, Trouble::Busy, "503");
    let (jobs, _) = begun(&mut scheduler, now_at(100));
    assert_eq!(jobs.len(), 1);
    scheduler.on_trouble(now_at(101), jobs[0].window, Trouble::Offline, "no connection");
    let (jobs, _) = begun(&mut scheduler, now_at(200));
    assert_eq!(jobs.len(), 1);
    scheduler.on_trouble(now_at(201), jobs[0].window, Trouble::NoData, "0300012");
    assert_eq!(begun(&mut scheduler, now_at(201)).0.len(), 4);
}

#[test]
fn flow_control_halves_what_runs_at_once() {
    let zone = one_window().0;
    let all: Vec<Window> =
        windows(&zone, "2023-01-01".parse().unwrap(), "2023-04-30".parse().unwrap(), 1, &[])
            .collect();
    let pace = Pace { in_flight: 8, ..Pace::default() };
    let mut scheduler =
        Scheduler::new(zone, pace, all.into_iter().map(|window| (window, Known::Fresh)), now_at(0));
    answer_the_first(&mut scheduler);
    let (jobs, _) = begun(&mut scheduler, now_at(0));
    assert_eq!(jobs.len(), 8);
    for job in &jobs {
        scheduler.on_trouble(now_at(1), job.window, Trouble::Busy, "0300009");
    }
    // One wave of refusals is one piece of news.
    assert_eq!(begun(&mut scheduler, now_at(1)), (vec![], Some(Duration::from_secs(5))));
    assert_eq!(begun(&mut scheduler, now_at(6)).0.len(), 4);
}

/// Runs a scheduler whose calls all fail. Returns the seconds until it gives up.
fn given_up_after(scheduler: &mut Scheduler, mut seconds: u64) -> u64 {
    for _ in 0..1000 {
        match scheduler.poll(now_at(seconds)) {
            Step::Start(job) => {
                scheduler.on_trouble(
                    now_at(seconds),
                    job.window,
                    Trouble::Offline,
                    "no connection",
                );
                let outage = scheduler.outage(now_at(seconds)).unwrap();
                assert!(outage.next_attempt >= Duration::from_secs(5), "{outage:?}");
            }
            Step::Wait(within) => seconds += within.unwrap().as_secs(),
            Step::Done => break,
            Step::Record(_) => {}
        }
    }
    assert_eq!(scheduler.gave_up(), Some("no connection"));
    seconds
}

#[test]
fn a_server_that_never_answers_is_given_up_after_a_minute() {
    let (zone, window) = one_window();
    let mut scheduler = Scheduler::new(zone, Pace::default(), [(window, Known::Fresh)], now_at(0));
    assert_eq!(given_up_after(&mut scheduler, 0), 60);
    assert_eq!(scheduler.outcome(window), None, "not failed: left for the next run");
}

#[test]
fn an_outage_after_an_answer_is_given_up_after_half_an_hour() {
    let (zone, window) = one_window();
    for answer in [Trouble::TooEarly, Trouble::Busy] {
        let windows = [(window, Known::Fresh)];
        let mut scheduler = Scheduler::new(zone.clone(), Pace::default(), windows, now_at(0));
        let (jobs, _) = begun(&mut scheduler, now_at(0));
        scheduler.on_trouble(now_at(0), jobs[0].window, answer, "no connection");
        assert!((1800..=1860).contains(&given_up_after(&mut scheduler, 0)), "{answer:?}");
    }
}

/// Periods that get one job between them would get one file: the first keeps it.
#[test]
fn a_job_belongs_to_one_window() {
    let zone = one_window().0;
    let all: Vec<Window> =
        windows(&zone, "2023-01-01".parse().unwrap(), "2023-01-04".parse().unwrap(), 1, &[])
            .collect();
    let fresh = all.iter().map(|window| (*window, Known::Fresh));
    let mut scheduler = Scheduler::new(zone, Pace::default(), fresh, now_at(0));
    let id: ResponseId = "9239cb50a8384bb0ab503441bf089446".parse().unwrap();
    let mut first = None;
    while let Step::Start(Job { window, task, .. }) = next_job(&mut scheduler) {
        if task == Task::Ask {
            scheduler.on_asked(now_at(1), window, id);
            first.get_or_insert(window);
        } else {
            assert_eq!(Some(window), first);
            scheduler.on_stored(now_at(1), window, Stored::new(Fingerprint::of(b"ZIP"), 1), vec![]);
        }
    }
    for window in all {
        match scheduler.outcome(window).unwrap() {
            Outcome::Stored(_) => assert_eq!(Some(window), first),
            Outcome::Failed { why } => {
                assert!(why.contains(&first.unwrap().to_string()), "{why}");
            }
            other => panic!("{other:?}"),
        }
    }
}

/// The next job, or the end.
fn next_job(scheduler: &mut Scheduler) -> Step {
    loop {
        match scheduler.poll(now_at(1)) {
            Step::Record(_) => {}
            Step::Wait(within) => panic!("waits {within:?}"),
            step => return step,
        }
    }
}

/// A job of a run whose clock was years off is not lost because of that.
#[test]
fn a_clock_that_is_set_does_not_age_a_job() {
    let (zone, window) = one_window();
    let id: ResponseId = "9239cb50a8384bb0ab503441bf089446".parse().unwrap();
    let years = now_at(0).wall.plus_millis(3 * 365 * 86_400_000);
    // Asked in the future: the clock went back since.
    let known = Known::Asked(Asked::new(id, years, years));
    let mut scheduler = Scheduler::new(zone.clone(), Pace::default(), [(window, known)], now_at(0));
    let (jobs, _) = begun(&mut scheduler, now_at(0));
    scheduler.on_trouble(now_at(1), jobs[0].window, Trouble::NotThere, "not yet");
    assert!(begun(&mut scheduler, now_at(1)).1.is_some(), "looks again");
    assert_eq!(scheduler.outcome(window), None);

    // A job of this run: the wall clock jumps by years while it is open.
    let windows = [(window, Known::Fresh)];
    let mut scheduler = Scheduler::new(zone, Pace::default(), windows, now_at(0));
    begun(&mut scheduler, now_at(0));
    scheduler.on_asked(now_at(0), window, id);
    let jobs = begun(&mut scheduler, now_at(0)).0;
    let jumped = Now { wall: years, ..now_at(1) };
    scheduler.on_trouble(jumped, jobs[0].window, Trouble::NotThere, "not yet");
    assert!(begun(&mut scheduler, jumped).1.is_some(), "looks again");
}
