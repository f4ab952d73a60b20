//! Properties of receiving callbacks over real sockets, at a fixed time.

use std::collections::BTreeMap;
use std::sync::OnceLock;
use std::time::Duration;

use crate::support::{ANY_PORT, Call, ManualClock, NOW, builder, event, fresh, send, send_in};
use ccfs_driver::Clock;
use ccfs_listener::{Listener, Refusal};
use ccfs_proto::auth::Freshness;
use ccfs_proto::callback::{Callback, ReceiveError};
use proptest::prelude::*;
use proptest::test_runner::{Config, FileFailurePersistence};

fn cases(cases: u32) -> Config {
    Config {
        cases,
        failure_persistence: Some(Box::new(FileFailurePersistence::Direct(
            "tests/regressions/properties.txt",
        ))),
        ..Config::default()
    }
}

/// Each property has its own listener, so that all events are of that property.
fn shared(cell: &'static OnceLock<Listener>) -> &'static Listener {
    cell.get_or_init(|| builder().path("/callback").bind(ANY_PORT.into()).unwrap())
}

/// What the server or an attacker does.
#[derive(Clone, Debug)]
enum Act {
    /// Calls for a job, signed so many seconds ago.
    Call { job: usize, ago: i64 },
    /// Sends the same bytes once more as the act so many acts ago.
    Replay { back: usize },
    /// Sends them with one byte of body, path or signature changed.
    Forge { back: usize, at: usize, flip: u8 },
    /// Signs with another key.
    OtherKey { job: usize },
    /// Sends to another path.
    OtherPath { job: usize },
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        4 => (0..3_usize, -1200..1200_i64).prop_map(|(job, ago)| Act::Call { job, ago }),
        2 => (0..4_usize).prop_map(|back| Act::Replay { back }),
        2 => (0..4_usize, any::<usize>(), 1..255_u8).prop_map(|(back, at, flip)| Act::Forge { back, at, flip }),
        1 => (0..3_usize).prop_map(|job| Act::OtherKey { job }),
        1 => (0..3_usize).prop_map(|job| Act::OtherPath { job }),
    ]
}

/// Changes a byte of the body or of the signature, so that it is still an HTTP request.
fn forged(request: &[u8], at: usize, flip: u8) -> Vec<u8> {
    let mut bytes = request.to_vec();
    let head = bytes.windows(4).position(|four| four == b"\r\n\r\n").unwrap();
    let text = String::from_utf8_lossy(&bytes[..head]).into_owned();
    let signature_end = text
        .find("authorization: ")
        .map(|from| from + text[from..].find("\r\n").unwrap_or(text.len() - from))
        .unwrap();
    let places: Vec<usize> =
        (signature_end - 64..signature_end).chain(head + 4..bytes.len()).collect();
    let place = places[at % places.len()];
    // In the head, it must stay a valid header value.
    bytes[place] = if place < head {
        if bytes[place] == b'0' { b'1' } else { b'0' }
    } else {
        bytes[place] ^ flip
    };
    bytes
}

/// Random bytes, and requests with random bytes in them: some are HTTP, most are not.
fn garbage() -> impl Strategy<Value = Vec<u8>> {
    let request = Call::of(&fresh()).bytes();
    let len = request.len();
    let cut = (0..len, prop::collection::vec(any::<u8>(), 0..200))
        .prop_map(move |(at, noise)| [&request[..at], &noise].concat());
    let lines = prop::collection::vec("[ -~]{0,40}", 0..20).prop_map(|lines| {
        format!("POST /callback HTTP/1.1\r\n{}\r\n\r\n", lines.join("\r\n")).into_bytes()
    });
    prop_oneof![prop::collection::vec(any::<u8>(), 0..500), cut, lines]
}

