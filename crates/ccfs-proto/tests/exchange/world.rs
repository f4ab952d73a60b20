//! A server with moods and a driver without sleep: one exchange played from the first poll to its end.

use std::fmt::Debug;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use ccfs_proto::auth::Freshness;
use ccfs_proto::exchange::OutOfTurn;
use ccfs_proto::{
    Credentials, DownloadAgentSkillInfoFile, Exchange, ExchangeError, FailureKind, Now, Operation,
    Policy, QueryAgentSkillInfoData, RequestView, SinkKind, Step, Timestamp, Verifier,
};
use http::{HeaderMap, Request, StatusCode, header};
use proptest::sample::Index;

/// The caller's clock when the exchange begins.
const START: Timestamp = Timestamp::from_unix_millis(1_700_000_000_250);
/// Bodies that are one good answer each.
pub(crate) const JOB: &[u8] =
    br#"{"resultCode":"0","resultDesc":"success","resultData":{"responseId":"9239cb50a8384bb0ab503441bf089446"}}"#;
const REFUSAL: &[u8] = br#"{"timestamp":1532142010247,"status":401,"error":"Unauthorized","message":"No message available","path":"/x"}"#;

/// All that a run depends on.
#[derive(Clone, Debug)]
pub(crate) struct Script {
    pub(crate) policy: Policy,
    pub(crate) sink: SinkKind,
    /// Whether it starts a job, which must not be repeated lightly, instead of downloading.
    pub(crate) starts_job: bool,
    /// Milliseconds that the server's clock is ahead of the caller's.
    pub(crate) drift: i64,
    /// The correction that the caller assumes.
    pub(crate) assumed: i64,
    /// How old or young a signature the server takes.
    pub(crate) window: Duration,
    pub(crate) file: Bytes,
    /// What the server does, attempt by attempt; then it does well.
    pub(crate) moods: Vec<Mood>,
    /// How long the sink takes for each piece.
    pub(crate) write_time: Duration,
    /// What the source of random numbers gives.
    pub(crate) jitter: u64,
}

/// The behaviour of the server, or of the network, in one attempt.
#[derive(Clone, Debug)]
pub(crate) struct Mood {
    /// Time on the way to the server, and back.
    pub(crate) trip: [Duration; 2],
    /// The connection fails before an answer.
    pub(crate) fails: Option<FailureKind>,
    /// The status; 200 becomes 401 when the signature is not fresh.
    pub(crate) status: u16,
    pub(crate) retry_after: RetryAfter,
    pub(crate) date: Date,
    pub(crate) body: Body,
    /// The error of the declared length; `None` if it is not declared.
    pub(crate) length_off: Option<i64>,
    pub(crate) cuts: Vec<Index>,
    pub(crate) pause: Duration,
    /// The connection fails after this piece of the body.
    pub(crate) breaks: Option<(Index, FailureKind)>,
}

impl Mood {
    pub(crate) fn good(trip: [Duration; 2]) -> Self {
        Self {
            trip,
            fails: None,
            status: 200,
            retry_after: RetryAfter::None,
            date: Date::Right,
            body: Body::Good,
            length_off: Some(0),
            cuts: Vec::new(),
            pause: Duration::ZERO,
            breaks: None,
        }
    }
}

#[derive(Clone, Debug)]
pub(crate) enum RetryAfter {
    None,
    Seconds(u64),
    /// A date so many seconds after the server's time.
    Date(u64),
    Text(&'static str),
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Date {
    Right,
    /// Off by so many seconds.
    Lie(i64),
    Missing,
    /// With an `Age`, which marks it as the answer of a cache.
    Cached,
}

#[derive(Clone, Debug)]
pub(crate) enum Body {
    Good,
    /// The beginning of a good one.
    Part(Index),
    Other(Vec<u8>),
}

/// What happened to one attempt.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Attempt {
    pub(crate) sent: Duration,
    pub(crate) authorization: String,
    pub(crate) body: Bytes,
    /// Milliseconds that the signature's time is ahead of the caller's clock.
    pub(crate) ahead: i64,
    /// The correction of the clock that the exchange reports.
    pub(crate) correction: i64,
    pub(crate) status: Option<StatusCode>,
    pub(crate) headers: HeaderMap,
    pub(crate) chunks: Vec<Bytes>,
    /// How the connection failed; `None` when the body ended cleanly or was not read to its end.
    pub(crate) failure: Option<FailureKind>,
    /// When the exchange learned the last thing about it.
    pub(crate) ended: Duration,
    /// What `Retry-After` says, from when its answer came.
    pub(crate) retry_after: Option<Duration>,
    /// Bytes of it that went to the sink.
    pub(crate) written: u64,
}

/// A run from its first step to its last.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Run {
    pub(crate) attempts: Vec<Attempt>,
    pub(crate) rewinds: usize,
    pub(crate) sink: Vec<u8>,
    pub(crate) outcome: Result<String, ExchangeError>,
    pub(crate) over: Duration,
    pub(crate) correction: i64,
    pub(crate) skew: Option<i64>,
}

