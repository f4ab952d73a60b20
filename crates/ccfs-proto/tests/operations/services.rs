//! Custom operations of other auth-v2 services: plain JSON, other success codes, extra headers.

use std::borrow::Cow;
use std::time::Duration;

use bytes::Bytes;
use ccfs_proto::answer::{
    Advice, AnswerError, Classified, EnvelopeError, Expected, FileKind, FileReceipt, RawJson,
};
use ccfs_proto::exchange::{PreparedRequest, RequestError};
use ccfs_proto::operation::{FieldError, OperationRequest, Received, Repeat};
use ccfs_proto::{
    AnyOperation, Classifier, Credentials, Endpoint, ErrorKind, Exchange, ExchangeError, Now,
    Operation, Policy, RequestView, ResultCode, Signer, Step, Timestamp, Verifier,
};
use http::{HeaderMap, Method, StatusCode};
use proptest::prelude::*;
use serde_json::Value;

use super::properties::cases;

const NOW: Timestamp = Timestamp::from_unix_millis(1_680_768_000_000);

fn credentials() -> Credentials {
    Credentials::from_text("ak", "sk".to_owned()).unwrap()
}

fn endpoint() -> Endpoint {
    "https://10.1.2.3:8443/gateway".parse().unwrap()
}

/// A list call with the codes of another service.
#[derive(Clone)]
struct List {
    expected: Expected,
    success: String,
    busy: String,
}

impl Operation for List {
    type Answer = Vec<Value>;

    fn interface(&self) -> Cow<'static, str> {
        format!("list until {}", self.success).into()
    }

    fn request(&self) -> Result<OperationRequest, FieldError> {
        Ok(OperationRequest::get("/rest/agents").query("limit", "10"))
    }

    fn repeat(&self) -> Repeat {
        Repeat::NotIdempotent
    }

    fn expected(&self) -> Expected {
        self.expected
    }

    fn is_success(&self, code: &ResultCode) -> bool {
        code.as_str() == self.success
    }

    fn advice(&self, code: &ResultCode) -> Advice {
        if code.as_str() == self.busy { Advice::TryLater } else { Advice::FixRequest }
    }

    fn meaning(&self, code: &ResultCode) -> Cow<'static, str> {
        format!("meaning of {}", code.as_str()).into()
    }

    fn answer(&self, received: Received) -> Result<Vec<Value>, AnswerError> {
        let json = if self.expected == Expected::Json {
            received.into_json()?
        } else {
            let data = received.into_envelope()?.data().cloned();
            data.ok_or_else(|| AnswerError::field("resultData"))?
        };
        match json.parse()? {
            Value::Array(list) => Ok(list),
            _ => Err(AnswerError::custom("the agents are not a list")),
        }
    }
}

/// Calls with these bodies as the answers, and returns the number of requests that were sent.
fn call<O: Operation>(operation: O, bodies: &[String]) -> (Result<O::Answer, ExchangeError>, u32) {
    let policy = Policy::default().max_retries(u32::try_from(bodies.len()).unwrap() - 1);
    let mut exchange = Exchange::new(operation, &endpoint(), &credentials(), &policy).unwrap();
    let mut now = Now { wall: NOW, monotonic: Duration::ZERO };
    let mut bodies = bodies.iter();
    let mut body = None;
    loop {
        match exchange.poll(now).unwrap() {
            Step::Send { .. } => {
                body = bodies.next().cloned();
                exchange.on_head(now, StatusCode::OK, &HeaderMap::new()).unwrap();
            }
            Step::Receive { .. } => match body.take() {
                Some(chunk) => exchange.on_body(now, chunk.into()).unwrap(),
                None => exchange.on_end(now).unwrap(),
            },
            Step::Wait(duration) => now.monotonic += duration,
            Step::Done(result) => return (result, exchange.attempts()),
            _ => panic!("an answer in JSON is not written to a sink"),
        }
    }
}

fn classify(chunks: &[&[u8]]) -> Result<Classified, AnswerError> {
    let mut classifier = Classifier::new(StatusCode::OK, &HeaderMap::new(), Expected::Json);
    for chunk in chunks {
        assert_eq!(classifier.push(Bytes::copy_from_slice(chunk))?, None);
    }
    classifier.finish()
}

fn json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,8}".prop_map(Value::from),
    ];
    let inner = leaf.prop_recursive(3, 16, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map(".{0,4}", inner, 0..4)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    });
    prop_oneof![
        prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
        prop::collection::btree_map("(resultCode|.{0,4})", inner, 0..4)
            .prop_map(|map| Value::Object(map.into_iter().collect())),
    ]
}

