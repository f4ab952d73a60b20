//! Properties of the exchange, held over random scripts of server behaviour.
#![allow(clippy::unwrap_used, missing_docs)]

#[path = "exchange/reports.rs"]
mod reports;
#[path = "exchange/world.rs"]
mod world;

use std::time::Duration;

use bytes::Bytes;
use ccfs_proto::answer::{AnswerError, Classified, Expected, FileKind};
use ccfs_proto::auth::QueryLine;
use ccfs_proto::exchange::TlsFailure;
use ccfs_proto::time::Precision;
use ccfs_proto::{Classifier, ErrorKind, FailureKind, Policy, ResultCode, SinkKind};
use proptest::prelude::*;
use proptest::sample::Index;
use proptest::test_runner::{Config, FileFailurePersistence};

use world::{Attempt, Body, Date, Mood, RetryAfter, Run, Script, run};

/// So many cases, and failures remembered in the folder of regressions. In Miri one case must do, without those that failed once.
fn cases(cases: u32) -> Config {
    if cfg!(miri) {
        return Config { cases: 1, failure_persistence: None, ..Config::default() };
    }
    let file = FileFailurePersistence::Direct("tests/regressions/exchange.txt");
    Config { cases, failure_persistence: Some(Box::new(file)), ..Config::default() }
}

fn zip(content: &[u8]) -> Vec<u8> {
    [
        b"PK\x03\x04\x14\0\0\0\0\0\0\0",
        content,
        b"PK\x05\x06\0\0\0\0\x01\0\x01\0\0\0\0\0\0\0\0\0\0\0",
    ]
    .concat()
}

