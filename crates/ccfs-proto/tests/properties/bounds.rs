//! Each limit is inclusive: a value at the limit is accepted, and one more is refused.

use std::time::Duration;

use bytes::Bytes;
use ccfs_proto::answer::{AnswerError, Classified, EnvelopeError, Expected, FileKind};
use ccfs_proto::auth::{AccessKey, AuthorizationHeader, AuthorizationHeaderError, KeyError};
use ccfs_proto::callback::{Callback, CallbackError};
use ccfs_proto::exchange::{ClockSkew, EndpointError, PreparedRequest, RequestError};
use ccfs_proto::operation::OperationRequest;
use ccfs_proto::{
    Classifier, Credentials, Endpoint, Envelope, ErrorKind, Exchange, FailureKind, Now, Policy,
    RequestView, Signer, Step, Timestamp,
};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use proptest::prelude::*;

use super::cases;

const WALL: Timestamp = Timestamp::from_unix_millis(1_700_000_000_000);
const MIB: usize = 1024 * 1024;

/// `limit`, a little less, or a little more.
fn around(limit: usize) -> impl Strategy<Value = usize> {
    limit - 2..=limit + 2
}

fn padded(json: &str, len: usize) -> String {
    format!("{json}{}", " ".repeat(len - json.len()))
}

fn credentials() -> Credentials {
    Credentials::from_text("ak", "sk".to_owned()).unwrap()
}

fn classify(
    chunks: &[&[u8]],
    expected: Expected,
    limits: (usize, u64),
) -> Result<Classified, AnswerError> {
    let classifier = Classifier::new(StatusCode::OK, &HeaderMap::new(), expected);
    let mut classifier = classifier.envelope_limit(limits.0).file_limit(limits.1);
    for chunk in chunks {
        classifier.push(Bytes::copy_from_slice(chunk))?;
    }
    classifier.finish()
}