/// The next actor, according to the last step.
#[derive(Clone, Copy, PartialEq)]
enum Turn {
    Poll,
    Head,
    Body,
    Over,
}

pub(crate) fn credentials() -> Credentials {
    Credentials::from_text("4y0ycv90hl4ap9zc4", "nlXwsoKh".to_owned()).unwrap()
}

/// Plays the script. With `probing`, everything that is out of turn is tried at every step.
pub(crate) fn run(script: &Script, probing: bool) -> Run {
    if script.starts_job {
        let time = |text: &str| text.parse().unwrap();
        let operation = QueryAgentSkillInfoData::new(
            time("2023-04-06 00:00:00"),
            time("2023-04-07 00:00:00"),
            "https://10.9.8.7/callback",
        );
        play(operation, script, probing)
    } else {
        play(
            DownloadAgentSkillInfoFile::new(
                "20230406_9239cb50a8384bb0ab503441bf089446.zip".parse().unwrap(),
            ),
            script,
            probing,
        )
    }
}

fn play<O: Operation>(operation: O, script: &Script, probing: bool) -> Run
where
    O::Answer: Debug,
{
    let endpoint = "https://10.1.2.3:8443/gateway".parse().unwrap();
    let mut random = script.jitter;
    let mut exchange = Exchange::new(operation, &endpoint, &credentials(), &script.policy)
        .unwrap()
        .sink(script.sink)
        .jitter(move || {
            random = random
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            random
        })
        .assume_correction(script.assumed);
    let mut clock = Clock(Duration::ZERO);
    let (mut attempts, mut sink, mut rewinds) = (Vec::<Attempt>::new(), Vec::new(), 0);
    let mut rest = Rest::default();
    if probing {
        probe(&mut exchange, clock.now(), Turn::Poll);
    }
    for _ in 0..10_000 {
        let step = exchange.poll(clock.now()).unwrap();
        match step {
            Step::Send { request, idle_timeout, remaining, .. } => {
                assert!(idle_timeout <= remaining);
                attempts.push(Attempt::new(&request, clock.0, exchange.correction()));
                if probing {
                    probe(&mut exchange, clock.now(), Turn::Head);
                }
                let (number, attempt) = (attempts.len(), attempts.last_mut().unwrap());
                let mood = script
                    .moods
                    .get(number - 1)
                    .cloned()
                    .unwrap_or_else(|| Mood::good([Duration::ZERO; 2]));
                match answer(script, mood, &request, &mut clock, idle_timeout) {
                    Ok(answered) => {
                        attempt.take(&answered, clock.now().wall);
                        exchange.on_head(clock.now(), answered.status, &answered.headers).unwrap();
                        rest = answered.rest;
                    }
                    Err(failure) => {
                        attempt.failure = Some(failure);
                        exchange.on_failure(clock.now(), failure).unwrap();
                    }
                }
                attempt.ended = clock.0;
            }
            Step::Receive { idle_timeout } => {
                if probing {
                    probe(&mut exchange, clock.now(), Turn::Body);
                }
                let attempt = attempts.last_mut().unwrap();
                match rest.next(&mut clock, idle_timeout) {
                    Piece::Chunk(chunk) => {
                        attempt.chunks.push(chunk.clone());
                        exchange.on_body(clock.now(), chunk).unwrap();
                    }
                    Piece::End => exchange.on_end(clock.now()).unwrap(),
                    Piece::Failure(failure) => {
                        attempt.failure = Some(failure);
                        exchange.on_failure(clock.now(), failure).unwrap();
                    }
                }
                attempt.ended = clock.0;
            }
            Step::Write(bytes) => {
                assert!(!bytes.is_empty());
                attempts.last_mut().unwrap().written += bytes.len() as u64;
                sink.extend_from_slice(&bytes);
                clock.0 += script.write_time;
            }
            Step::Rewind => {
                assert_eq!(script.sink, SinkKind::Rewinds);
                rewinds += 1;
                sink.clear();
            }
            Step::Wait(duration) => {
                // A timer may fire early, and the exchange then asks for the rest.
                let early = script.jitter.is_multiple_of(2) && duration > Duration::from_millis(2);
                clock.0 += if early { duration / 2 } else { duration };
            }
            Step::Done(outcome) => {
                if probing {
                    probe(&mut exchange, clock.now(), Turn::Over);
                }
                assert_eq!(exchange.attempts() as usize, attempts.len());
                return Run {
                    attempts,
                    rewinds,
                    sink,
                    outcome: outcome.map(|answer| format!("{answer:?}")),
                    over: clock.0,
                    correction: exchange.correction(),
                    skew: exchange.clock_skew().map(|skew| skew.millis),
                };
            }
        }
        if probing && !matches!(exchange_turn(&exchange), Turn::Over) {
            probe(&mut exchange, clock.now(), Turn::Poll);
        }
    }
    panic!("the exchange does not end");
}