proptest! {
    #![proptest_config(cases(40))]

    /// The pieces that a request arrives in do not matter.
    #[test]
    fn cuts_change_nothing(cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..12), each in any::<bool>()) {
        static LISTENER: OnceLock<Listener> = OnceLock::new();
        let listener = shared(&LISTENER);
        let callback = fresh();
        let bytes = Call::of(&callback).bytes();
        let mut at: Vec<usize> = cuts.iter().map(|cut| cut.index(bytes.len())).chain([0, bytes.len()]).collect();
        at.sort_unstable();
        let pieces: Vec<&[u8]> = if each { bytes.chunks(1).collect() } else { at.windows(2).map(|cut| &bytes[cut[0]..cut[1]]).collect() };
        let answer = send_in(listener.address(), &pieces);
        prop_assert_eq!(answer, (200, Callback::RECEIPT.to_owned()));
        let event = event(listener);
        prop_assert_eq!(event.callback, Ok(callback));
        prop_assert_eq!(event.at, NOW);
    }

    /// Each callback that is signed with the keys, in time and for the path, is handed out once. No
    /// other request is.
    #[test]
    fn each_callback_is_handed_out_once_and_nothing_else(acts in prop::collection::vec(act(), 1..14)) {
        static LISTENER: OnceLock<Listener> = OnceLock::new();
        let listener = shared(&LISTENER);
        let jobs = [fresh(), fresh(), fresh()];
        let mut sent: Vec<(Vec<u8>, Option<usize>)> = Vec::new();
        let mut expected = BTreeMap::<usize, usize>::new();
        let mut accepted = BTreeMap::<usize, usize>::new();
        for act in acts {
            let earlier = |back: usize| sent.len().checked_sub(back + 1).map(|at| sent[at].clone());
            let (bytes, job) = match act {
                Act::Call { job, ago } => {
                    // Each has another millisecond, so no two signatures are the same.
                    let millis = i64::try_from(sent.len()).unwrap() - ago * 1000;
                    let bytes = Call { at: NOW.plus_millis(millis), ..Call::of(&jobs[job]) }.bytes();
                    (bytes, (millis.abs() <= 15 * 60 * 1000).then_some(job))
                }
                Act::Replay { back } => match earlier(back) {
                    Some(known) => known,
                    None => continue,
                },
                Act::Forge { back, at, flip } => match earlier(back) {
                    Some((bytes, _)) => (forged(&bytes, at, flip), None),
                    None => continue,
                },
                Act::OtherKey { job } => (Call { secret: "another", ..Call::of(&jobs[job]) }.bytes(), None),
                Act::OtherPath { job } => (Call { path: "/other", ..Call::of(&jobs[job]) }.bytes(), None),
            };
            let (status, _) = send(listener.address(), &bytes);
            let event = event(listener);
            match job {
                // A second forgery may undo the first.
                None => prop_assert!(status != 200 && event.callback.is_err() || sent.iter().any(|(known, job)| known == &bytes && job.is_some())),
                Some(job) => {
                    prop_assert_eq!(status, 200, "a repetition gets 200, too, so that the server stops calling");
                    *expected.entry(job).or_default() = 1;
                    if let Err(refusal) = &event.callback {
                        prop_assert_eq!(refusal, &Refusal::Duplicate);
                    }
                }
            }
            if let Ok(callback) = event.callback {
                *accepted.entry(jobs.iter().position(|job| *job == callback).unwrap()).or_default() += 1;
            }
            sent.push((bytes, job));
        }
        prop_assert_eq!(accepted, expected);
    }

    /// A body larger than the limit is refused, with and without a declared length.
    #[test]
    fn the_body_is_bounded(limit in 0..3000_usize, len in 0..3000_usize, chunked in any::<bool>()) {
        let listener = builder().body_limit(limit).bind(ANY_PORT.into()).unwrap();
        let call = Call { body: vec![b' '; len], chunked, ..Call::of(&fresh()) };
        let (status, _) = send(listener.address(), &call.bytes());
        let refusal = event(&listener).callback.unwrap_err();
        if len > limit {
            prop_assert_eq!(refusal, Refusal::TooLarge { limit });
            // The body is not read, so the connection may be reset before the answer is read.
            prop_assert!(status == 413 || status == 0);
        } else {
            prop_assert!(matches!(refusal, Refusal::Invalid(ReceiveError::Body(_))), "{}", refusal);
            prop_assert_eq!(status, 400);
        }
    }

    /// After any bytes, the next callback is accepted.
    #[test]
    fn garbage_changes_nothing(garbage in garbage()) {
        static LISTENER: OnceLock<Listener> = OnceLock::new();
        let listener = shared(&LISTENER);
        let mut stream = std::net::TcpStream::connect(listener.address()).unwrap();
        let _ = std::io::Write::write_all(&mut stream, &garbage);
        drop(stream);
        let callback = fresh();
        prop_assert_eq!(send(listener.address(), &Call::of(&callback).bytes()).0, 200);
        // The event of the garbage, if any, may come before or after.
        loop {
            let event = event(listener);
            match event.callback {
                Ok(received) => break prop_assert_eq!(received, callback),
                Err(refusal) => prop_assert!(!refusal.to_string().is_empty()),
            }
        }
    }

    /// While the queue is full, callbacks are answered with 503. When the server calls again, none
    /// is lost or handed out twice. Requests with another key do not fill the queue.
    #[test]
    fn a_full_queue_loses_nothing(places in 1..5_usize, calls in 1..12_usize, other_keys in 0..4_usize) {
        let listener = builder().queue_limit(places).bind(ANY_PORT.into()).unwrap();
        let jobs: Vec<Callback> = (0..calls).map(|_| fresh()).collect();
        for _ in 0..other_keys {
            prop_assert_eq!(send(listener.address(), &Call { secret: "another", ..Call::of(&jobs[0]) }.bytes()).0, 401);
        }
        let mut waiting: Vec<&Callback> = jobs.iter().collect();
        let mut received = Vec::new();
        while !waiting.is_empty() {
            let free = places;
            let refused: Vec<&Callback> = waiting.iter().copied().filter(|job| {
                let (status, body) = send(listener.address(), &Call::of(job).bytes());
                assert!(status == 200 || status == 503 && !body.is_empty(), "{status}");
                status == 503
            }).collect();
            prop_assert_eq!(refused.len(), waiting.len().saturating_sub(free));
            for _ in 0..waiting.len() - refused.len() {
                loop {
                    if let Ok(callback) = event(&listener).callback {
                        break received.push(callback);
                    }
                }
            }
            waiting = refused;
        }
        received.sort_by_key(|callback| callback.file_name.clone());
        prop_assert_eq!(received, jobs);
    }
}

/// The replay guard keeps a job for as long as its signatures are fresh, although its default is a
/// day.
#[test]
fn a_long_freshness_allows_no_replay() {
    let days = |days: u64| Duration::from_secs(days * 24 * 3600);
    let clock = ManualClock::default();
    let freshness = Freshness { past: days(5), future: days(5) };
    let listener =
        builder().clock(clock.clone()).freshness(freshness).bind(ANY_PORT.into()).unwrap();
    let ahead = Call { at: NOW.plus_millis(4 * 24 * 3600 * 1000), ..Call::of(&fresh()) }.bytes();
    assert_eq!(send(listener.address(), &ahead).0, 200);
    assert!(event(&listener).callback.is_ok());
    clock.wait(days(8));
    // Another callback makes the guard forget what is too old.
    let other = Call { at: clock.now().wall, ..Call::of(&fresh()) }.bytes();
    assert_eq!(send(listener.address(), &other).0, 200);
    assert!(event(&listener).callback.is_ok());
    assert_eq!(send(listener.address(), &ahead).0, 200);
    assert_eq!(event(&listener).callback, Err(Refusal::Duplicate));
}