proptest! {
    #![proptest_config(cases(32))]

    #[test]
    fn keys(access in around(128), secret in around(1024)) {
        let read = Credentials::from_text(&"a".repeat(access), "s".repeat(secret));
        let expected = match (access, secret) {
            (129.., _) => Some(KeyError::AccessKeyTooLong { len: access }),
            (_, 1025..) => Some(KeyError::SecretKeyTooLong { len: secret }),
            _ => None,
        };
        prop_assert_eq!(read.err(), expected);
    }

    #[test]
    fn authorization_headers(len in around(4096), names in around(32)) {
        let signature = "0".repeat(64);
        let start = "auth-v2/ak/2021-08-31T09:38:50.872Z/";
        let rest = format!(";host/{signature}");
        let long = format!("{start}{}{rest}", "x".repeat(len - start.len() - rest.len()));
        let refused = (len > 4096).then_some(AuthorizationHeaderError::TooLong { len });
        prop_assert_eq!(AuthorizationHeader::parse(&long).err(), refused);

        let list: Vec<String> = (1..names).map(|name| format!("x-{name}")).collect();
        let header = format!("{start}{};host/{signature}", list.join(";"));
        let refused = (names > 32).then_some(AuthorizationHeaderError::TooManyHeaders { count: names });
        prop_assert_eq!(AuthorizationHeader::parse(&header).err(), refused);
    }

    #[test]
    fn signed_parts(headers in around(32), parameters in around(64)) {
        let names: Vec<String> = (1..headers).map(|name| format!("x-{name}")).collect();
        let signed: Vec<_> = names.iter().map(|name| (name.as_str(), "")).chain([("host", "h")]).collect();
        let query = vec![("key", "value"); parameters];
        let request = RequestView { method: "GET", path: "/", query: &query, headers: &signed, body: b"" };
        let is_signed = Signer::new(&credentials()).sign(request, WALL).is_ok();
        prop_assert_eq!(is_signed, headers <= 32 && parameters <= 64);
    }

    #[test]
    fn endpoints(len in around(2048), host in around(253), label in around(63)) {
        let path = format!("https://h/{}", "a".repeat(len - "https://h/".len()));
        let refused = (len > 2048).then_some(EndpointError::TooLong { len });
        prop_assert_eq!(path.parse::<Endpoint>().err(), refused);

        let name = "a.".repeat(host / 2) + if host % 2 == 0 { "" } else { "a" };
        let name = name.trim_end_matches('.');
        let refused = (name.len() > 253).then_some(EndpointError::Host);
        prop_assert_eq!(format!("https://{name}").parse::<Endpoint>().err(), refused);
        let refused = (label > 63).then_some(EndpointError::Host);
        prop_assert_eq!(format!("https://{}", "a".repeat(label)).parse::<Endpoint>().err(), refused);
    }

    #[test]
    fn requests(headers in around(100), url in around(65_534)) {
        let endpoint: Endpoint = "https://h".parse().unwrap();
        let many = (0..headers).fold(OperationRequest::get("/p"), |request, n| request.header(format!("x-{n}"), ""));
        let refused = (headers > 100).then_some(RequestError::TooManyHeaders { len: headers });
        prop_assert_eq!(PreparedRequest::new(many, &endpoint).err(), refused);

        let long = OperationRequest::get("/p").query("k", "v".repeat(url - "/p?k=".len()));
        let refused = (url > 65_534).then_some(RequestError::UrlTooLong);
        prop_assert_eq!(PreparedRequest::new(long, &endpoint).err(), refused);
    }

    #[test]
    fn callbacks(len in around(Callback::BODY_LIMIT)) {
        let refused = if len > Callback::BODY_LIMIT { CallbackError::TooLarge } else { CallbackError::Missing { field: "msgBody" } };
        prop_assert_eq!(Callback::parse(padded("{}", len).as_bytes()), Err(refused));
    }

    #[test]
    #[cfg_attr(miri, ignore = "a megabyte takes long")]
    fn envelopes(len in around(MIB), cut in 0..30_usize) {
        let body = padded(r#"{"resultCode":"0"}"#, len);
        let refused = (len > MIB).then_some(EnvelopeError::TooLarge { limit: MIB });
        prop_assert_eq!(Envelope::parse(body.as_bytes()).err(), refused.clone());
        // The same limit, for an answer in chunks, is the default of the classifier and of a call.
        let (start, end) = body.as_bytes().split_at(cut);
        let read = classify(&[start, end], Expected::Envelope, (Policy::default().envelope_limit, 0));
        prop_assert_eq!(read.err(), refused.map(AnswerError::Envelope));
        let mut by_default = Classifier::new(StatusCode::OK, &HeaderMap::new(), Expected::Envelope);
        prop_assert_eq!(by_default.push(body.into()).is_ok(), len <= MIB);
    }

    #[test]
    fn files(len in around(100), cut in 0..30_usize) {
        let zip = [&b"PK\x03\x04"[..], &vec![0; len - 26], b"PK\x05\x06", &[0; 18]].concat();
        let (start, end) = zip.split_at(cut);
        let read = classify(&[start, end], Expected::File(&[FileKind::Zip]), (0, 100));
        let refused = (len > 100).then_some(AnswerError::FileTooLarge { limit: 100 });
        prop_assert_eq!(read.err(), refused);
    }

    /// White space before JSON is allowed up to a limit, and before a file not.
    #[test]
    fn blanks(count in around(64), mark in any::<bool>(), cut in 0..62_usize) {
        let mark = if mark { "\u{FEFF}" } else { "" };
        let (spaces, total) = (" ".repeat(count), count + mark.len());
        let judge = |text: String, expected| {
            let (start, end) = text.as_bytes().split_at(cut);
            classify(&[start, end], expected, (1000, 1000))
        };
        let white = AnswerError::Garbage { looks_like: "white space" };
        let json = judge(format!("{mark}{spaces}{{\"resultCode\":\"0\"}}"), Expected::Envelope);
        prop_assert_eq!(json.err(), (total > 64).then(|| white.clone()));
        let blank = judge(format!("{mark}{spaces}"), Expected::Envelope);
        prop_assert_eq!(blank, Err(if total > 64 { white } else { AnswerError::Empty }));
        let file = judge(format!("{mark}{}PK\x03\x04{:100}", &spaces[..count - 61], ""), Expected::File(&[FileKind::Zip]));
        let garbage = matches!(file, Err(AnswerError::Garbage { .. }));
        prop_assert!(garbage, "{:?}", file);
    }

    #[test]
    fn heads_of_responses(len in around(64 * 1024), fields in around(100)) {
        for headers in [
            HeaderMap::from_iter([(header::SERVER, HeaderValue::from_str(&"a".repeat(len - "server: \r\n".len())).unwrap())]),
            std::iter::repeat_n((header::SET_COOKIE, HeaderValue::from_static("a")), fields).collect(),
        ] {
            let name = "20230406_9239cb50a8384bb0ab503441bf089446.zip".parse().unwrap();
            let operation = ccfs_proto::DownloadAgentSkillInfoFile::new(name);
            let endpoint = "https://10.1.2.3".parse().unwrap();
            let mut exchange = Exchange::new(operation, &endpoint, &credentials(), &Policy::default()).unwrap();
            let now = Now { wall: WALL, monotonic: Duration::ZERO };
            exchange.poll(now).unwrap();
            exchange.on_head(now, StatusCode::OK, &headers).unwrap();
            let is_refused = match exchange.poll(now) {
                Ok(Step::Done(Err(error))) => error.kind == ErrorKind::Transport(FailureKind::HeadTooLarge.into()),
                _ => false,
            };
            let is_too_large = if headers.len() == 1 { len > 64 * 1024 } else { fields > 100 };
            prop_assert_eq!(is_refused, is_too_large);
        }
    }

    /// The clock is measured after a trip of up to 10 seconds, and if it moved with the monotonic
    /// one up to a second.
    #[test]
    fn trips(trip in 9_998_i64..=10_002, jump in 998_i64..=1002, back in any::<bool>()) {
        let jump = if back { -jump } else { jump };
        let date = httpdate::fmt_http_date(std::time::UNIX_EPOCH + Duration::from_secs(1_700_000_000));
        let headers = HeaderMap::from_iter([(header::DATE, date.parse().unwrap())]);
        let elapsed = Duration::from_millis(trip.unsigned_abs());
        let skew = ClockSkew::measure(WALL, WALL.plus_millis(trip), elapsed, &headers);
        prop_assert_eq!(skew.is_some(), trip <= 10_000);
        let short = ClockSkew::measure(WALL, WALL.plus_millis(jump), Duration::ZERO, &headers);
        prop_assert_eq!(short.is_some(), jump.abs() <= 1000);
        // The largest error counts in favour of the local clock.
        if let Some(skew) = skew {
            let least = skew.millis.abs() - skew.uncertainty_millis;
            for threshold in 0..=2_i64 {
                let threshold = least.max(0) + threshold - 1;
                let exceeds = skew.exceeds(Duration::from_millis(threshold.unsigned_abs()));
                prop_assert_eq!(exceeds, threshold >= 0 && least > threshold);
            }
        }
    }
}

#[test]
fn an_access_key_is_visible_ascii_without_a_slash() {
    for byte in 0..128_u8 {
        let text = format!("a{}", char::from(byte));
        let allowed = (b'!'..=b'~').contains(&byte) && byte != b'/';
        let refused = (!allowed).then_some(KeyError::AccessKeyCharacter { at: 1 });
        assert_eq!(AccessKey::new(&text).err(), refused, "{text:?}");
    }
}