/// After every report the next thing is a poll.
fn exchange_turn<O: Operation>(exchange: &Exchange<O>) -> Turn {
    if format!("{exchange:?}").contains("is over") { Turn::Over } else { Turn::Poll }
}

/// Calls everything that is out of turn, and checks that nothing changes.
fn probe<O: Operation>(exchange: &mut Exchange<O>, now: Now, turn: Turn) {
    let later = Now { monotonic: now.monotonic + Duration::from_secs(3), ..now };
    let before = (
        format!("{exchange:?}"),
        exchange.attempts(),
        exchange.progress(),
        exchange.correction(),
        exchange.clock_skew(),
    );
    let refused = |result: Result<(), OutOfTurn>| {
        let error = result.unwrap_err();
        assert!(error.to_string().contains("out of turn"), "{error}");
    };
    if turn != Turn::Head {
        refused(exchange.on_head(later, StatusCode::OK, &HeaderMap::new()));
    }
    if turn != Turn::Body {
        refused(exchange.on_body(later, Bytes::from_static(b"PK")));
        refused(exchange.on_body(later, Bytes::new()));
        refused(exchange.on_end(later));
    }
    if !matches!(turn, Turn::Head | Turn::Body) {
        refused(exchange.on_failure(later, FailureKind::IdleTimeout));
    }
    if matches!(turn, Turn::Head | Turn::Over) {
        refused(exchange.poll(later).map(drop));
    }
    let after = (
        format!("{exchange:?}"),
        exchange.attempts(),
        exchange.progress(),
        exchange.correction(),
        exchange.clock_skew(),
    );
    assert_eq!(before, after);
}

/// Both of the caller's clocks.
struct Clock(Duration);

impl Clock {
    fn now(&self) -> Now {
        Now { wall: START.plus_millis(millis(self.0)), monotonic: self.0 }
    }
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap()
}

/// An answer whose head has arrived.
struct Answered {
    status: StatusCode,
    headers: HeaderMap,
    retry_after: RetryAfter,
    rest: Rest,
}

/// The body that will arrive.
#[derive(Default)]
struct Rest {
    chunks: std::collections::VecDeque<Bytes>,
    pause: Duration,
    failure: Option<FailureKind>,
}

enum Piece {
    Chunk(Bytes),
    End,
    Failure(FailureKind),
}

impl Rest {
    fn next(&mut self, clock: &mut Clock, idle_timeout: Duration) -> Piece {
        if self.pause > idle_timeout {
            clock.0 += idle_timeout;
            return Piece::Failure(FailureKind::IdleTimeout);
        }
        clock.0 += self.pause;
        match (self.chunks.pop_front(), self.failure) {
            (Some(chunk), _) => Piece::Chunk(chunk),
            (None, Some(failure)) => Piece::Failure(failure),
            (None, None) => Piece::End,
        }
    }
}

/// How the server answers a request.
fn answer(
    script: &Script,
    mood: Mood,
    request: &Request<Bytes>,
    clock: &mut Clock,
    idle_timeout: Duration,
) -> Result<Answered, FailureKind> {
    let sent = clock.0;
    if mood.trip[0] + mood.trip[1] > idle_timeout {
        clock.0 += idle_timeout;
        return Err(FailureKind::IdleTimeout);
    }
    clock.0 += mood.trip[0];
    if let Some(failure) = mood.fails {
        return Err(failure);
    }
    let server = clock.now().wall.plus_millis(script.drift);
    let status = match mood.status {
        200 if !is_accepted(script, request, server) => 401,
        status => status,
    };
    clock.0 = sent + mood.trip[0] + mood.trip[1];

    let body = match (&mood.body, status) {
        (_, 401 | 403) => Bytes::from_static(REFUSAL),
        (Body::Good, _) => good_body(script),
        (Body::Part(end), _) => {
            let good = good_body(script);
            good.slice(..end.index(good.len()))
        }
        (Body::Other(bytes), _) => Bytes::from(bytes.clone()),
    };
    let mut headers = HeaderMap::new();
    if let Some(off) = mood.length_off {
        let declared = i64::try_from(body.len()).unwrap() + off;
        headers.insert(header::CONTENT_LENGTH, u64::try_from(declared).unwrap_or(0).into());
    }
    let date = |millis: i64| {
        let time =
            SystemTime::UNIX_EPOCH + Duration::from_millis(u64::try_from(millis).unwrap_or(0));
        httpdate::fmt_http_date(time).parse().unwrap()
    };
    match mood.date {
        Date::Missing => {}
        Date::Lie(seconds) => drop(
            headers.insert(header::DATE, date(server.plus_millis(seconds * 1000).unix_millis())),
        ),
        Date::Right => drop(headers.insert(header::DATE, date(server.unix_millis()))),
        Date::Cached => {
            headers.insert(header::DATE, date(server.unix_millis()));
            headers.insert(header::AGE, 5.into());
        }
    }
    match mood.retry_after {
        RetryAfter::None => {}
        RetryAfter::Seconds(seconds) => drop(headers.insert(header::RETRY_AFTER, seconds.into())),
        RetryAfter::Date(seconds) => {
            let at = i64::try_from(seconds).unwrap() * 1000;
            headers.insert(header::RETRY_AFTER, date(server.plus_millis(at).unix_millis()));
        }
        RetryAfter::Text(text) => drop(headers.insert(header::RETRY_AFTER, text.parse().unwrap())),
    }
    let mut rest = Rest { chunks: cut(&body, &mood.cuts), pause: mood.pause, failure: None };
    if let Some((at, failure)) = mood.breaks {
        rest.chunks.truncate(at.index(rest.chunks.len() + 1));
        rest.failure = Some(failure);
    }
    Ok(Answered {
        status: StatusCode::from_u16(status).unwrap(),
        headers,
        retry_after: mood.retry_after,
        rest,
    })
}

