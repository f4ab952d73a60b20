//! Any sequence of reports, truthful or not: what a broken driver could do.

use std::time::Duration;

use bytes::Bytes;
use ccfs_proto::exchange::TlsFailure;
use ccfs_proto::{Exchange, FailureKind, Now, Policy, QueryAgentSkillInfoData, Step, Timestamp};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use proptest::prelude::*;

use super::{cases, envelope, world};

/// A report of a driver.
#[derive(Clone, Debug)]
enum Report {
    Head {
        status: u16,
        /// Seconds that the server's `Date` is ahead; `None` without one.
        ahead: Option<i64>,
        /// Milliseconds from the request to the response.
        trip: i64,
    },
    Body(Vec<u8>),
    End,
    Failure(FailureKind),
}

fn report() -> impl Strategy<Value = Report> {
    let status = prop::sample::select(vec![200_u16, 200, 200, 401, 401, 403, 404, 429, 500, 503]);
    let ahead = prop::option::of(prop::sample::select(vec![0_i64, 59, -59, -3600, 3600]));
    let codes = vec!["0", "0300008", "0300009", "0300011", "0300025", "x"];
    let bodies = prop_oneof![
        prop::sample::select(codes).prop_map(envelope),
        Just(world::JOB.to_vec()),
        Just(Vec::new()),
        Just(b"PK\x03\x04".to_vec()),
    ];
    let failures = prop::sample::select(vec![
        FailureKind::Resolve,
        FailureKind::Connect,
        FailureKind::Tls(TlsFailure::Other),
        FailureKind::Broken,
        FailureKind::IdleTimeout,
        FailureKind::BodyBroken,
        FailureKind::InvalidHttp,
    ]);
    prop_oneof![
        3 => (status, ahead, 0_i64..10_000).prop_map(|(status, ahead, trip)| Report::Head { status, ahead, trip }),
        3 => bodies.prop_map(Report::Body),
        3 => Just(Report::End),
        3 => failures.prop_map(Report::Failure),
    ]
}

/// Single reports, and whole responses without a body.
fn reports() -> impl Strategy<Value = Vec<Report>> {
    let responses = report().prop_map(|report| match report {
        head @ Report::Head { .. } => vec![head, Report::End],
        other => vec![other],
    });
    let reports = prop_oneof![report().prop_map(|report| vec![report]), responses];
    prop::collection::vec(reports, 0..60).prop_map(|reports| reports.concat())
}

/// What was reported about one attempt.
#[derive(Default)]
struct Attempt {
    status: Option<u16>,
    body: Vec<u8>,
    /// Whether it ended so that another attempt does no harm.
    may_repeat: bool,
}

impl Attempt {
    /// Whether a refusal, as far as it arrived, allows another attempt.
    fn refusal_allows(&self, ahead: i64, corrected: &mut bool) -> bool {
        match self.status {
            Some(429 | 503) => true,
            Some(401) if ahead.abs() > 60 && !*corrected => {
                *corrected = true;
                true
            }
            _ => false,
        }
    }

    fn answer_allows(&self) -> bool {
        let busy = [envelope("0300008"), envelope("0300009")];
        self.status == Some(200) && busy.contains(&self.body)
    }
}

proptest! {
    #![proptest_config(cases(512))]

    #[test]
    fn a_job_is_requested_again_only_with_proof_that_it_does_no_harm(
        reports in reports(),
        max_retries in 0_u32..6,
    ) {
        let (begin, end) = ("2023-04-06 00:00:00".parse().unwrap(), "2023-04-07 00:00:00".parse().unwrap());
        let operation = QueryAgentSkillInfoData::new(begin, end, "https://10.9.8.7/callback");
        let policy = Policy::default().max_retries(max_retries).max_backoff(Duration::from_secs(9));
        let endpoint = "https://10.1.2.3:8443".parse().unwrap();
        let mut exchange = Exchange::new(operation, &endpoint, &world::credentials(), &policy).unwrap();
        let wall = Timestamp::from_unix_millis(1_700_000_000_000);
        let mut now = Now { wall, monotonic: Duration::ZERO };
        let (mut attempt, mut attempts) = (Attempt::default(), 0);
        // How far the server's clock is ahead, if this response shows it.
        let (mut measured, mut corrected) = (0, false);
        for report in reports {
            match exchange.poll(now) {
                Ok(Step::Send { .. }) => {
                    prop_assert!(attempts == 0 || attempt.may_repeat, "attempt {} has no excuse", attempts + 1);
                    attempts += 1;
                    attempt = Attempt::default();
                }
                Ok(Step::Wait(duration)) => now.monotonic += duration,
                Ok(Step::Done(_)) => break,
                Ok(Step::Receive { .. } | Step::Write(_) | Step::Rewind) | Err(_) => {}
            }
            match report {
                Report::Head { status, ahead, trip } => {
                    now.monotonic += Duration::from_millis(trip.unsigned_abs());
                    now.wall = now.wall.plus_millis(trip);
                    let mut headers = HeaderMap::new();
                    if let Some(ahead) = ahead {
                        let date = now.wall.plus_millis(ahead * 1000).unix_millis().unsigned_abs();
                        let date = std::time::UNIX_EPOCH + Duration::from_millis(date);
                        let date = HeaderValue::try_from(httpdate::fmt_http_date(date)).unwrap();
                        headers.insert(header::DATE, date);
                    }
                    if exchange.on_head(now, StatusCode::from_u16(status).unwrap(), &headers).is_ok() {
                        attempt.status = Some(status);
                        measured = ahead.unwrap_or(0);
                    }
                }
                Report::Body(body) => {
                    if exchange.on_body(now, Bytes::from(body.clone())).is_ok() {
                        attempt.body.extend(body);
                    }
                }
                Report::End => {
                    if exchange.on_end(now).is_ok() {
                        attempt.may_repeat = attempt.refusal_allows(measured, &mut corrected) || attempt.answer_allows();
                    }
                }
                Report::Failure(kind) => {
                    if exchange.on_failure(now, kind).is_ok() {
                        attempt.may_repeat = match attempt.status {
                            None => kind.never_arrived(),
                            Some(_) => attempt.refusal_allows(measured, &mut corrected),
                        };
                    }
                }
            }
        }
        prop_assert!(attempts <= max_retries + 1 + u32::from(corrected));
    }
}