fn header_value() -> impl Strategy<Value = String> {
    "[!-~]([ -~]{0,10}[!-~])?"
}

proptest! {
    #![proptest_config(cases(256))]

    /// Property: plain JSON is received as it was written, however it was cut, and any part of it
    /// is refused. JSON that looks like an envelope is not treated as one.
    #[test]
    fn json_is_accepted_whole_and_in_any_chunks(
        json in json(), around in "[ \t\r\n]{0,3}", cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..4),
    ) {
        let inner = json.to_string();
        let text = format!("{around}{inner}{around}");
        let expected = Ok(Classified::Json(RawJson::from_slice(inner.as_bytes()).unwrap()));
        let mut ends: Vec<_> = cuts.iter().map(|cut| cut.index(text.len() + 1)).collect();
        ends.extend([0, text.len()]);
        ends.sort_unstable();
        let chunks: Vec<_> = ends.windows(2).map(|ends| &text.as_bytes()[ends[0]..ends[1]]).collect();
        prop_assert_eq!(classify(&chunks), expected);
        for end in 0..around.len() + inner.len() {
            prop_assert!(classify(&[&text.as_bytes()[..end]]).is_err(), "{:?}", &text.as_bytes()[..end]);
        }
    }

    /// Property: text is accepted if and only if it is a JSON object or array that a tree can be
    /// made of.
    #[test]
    fn accepted_iff_valid_json(
        json in json(), at in any::<prop::sample::Index>(),
        put in prop::sample::select(&["", "1", "-", "e", "\"", "\\", "u", "d800", "\n", "[", "]", "{", "}", ",", ":", "999", "\u{1}", "变"][..]),
    ) {
        let mut text = json.to_string();
        let boundaries: Vec<_> = (0..=text.len()).filter(|&at| text.is_char_boundary(at)).collect();
        text.insert_str(*at.get(&boundaries), put);
        let is_valid = text.trim_start().starts_with(['{', '[']) && serde_json::from_str::<Value>(&text).is_ok();
        prop_assert_eq!(classify(&[text.as_bytes()]).is_ok(), is_valid, "{}", text);
    }

    /// Property: the operation alone decides which code is a success, which is retried, and what the
    /// message says about it; also for a failure in place of plain JSON.
    #[test]
    fn codes_are_the_operations(
        code in prop::sample::select(&["0", "0100000", "0100007", "0300008", "x"][..]),
        success in prop::sample::select(&["0", "0100000"][..]),
        busy in prop::sample::select(&["0100007", "0300009", "x"][..]),
        attempts in 1_usize..4,
        expected in prop::sample::select(&[Expected::Envelope, Expected::Json][..]),
    ) {
        let list = List { expected, success: success.to_owned(), busy: busy.to_owned() };
        let body = format!(r#"{{"resultCode":"{code}","resultDesc":"","resultData":[1,2]}}"#);
        let (result, sent) = call(list, &vec![body; attempts]);
        if code == success {
            if expected == Expected::Json {
                // The whole answer is the JSON, and it is not a list.
                let custom = matches!(result.unwrap_err().kind, ErrorKind::Answer(AnswerError::Custom(_)));
                prop_assert!(custom);
            } else {
                prop_assert_eq!((result, sent), (Ok(vec![1.into(), 2.into()]), 1));
            }
            return Ok(());
        }
        let error = result.unwrap_err();
        prop_assert_eq!(&error.interface, &format!("list until {success}"));
        let advice = if code == busy { Advice::TryLater } else { Advice::FixRequest };
        prop_assert!(error.to_string().contains(&format!("{code}: meaning of {code}; ")), "{}", error);
        let meaning = format!("meaning of {code}").into();
        prop_assert_eq!(error.kind, ErrorKind::ResultCode { code: code.into(), description: "".into(), meaning, advice });
        prop_assert_eq!(sent as usize, if code == busy { attempts } else { 1 });
    }

    /// Property: headers and content type are sent as they were given; signed are the ones that the
    /// operation signs, with `host`, and content type and length of a body.
    #[test]
    fn headers_are_sent_and_signed_as_documented(
        headers in prop::collection::btree_map("x-[a-z]{1,6}|accept", (header_value(), any::<bool>()), 0..4),
        content_type in header_value(),
        body in "[a-z]{0,4}",
    ) {
        let mut operation = OperationRequest::new(Method::PUT, "/rest/agents").query("a b", "ü").body(body.clone()).content_type(content_type.clone());
        for (name, (value, is_signed)) in &headers {
            operation = if *is_signed { operation.signed_header(name, value) } else { operation.header(name, value) };
        }
        let request = PreparedRequest::new(operation, &endpoint()).unwrap().sign(&Signer::new(&credentials()), NOW).unwrap();
        let sent: Vec<_> = request.headers().iter().map(|(name, value)| (name.as_str(), value.to_str().unwrap())).collect();
        for (name, (value, _)) in &headers {
            prop_assert_eq!(sent.iter().filter(|(other, _)| other == name).collect::<Vec<_>>(), [&(name.as_str(), value.as_str())]);
        }
        let authorization = request.headers()["authorization"].to_str().unwrap();
        let mut signed: Vec<&str> = headers.iter().filter(|(_, (_, is_signed))| *is_signed).map(|(name, _)| name.as_str()).collect();
        signed.push("host");
        if !body.is_empty() {
            signed.extend(["content-length", "content-type"]);
            prop_assert_eq!(request.headers()["content-type"].to_str().unwrap(), content_type);
        }
        signed.sort_unstable();
        prop_assert_eq!(authorization.split('/').nth(3).unwrap(), signed.join(";"));
        let view = RequestView { method: "PUT", path: "/gateway/rest/agents", query: &[("a b", "ü")], headers: &sent, body: body.as_bytes() };
        prop_assert!(Verifier::new(&credentials()).verify(authorization, view, NOW).is_ok());
    }
}