fn good_body(script: &Script) -> Bytes {
    if script.starts_job { Bytes::from_static(JOB) } else { script.file.clone() }
}

fn cut(body: &Bytes, cuts: &[Index]) -> std::collections::VecDeque<Bytes> {
    let mut ends: Vec<usize> =
        cuts.iter().map(|cut| cut.index(body.len() + 1)).chain([body.len()]).collect();
    ends.sort_unstable();
    let mut start = 0;
    ends.into_iter().map(|end| body.slice(std::mem::replace(&mut start, end)..end)).collect()
}

/// How the server verifies a signature, by its own clock.
fn is_accepted(script: &Script, request: &Request<Bytes>, server: Timestamp) -> bool {
    let window = Freshness { past: script.window, future: script.window };
    verified_at(&Verifier::new(&credentials()).freshness(window), request, server).is_some()
}

/// The time of a request's signature, if `verifier` accepts it at that time.
fn verified_at(verifier: &Verifier, request: &Request<Bytes>, now: Timestamp) -> Option<Timestamp> {
    let headers: Vec<_> = request
        .headers()
        .iter()
        .map(|(name, value)| (name.as_str(), value.to_str().unwrap()))
        .collect();
    let view = RequestView {
        method: request.method().as_str(),
        path: request.uri().path(),
        query: &[],
        headers: &headers,
        body: request.body(),
    };
    let authorization = request.headers()[header::AUTHORIZATION].to_str().unwrap();
    verifier.verify(authorization, view, now).ok().map(|verified| verified.timestamp)
}

impl Attempt {
    fn new(request: &Request<Bytes>, sent: Duration, correction: i64) -> Self {
        let authorization = &request.headers()[header::AUTHORIZATION];
        assert!(authorization.is_sensitive());
        let now = Clock(sent).now().wall;
        let signed = verified_at(&Verifier::new(&credentials()), request, now)
            .expect("every attempt is signed again and rightly");
        Self {
            sent,
            authorization: authorization.to_str().unwrap().to_owned(),
            body: request.body().clone(),
            ahead: signed.millis_since(now),
            correction,
            status: None,
            headers: HeaderMap::new(),
            chunks: Vec::new(),
            failure: None,
            ended: sent,
            retry_after: None,
            written: 0,
        }
    }

    fn take(&mut self, answered: &Answered, wall: Timestamp) {
        self.status = Some(answered.status);
        self.headers = answered.headers.clone();
        let date = |name| {
            let text = answered.headers.get(name)?.to_str().ok()?;
            let since = httpdate::parse_http_date(text)
                .ok()?
                .duration_since(SystemTime::UNIX_EPOCH)
                .ok()?;
            Some(millis(since))
        };
        self.retry_after = match answered.retry_after {
            RetryAfter::None | RetryAfter::Text("soon") => None,
            RetryAfter::Text(_) => Some(Duration::from_secs(u64::MAX)),
            RetryAfter::Seconds(seconds) => Some(Duration::from_secs(seconds)),
            RetryAfter::Date(_) => {
                let from = date(header::DATE).unwrap_or(wall.unix_millis());
                date(header::RETRY_AFTER)
                    .map(|until| Duration::from_millis(u64::try_from(until - from).unwrap_or(0)))
            }
        };
    }
}