fn envelope(code: &str) -> Vec<u8> {
    format!(r#"{{"resultCode":"{code}","resultDesc":"so it is","resultData":""}}"#).into_bytes()
}

fn duration(longest: u64) -> impl Strategy<Value = Duration> {
    (0..=longest).prop_map(Duration::from_millis)
}

fn policy() -> impl Strategy<Value = Policy> {
    let waits = (duration(2_000), duration(8_000), duration(40_000));
    let skew = prop::option::weighted(0.8, duration(120_000));
    let written = (
        prop::sample::select(&QueryLine::ALL[..]),
        prop::sample::select(vec![Precision::Millis, Precision::Seconds]),
    );
    (0_u32..6, duration(120_000), duration(30_000), waits, skew, written).prop_map(
        |(
            max_retries,
            total_timeout,
            idle_timeout,
            (backoff, busy_backoff, max_backoff),
            skew_threshold,
            (query_line, precision),
        )| {
            Policy::default()
                .max_retries(max_retries)
                .total_timeout(total_timeout)
                .idle_timeout(idle_timeout)
                .backoff(backoff)
                .busy_backoff(busy_backoff)
                .max_backoff(max_backoff)
                .skew_threshold(skew_threshold)
                .query_line(query_line)
                .precision(precision)
        },
    )
}

fn mood() -> impl Strategy<Value = Mood> {
    use FailureKind::{BodyBroken, Broken, Connect, IdleTimeout, InvalidHttp, Resolve, Tls};
    let fails = prop::option::weighted(
        0.3,
        prop::sample::select(vec![
            Resolve,
            Connect,
            Tls(TlsFailure::Other),
            Broken,
            IdleTimeout,
            InvalidHttp,
        ]),
    );
    let status = prop_oneof![6 => Just(200_u16), 3 => prop::sample::select(vec![401, 403, 404, 429, 503, 302, 500])];
    let retry_after = prop_oneof![
        4 => Just(RetryAfter::None),
        2 => (0_u64..50).prop_map(RetryAfter::Seconds),
        1 => Just(RetryAfter::Seconds(u64::MAX)),
        1 => (0_u64..50).prop_map(RetryAfter::Date),
        1 => prop::sample::select(vec![RetryAfter::Text("soon"), RetryAfter::Text("99999999999999999999999")]),
    ];
    let date = prop_oneof![5 => Just(Date::Right), 1 => Just(Date::Missing), 1 => Just(Date::Cached), 1 => (-100_000_i64..100_000).prop_map(Date::Lie)];
    let body = prop_oneof![
        5 => Just(Body::Good),
        3 => any::<Index>().prop_map(Body::Part),
        2 => prop::sample::select(vec!["0", "0300008", "0300009", "0300011", "0300026", "0300025", "x"]).prop_map(|code| Body::Other(envelope(code))),
        1 => prop::collection::vec(any::<u8>(), 0..40).prop_map(Body::Other),
        1 => Just(Body::Other(b"<html>502 Bad Gateway</html>".to_vec())),
        1 => Just(Body::Other(zip(b"another file"))),
    ];
    let length_off =
        prop_oneof![4 => Just(Some(0)), 3 => Just(None), 1 => (-3_i64..3).prop_map(Some)];
    let pause = prop_oneof![3 => Just(Duration::ZERO), 1 => duration(3_000)];
    let breaks = prop::option::weighted(
        0.25,
        (
            any::<Index>(),
            prop::sample::select(vec![
                BodyBroken,
                Broken,
                IdleTimeout,
                InvalidHttp,
                Resolve,
                Connect,
                Tls(TlsFailure::Other),
            ]),
        ),
    );
    let trip =
        prop_oneof![4 => [duration(200), duration(200)], 1 => [duration(12_000), duration(12_000)]];
    (
        trip,
        fails,
        status,
        (retry_after, date),
        (body, length_off),
        prop::collection::vec(any::<Index>(), 0..4),
        (pause, breaks),
    )
        .prop_map(
            |(
                trip,
                fails,
                status,
                (retry_after, date),
                (body, length_off),
                cuts,
                (pause, breaks),
            )| Mood {
                trip,
                fails,
                status,
                retry_after,
                date,
                body,
                length_off,
                cuts,
                pause,
                breaks,
            },
        )
}

fn drift() -> impl Strategy<Value = i64> {
    const YEAR: i64 = 365 * 86_400_000;
    prop_oneof![2 => Just(0), 2 => -5_000_i64..5_000, 2 => -86_400_000_i64..86_400_000, 1 => -20 * YEAR..20 * YEAR]
}

fn script() -> impl Strategy<Value = Script> {
    let assumed = prop_oneof![4 => Just(0), 1 => -100_000_i64..100_000, 1 => prop::sample::select(vec![i64::MIN, -1_700_000_001_000, i64::MAX])];
    let write_time = prop_oneof![2 => Just(Duration::ZERO), 1 => duration(5_000)];
    // Miri takes some hundred times as long for each byte and each signature.
    let (content, attempts) = if cfg!(miri) { (20, 4) } else { (200, 7) };
    let file = prop::collection::vec(any::<u8>(), 0..content)
        .prop_map(|content| Bytes::from(zip(&content)));
    let moods = prop::collection::vec(mood(), 0..attempts);
    let sink = prop::sample::select(vec![SinkKind::Once, SinkKind::Rewinds]);
    (
        policy(),
        sink,
        any::<bool>(),
        (drift(), assumed, 0_u64..600),
        file,
        moods,
        (write_time, any::<u64>()),
    )
        .prop_map(
            |(
                policy,
                sink,
                starts_job,
                (drift, assumed, window),
                file,
                moods,
                (write_time, jitter),
            )| Script {
                policy,
                sink,
                starts_job,
                drift,
                assumed,
                window: Duration::from_secs(window),
                file,
                moods,
                write_time,
                jitter,
            },
        )
}

/// The expected result of an attempt, determined independently of the exchange.
#[derive(Debug, PartialEq)]
enum End {
    Transport(FailureKind),
    Refused(u16),
    Envelope(ResultCode),
    Truncated,
    Useless,
    File,
}

impl End {
    fn of(attempt: &Attempt, script: &Script) -> Self {
        let Some(status) = attempt.status else { return Self::Transport(attempt.failure.unwrap()) };
        if !status.is_success() {
            return Self::Refused(status.as_u16());
        }
        let expected =
            if script.starts_job { Expected::Envelope } else { Expected::File(&[FileKind::Zip]) };
        let mut classifier = Classifier::new(status, &attempt.headers, expected);
        for chunk in &attempt.chunks {
            if classifier.push(chunk.clone()).is_err() {
                return Self::Useless;
            }
        }
        match (attempt.failure, classifier.finish()) {
            // The response had begun, so the request had arrived, whatever the driver says.
            (Some(failure), _) if failure.never_arrived() || failure == FailureKind::Broken => {
                Self::Transport(FailureKind::BodyBroken)
            }
            (Some(failure), _) => Self::Transport(failure),
            (None, Ok(Classified::File(_))) => Self::File,
            (None, Ok(Classified::Envelope(envelope))) => Self::Envelope(envelope.code().clone()),
            (None, Err(AnswerError::Truncated { .. })) => Self::Truncated,
            (None, _) => Self::Useless,
        }
    }

    fn is_try_later(&self) -> bool {
        match self {
            Self::Refused(status) => matches!(status, 429 | 503),
            Self::Envelope(code) => matches!(code.as_str(), "0300008" | "0300009"),
            _ => false,
        }
    }

    /// The table of requests that may be retried.
    fn may_be_repeated(&self, script: &Script) -> bool {
        use FailureKind::{Connect, InvalidHttp, Resolve, Tls};
        match self {
            Self::Transport(Resolve | Connect) => true,
            Self::Transport(Tls(_) | InvalidHttp) => false,
            Self::Transport(_) | Self::Truncated => !script.starts_job,
            other => other.is_try_later(),
        }
    }
}

/// The shortest and the longest wait after attempt number `number` (from 1).
fn waits(attempt: &Attempt, end: &End, number: usize, policy: &Policy) -> (Duration, Duration) {
    let base = match (end.is_try_later(), attempt.retry_after) {
        (true, Some(after)) => return (after, after),
        (true, None) => policy.busy_backoff,
        (false, _) => policy.backoff,
    };
    let longest = (base * (1 << (number - 1))).min(policy.max_backoff);
    (longest / 2, longest)
}

proptest! {
    #![proptest_config(cases(128))]

    #[test]
    fn every_run_ends_within_its_deadline_and_its_attempts(script in script()) {
        let run = run(&script, false);
        // The time that the sink needs for the pieces of one chunk counts as the driver's.
        prop_assert!(run.over <= script.policy.total_timeout + 2 * script.write_time);
        // The attempt with a corrected clock is not a retry.
        let corrected = usize::from(run.correction != script.assumed);
        prop_assert!(run.attempts.len() <= script.policy.max_retries as usize + 1 + corrected);
        if let Err(error) = &run.outcome {
            prop_assert_eq!(error.attempts as usize, run.attempts.len());
            prop_assert!(!error.to_string().is_empty());
        }
    }

    #[test]
    fn equal_inputs_give_equal_steps(script in script()) {
        prop_assert_eq!(run(&script, false), run(&script, false));
    }

    #[test]
    fn calls_out_of_turn_are_errors_and_change_nothing(script in script()) {
        prop_assert_eq!(run(&script, true), run(&script, false));
    }

    #[test]
    fn every_attempt_is_signed_again_for_its_own_time(script in script()) {
        let run = run(&script, false);
        let coarse = if script.policy.precision == Precision::Seconds { 999 } else { 0 };
        for attempt in &run.attempts {
            prop_assert_eq!(&attempt.body, &run.attempts[0].body);
            if is_writable(attempt) {
                prop_assert!((attempt.correction - coarse..=attempt.correction).contains(&attempt.ahead));
            }
        }
        prop_assert!(run.attempts.first().is_none_or(|first| first.correction == script.assumed));
    }

    #[test]
    fn a_refused_signature_is_not_sent_again_but_for_one_corrected_clock(script in script()) {
        let run = run(&script, false);
        let mut corrections = 0;
        for pair in run.attempts.windows(2) {
            let (refused, next) = (&pair[0], &pair[1]);
            match refused.status.map(|status| status.as_u16()) {
                Some(401) => {
                    corrections += 1;
                    let threshold = script.policy.skew_threshold.expect("switched off");
                    prop_assert!(u128::from(next.correction.abs_diff(refused.correction)) > threshold.as_millis());
                }
                Some(403) => prop_assert!(false, "an attempt after a lock"),
                _ => prop_assert_eq!(next.correction, refused.correction, "a changed clock without a refusal"),
            }
        }
        prop_assert!(corrections <= 1);
    }

    #[test]
    fn only_what_may_be_repeated_is_and_not_before_its_time(script in script()) {
        let run = run(&script, false);
        for (nth, pair) in run.attempts.windows(2).enumerate() {
            let end = End::of(&pair[0], &script);
            let gap = pair[1].sent.saturating_sub(pair[0].ended);
            if end == End::Refused(401) {
                prop_assert_eq!(gap, Duration::ZERO);
                continue;
            }
            prop_assert!(end.may_be_repeated(&script), "{:?}", end);
            let (shortest, longest) = waits(&pair[0], &end, nth + 1, &script.policy);
            prop_assert!(shortest <= gap && gap <= longest, "{:?} not in {:?} to {:?}", gap, shortest, longest);
        }
    }

    /// The reverse: where another attempt is allowed, there is one.
    #[test]
    fn a_run_does_not_give_up_early(script in script()) {
        let run = run(&script, false);
        let (Err(error), Some(last)) = (&run.outcome, run.attempts.last()) else { return Ok(()) };
        let end = End::of(last, &script);
        let written = last.written > 0 && script.sink == SinkKind::Once;
        let exhausted = run.attempts.len() > script.policy.max_retries as usize;
        let (shortest, longest) = waits(last, &end, run.attempts.len(), &script.policy);
        let deadline = script.policy.total_timeout;
        if let ErrorKind::TotalTimeout { limit, .. } = &error.kind {
            prop_assert_eq!(*limit, deadline);
            prop_assert!(run.over >= deadline || last.ended.saturating_add(longest) >= deadline);
        } else if end.may_be_repeated(&script) && !written && run.over < deadline {
            prop_assert!(exhausted || shortest > script.policy.max_backoff, "{}", error);
        }
    }

    /// Property: silence until the end of the total timeout is reported as the total timeout, so
    /// the caller does not raise the idle timeout in vain.
    #[test]
    fn an_idle_timeout_is_reported_before_the_total_timeout(script in script()) {
        let run = run(&script, false);
        let Err(error) = &run.outcome else { return Ok(()) };
        let kind = match &error.kind {
            ErrorKind::Interrupted { cause, .. } => cause,
            kind => kind,
        };
        if let ErrorKind::Transport(failure) = kind {
            prop_assert!(failure.kind() != FailureKind::IdleTimeout || run.over < script.policy.total_timeout);
        }
    }

    #[test]
    fn the_error_is_that_of_the_last_attempt(script in script()) {
        let run = run(&script, false);
        let Some(last) = run.attempts.last() else { return Ok(()) };
        let end = End::of(last, &script);
        let kind = match &run.outcome {
            Ok(answer) => {
                let good = if script.starts_job { end == End::Envelope(ResultCode::Success) } else { end == End::File };
                prop_assert!(good && !answer.is_empty(), "{:?}", end);
                return Ok(());
            }
            Err(error) => error.kind.root(),
        };
        let told = match (&end, kind) {
            (_, ErrorKind::TotalTimeout { cause: None, .. }) => run.over >= script.policy.total_timeout,
            (End::Refused(status), ErrorKind::Refused { refusal, .. }) => refusal.status.as_u16() == *status,
            (End::Envelope(code), ErrorKind::ResultCode { code: told, .. }) => told == code,
            (End::Envelope(code), ErrorKind::Answer(_)) => code.is_success(),
            (End::Truncated, ErrorKind::Answer(error)) => matches!(error, AnswerError::Truncated { .. }),
            (End::Useless, ErrorKind::Answer(error)) => !matches!(error, AnswerError::Truncated { .. }),
            (End::Transport(failure), ErrorKind::Transport(reported)) => reported.kind() == *failure,
            _ => false,
        };
        // A deadline in the middle of an attempt reports the attempt before.
        let cut = matches!(&run.outcome, Err(error) if is_deadline(&error.kind)) && run.over >= script.policy.total_timeout;
        prop_assert!(told || cut, "{:?} is told as {:?}", end, kind);
    }

    #[test]
    fn the_sink_gets_the_file_or_the_error_says_how_much_of_it(script in script()) {
        let run = run(&script, false);
        let written: u64 = run.attempts.iter().map(|attempt| attempt.written).sum();
        if script.starts_job {
            prop_assert_eq!(written, 0);
        }
        match (&run.outcome, script.sink) {
            (Ok(_), _) => {
                let last: Vec<u8> = run.attempts.last().unwrap().chunks.concat();
                let expected = if script.starts_job { Vec::new() } else { last };
                prop_assert_eq!(&run.sink, &expected);
            }
            (Err(error), SinkKind::Once) => match &error.kind {
                ErrorKind::Interrupted { handed_over, .. } => {
                    prop_assert!(*handed_over > 0);
                    prop_assert_eq!(*handed_over, run.sink.len() as u64);
                    prop_assert!(error.to_string().contains(&handed_over.to_string()));
                }
                kind => prop_assert_eq!(written, 0, "{:?}", kind),
            },
            (Err(_), _) => {}
        }
        if script.sink == SinkKind::Once {
            prop_assert_eq!(run.rewinds, 0);
            prop_assert!(run.attempts.iter().rev().skip(1).all(|attempt| attempt.written == 0), "an attempt after a byte was handed over");
        }
    }

    /// After any failures, a download from a server without faults is complete.
    #[test]
    fn a_sink_that_can_start_over_ends_with_the_servers_file(file in prop::collection::vec(any::<u8>(), 0..200), moods in prop::collection::vec(trouble(), 0..4)) {
        let script = Script { sink: SinkKind::Rewinds, file: zip(&file).into(), moods, ..healthy(0, &[]) };
        let run = run(&script, false);
        prop_assert!(run.outcome.is_ok(), "{:?}", run.outcome);
        prop_assert_eq!(run.attempts.len(), script.moods.len() + 1);
        prop_assert_eq!(Bytes::from(run.sink), script.file);
        let spoilt = run.attempts.iter().rev().skip(1).filter(|attempt| attempt.written > 0).count();
        prop_assert_eq!(run.rewinds, spoilt);
    }
}

/// What a download gets over.
fn trouble() -> impl Strategy<Value = Mood> {
    use FailureKind::{BodyBroken, Broken, Connect, IdleTimeout, Resolve};
    let good = || Mood::good([Duration::from_millis(20); 2]);
    let cuts = prop::collection::vec(any::<Index>(), 0..5);
    prop_oneof![
        (cuts, any::<Index>(), prop::sample::select(vec![BodyBroken, Broken, IdleTimeout]))
            .prop_map(move |(cuts, at, failure)| Mood {
                cuts,
                breaks: Some((at, failure)),
                ..good()
            }),
        (0_usize..5).prop_map(move |lost| Mood {
            length_off: Some(i64::try_from(lost).unwrap() + 1),
            ..good()
        }),
        prop::sample::select(vec![Resolve, Connect, Broken, IdleTimeout])
            .prop_map(move |failure| Mood { fails: Some(failure), ..good() }),
        prop::sample::select(vec![429, 503]).prop_map(move |status| Mood { status, ..good() }),
        Just(Mood { body: Body::Other(envelope("0300008")), ..good() }),
    ]
}

/// Where the corrected time cannot be represented, the nearest valid one is used.
fn is_writable(attempt: &Attempt) -> bool {
    attempt.correction.unsigned_abs() < 1_699_999_000_000
}

fn is_deadline(kind: &ErrorKind) -> bool {
    match kind {
        ErrorKind::TotalTimeout { .. } => true,
        ErrorKind::Interrupted { cause, .. } => is_deadline(cause),
        _ => false,
    }
}

fn healthy(drift: i64, trips: &[[Duration; 2]]) -> Script {
    Script {
        policy: Policy::default(),
        sink: SinkKind::Once,
        starts_job: false,
        drift,
        assumed: 0,
        window: Duration::from_secs(120),
        file: zip(b"some content").into(),
        moods: trips.iter().map(|trip| Mood::good(*trip)).collect(),
        write_time: Duration::ZERO,
        jitter: 1,
    }
}

fn refusals(run: &Run) -> usize {
    run.attempts
        .iter()
        .filter(|attempt| attempt.status.is_some_and(|status| status.as_u16() == 401))
        .count()
}

proptest! {
    #![proptest_config(cases(96))]

    /// The server's window is longer than the threshold, so a clock is either good enough or bad enough to be corrected.
    #[test]
    fn any_constant_drift_is_corrected_with_one_refusal_and_then_remembered(
        drift in drift(), trips in prop::collection::vec([duration(4_900), duration(4_900)], 2..3), starts_job in any::<bool>(), max_retries in 1_u32..4,
    ) {
        let mut script = Script { starts_job, ..healthy(drift, &trips) };
        script.policy.max_retries = max_retries;
        let first = run(&script, false);
        prop_assert!(first.outcome.is_ok(), "{:?}", first.outcome);
        prop_assert!(refusals(&first) <= 1);
        prop_assert_eq!(first.attempts.len(), 1 + refusals(&first));
        prop_assert_eq!(first.correction != 0, refusals(&first) == 1);
        let bound = 500 + 4_900 / 2 + 1;
        let measured = first.skew.unwrap();
        prop_assert!((measured - drift).abs() <= bound, "measured {} for {}", measured, drift);

        let second = run(&Script { assumed: first.correction, ..script }, false);
        prop_assert!(second.outcome.is_ok(), "{:?}", second.outcome);
        prop_assert_eq!(refusals(&second), 0);
        prop_assert_eq!(second.attempts.len(), 1);
    }

    /// A correction that was right once and is wrong now, because the clock was set, is corrected in turn.
    #[test]
    fn a_stale_correction_is_corrected(drift in drift(), stale in drift()) {
        let run = run(&Script { assumed: stale, ..healthy(drift, &[]) }, false);
        prop_assert!(run.outcome.is_ok(), "{:?}", run.outcome);
        prop_assert!(refusals(&run) <= 1);
    }

    #[test]
    fn a_server_that_refuses_every_signature_sees_at_most_two(drift in drift(), lies in prop::collection::vec(drift(), 8), max_retries in 0_u32..7, switched_off in any::<bool>()) {
        let mut script = healthy(drift, &[]);
        script.policy.max_retries = max_retries;
        if switched_off {
            script.policy.skew_threshold = None;
        }
        script.moods = lies.iter().map(|lie| Mood { status: 401, date: Date::Lie(lie / 1000), ..Mood::good([Duration::ZERO; 2]) }).collect();
        let run = run(&script, false);
        let error = run.outcome.unwrap_err();
        prop_assert!(error.is_auth(), "{}", error);
        let most = if switched_off { 1 } else { 2 };
        prop_assert!(run.attempts.len() <= most);
    }
}