#[test]
fn a_custom_operation_by_type_and_without() {
    let list =
        |expected| List { expected, success: "0100000".to_owned(), busy: "0100007".to_owned() };
    let busy = r#"{"resultCode":"0100007","resultDesc":"busy"}"#.to_owned();
    let good = r#"{"resultCode":"0100000","resultData":[{"id":1}]}"#.to_owned();
    let bodies = [busy, good.clone()];
    let (typed, sent) = call(list(Expected::Envelope), &bodies);
    assert_eq!((typed.unwrap().len(), sent), (1, 2));
    let any = AnyOperation::from_operation(list(Expected::Envelope));
    assert!(any.clone().into_download().is_none());
    let (any, sent) = call(any, &bodies);
    let envelope = any.unwrap().into_envelope().unwrap();
    assert_eq!((envelope.data().unwrap().as_str(), sent), (r#"[{"id":1}]"#, 2));
    // Without an envelope the same bytes are only JSON, which this operation refuses.
    let (json, _) = call(list(Expected::Json), &[good]);
    let error = json.unwrap_err();
    assert_eq!(error.to_string(), "list until 0100000: the agents are not a list");
    let (any, _) = call(AnyOperation::from_operation(list(Expected::Json)), &["[7]".to_owned()]);
    assert_eq!(any, Ok(Received::Json(RawJson::from_slice(b"[7]").unwrap())));
    let (any, sent) = call(AnyOperation::new(list(Expected::Envelope)), &bodies);
    assert_eq!((any.unwrap().len(), sent), (1, 2));
}

#[test]
fn json_is_held_up_to_the_limit_of_an_envelope() {
    let classify = |limit: usize| {
        let classifier = Classifier::new(StatusCode::OK, &HeaderMap::new(), Expected::Json);
        let mut classifier = classifier.envelope_limit(limit);
        let _ = classifier.push(Bytes::from_static(b"[1,"))?;
        let _ = classifier.push(Bytes::from_static(b"2]"))?;
        classifier.finish()
    };
    assert!(matches!(classify(5), Ok(Classified::Json(_))));
    assert_eq!(classify(4), Err(EnvelopeError::TooLarge { limit: 4 }.into()));
}

#[test]
fn unknown_codes_are_shown_with_the_operations_advice() {
    let list = List { expected: Expected::Envelope, success: "0".into(), busy: "0100007".into() };
    let body = r#"{"resultCode":"0100007","resultDesc":"busy"}"#.to_owned();
    assert_eq!(
        call(list, &[body]).0.unwrap_err().to_string(),
        "list until 0: the server answered 0100007: meaning of 0100007 (\"busy\"); try again later"
    );
}

/// An operation that accepts only long files.
struct LongFile;

impl Operation for LongFile {
    type Answer = FileReceipt;

    fn interface(&self) -> Cow<'static, str> {
        "file".into()
    }

    fn request(&self) -> Result<OperationRequest, FieldError> {
        Ok(OperationRequest::get("/file"))
    }

    fn repeat(&self) -> Repeat {
        Repeat::NotIdempotent
    }

    fn expected(&self) -> Expected {
        Expected::File(&[FileKind::Wav])
    }

    fn answer(&self, received: Received) -> Result<FileReceipt, AnswerError> {
        match received {
            Received::File(receipt) if receipt.bytes < 1000 => {
                Err(AnswerError::custom("too short"))
            }
            Received::File(receipt) => Ok(receipt),
            _ => panic!("only the expected form reaches the operation"),
        }
    }
}

#[test]
fn the_check_of_an_operation_applies_when_its_type_is_erased() {
    let short = || Received::File(FileReceipt { kind: FileKind::Wav, bytes: 999 });
    let too_short = AnswerError::custom("too short");
    let any = AnyOperation::from_operation(LongFile);
    assert_eq!(any.answer(short()), Err(too_short.clone()));
    assert_eq!(any.into_download().unwrap().answer(short()), Err(too_short));
}

#[test]
fn a_success_without_a_file_does_not_reach_the_operation() {
    let error = call(LongFile, &[r#"{"resultCode":"0"}"#.to_owned()]).0.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Answer(AnswerError::SuccessWithoutFile));
}

#[test]
fn what_cannot_be_sent_or_signed_is_refused_before_the_call() {
    let prepare = |request: OperationRequest| PreparedRequest::new(request, &endpoint()).err();
    let get = || OperationRequest::get("/rest/agents");
    let many = (0..40_000).fold(get(), |request, nth| request.header(format!("x-{nth}"), "a"));
    assert_eq!(prepare(many), Some(RequestError::TooManyHeaders { len: 40_000 }));
    let signed = (0..40).fold(get(), |request, nth| request.signed_header(format!("x-{nth}"), "a"));
    assert!(matches!(prepare(signed), Some(RequestError::Sign(_))));
    let parameters = (0..65).fold(get(), |request, nth| request.query(format!("x{nth}"), "a"));
    assert!(matches!(prepare(parameters.clone()), Some(RequestError::Sign(_))));
    assert_eq!(prepare(parameters.unsigned()), None);
    assert_eq!(prepare(get().query("a", "b".repeat(70_000))), Some(RequestError::UrlTooLong));
}

#[test]
fn a_json_array_in_place_of_an_envelope_is_named() {
    let list = List { expected: Expected::Envelope, success: "0".into(), busy: "1".into() };
    let error = call(list, &[r#"["one","two"]"#.to_owned()]).0.unwrap_err().to_string();
    assert!(error.contains("a JSON array"), "{error}");
}

#[test]
fn headers_that_an_operation_cannot_set() {
    let prepare = |request: OperationRequest| PreparedRequest::new(request, &endpoint()).err();
    let get = || OperationRequest::get("/rest/agents");
    for name in ["host", "Authorization", "CONTENT-LENGTH", "content-type", "connection"] {
        let refused = RequestError::ReservedHeader { name: name.to_ascii_lowercase() };
        assert_eq!(prepare(get().header(name, "1")), Some(refused.clone()));
        assert_eq!(prepare(get().signed_header(name, "1")), Some(refused));
    }
    let twice = get().header("x-a", "1").signed_header("X-A", "1");
    assert_eq!(prepare(twice), Some(RequestError::ReservedHeader { name: "x-a".into() }));
    for (name, value) in [("x a", "1"), ("", "1"), ("x-a", "a\r\nhost: b"), ("x-a", "ü")] {
        let refused = RequestError::Header { name: name.into() };
        assert_eq!(prepare(get().header(name, value)), Some(refused));
    }
    let refused = RequestError::Header { name: "content-type".into() };
    assert_eq!(prepare(get().content_type("text/plain\n")), Some(refused));
    assert_eq!(prepare(OperationRequest::get("/rest/agents?limit=1")), Some(RequestError::Path));
    // A token in a header is marked, and shown nowhere.
    let secret = get().header("x-token", "MARKER").unsigned();
    let prepared = PreparedRequest::new(secret.clone(), &endpoint()).unwrap();
    let request = prepared.sign(&Signer::new(&credentials()), NOW).unwrap();
    assert!(request.headers()["x-token"].is_sensitive());
    assert!(!request.headers().contains_key("authorization"));
    assert!(!format!("{secret:?} {prepared:?} {request:?}").contains("MARKER"));
}
