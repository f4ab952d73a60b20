//! What the types promise: to cross threads, and to keep secrets.
#![allow(clippy::unwrap_used, missing_docs)]

use std::error::Error;
use std::fmt::{Debug, Display, Write};
use std::hash::Hash;

use bytes::Bytes;
use ccfs_proto::answer::{AnswerError, Classified, EnvelopeError, HttpRefusal};
use ccfs_proto::auth::{
    AccessKey, AuthorizationHeader, AuthorizationHeaderError, KeyError, SigningSteps, Verified,
    VerifyError, ViewError,
};
use ccfs_proto::callback::{Callback, CallbackError};
use ccfs_proto::callback::{Delivery, JobKey, MemoryGuard, Outcome, ReceiveError, Receiver};
use ccfs_proto::exchange::{
    EndpointError, OutOfTurn, PreparedRequest, RequestError, TransportFailure,
};
use ccfs_proto::operation::{
    FieldError, FileNameError, OperationRequest, PlayVoice, PlaybackToken,
};
use ccfs_proto::time::TimestampError;
use ccfs_proto::{
    Classifier, Credentials, DownloadAgentSkillInfoFile, Endpoint, Envelope, ErrorKind, Exchange,
    ExchangeError, IndexFileName, Now, Operation, Policy, QueryAgentSkillInfoData, RequestView,
    ResponseId, ResultCode, Signer, SinkKind, Step, Timestamp, Verifier,
};
use http::{HeaderMap, StatusCode};
use serde::{Serialize, de::DeserializeOwned};
use static_assertions::{assert_impl_all, assert_not_impl_any};

// Everything can be moved to and shared with other threads.
assert_impl_all!(AccessKey: Send, Sync);
assert_impl_all!(AuthorizationHeader<'static>: Send, Sync);
assert_impl_all!(Callback: Send, Sync);
assert_impl_all!(Classified: Send, Sync);
assert_impl_all!(Classifier: Send, Sync);
assert_impl_all!(Credentials: Send, Sync, Clone);
assert_impl_all!(DownloadAgentSkillInfoFile: Send, Sync);
assert_impl_all!(Endpoint: Send, Sync, Hash);
assert_impl_all!(Envelope: Send, Sync);
assert_impl_all!(HttpRefusal: Send, Sync);
assert_impl_all!(IndexFileName: Send, Sync, Hash, Ord);
assert_impl_all!(OperationRequest: Send, Sync);
assert_impl_all!(Policy: Send, Sync);
assert_impl_all!(PreparedRequest: Send, Sync);
assert_impl_all!(QueryAgentSkillInfoData: Send, Sync);
assert_impl_all!(Delivery: Send, Sync);
assert_impl_all!(JobKey: Send, Sync);
assert_impl_all!(MemoryGuard: Send, Sync);
assert_impl_all!(Outcome<ReceiveError>: Send, Sync);
assert_impl_all!(Receiver: Send, Sync, Clone);
assert_impl_all!(ResponseId: Send, Sync, Hash, Ord, Copy);
assert_impl_all!(ResultCode: Send, Sync, Hash);
assert_impl_all!(Signer: Send, Sync, Clone);
assert_impl_all!(SigningSteps: Send, Sync);
assert_impl_all!(Step<Bytes>: Send, Sync);
assert_impl_all!(Timestamp: Send, Sync, Hash, Ord, Copy);
assert_impl_all!(Verifier: Send, Sync, Clone);
assert_impl_all!(Exchange<DownloadAgentSkillInfoFile>: Send, Sync);

// Errors can be boxed, sent, and kept.
assert_impl_all!(AnswerError: Error, Send, Sync, Clone, PartialEq);
assert_impl_all!(AuthorizationHeaderError: Error, Send, Sync, Clone, PartialEq);
assert_impl_all!(CallbackError: Error, Send, Sync, Clone, PartialEq);
assert_impl_all!(EndpointError: Error, Send, Sync, Clone, PartialEq);
assert_impl_all!(EnvelopeError: Error, Send, Sync, Clone, PartialEq);
assert_impl_all!(ExchangeError: Error, Send, Sync, Clone, PartialEq);
assert_impl_all!(FieldError: Error, Send, Sync, Clone, PartialEq);
assert_impl_all!(FileNameError: Error, Send, Sync, Clone, PartialEq);
assert_impl_all!(KeyError: Error, Send, Sync, Clone, PartialEq);
assert_impl_all!(OutOfTurn: Error, Send, Sync, Clone, PartialEq);
assert_impl_all!(RequestError: Error, Send, Sync, Clone, PartialEq);
assert_impl_all!(TimestampError: Error, Send, Sync, Clone, PartialEq);
assert_impl_all!(TransportFailure: Error, Send, Sync, Clone, PartialEq);
assert_impl_all!(VerifyError: Error, Send, Sync, Clone, PartialEq);
assert_impl_all!(ViewError: Error, Send, Sync, Clone, PartialEq);

// A secret cannot be compared, printed, hashed, copied, serialised or read back.
assert_not_impl_any!(Credentials: PartialEq, Display, Hash, PartialOrd, AsRef<str>, AsRef<[u8]>, Serialize, DeserializeOwned);
assert_not_impl_any!(Signer: PartialEq, Display, Serialize, DeserializeOwned);
assert_not_impl_any!(Verifier: PartialEq, Display, Serialize, DeserializeOwned);

/// Secrets of one byte a character and of several, and one longer than HMAC's block.
const MARKERS: [&str; 4] = [
    "MARKER-secret-key",
    "ключ-密钥-🔑-marker",
    "MARKER-long-0123456789-0123456789-0123456789-0123456789-0123456789-0123456789",
    "zz\"q\\uote\t-marker",
];

/// All that was rendered.
#[derive(Default)]
struct Rendered(String);

impl Rendered {
    fn debug(&mut self, value: &dyn Debug) {
        writeln!(self.0, "{value:?}\n{value:#?}").unwrap();
    }

    fn error(&mut self, error: &dyn Error) {
        self.debug(&error);
        let mut next = Some(error);
        while let Some(error) = next {
            writeln!(self.0, "{error}\n{error:#}").unwrap();
            self.debug(&error);
            next = error.source();
        }
    }

    /// None of it may show the secret: whole, in parts, in hex, percent-encoded or escaped.
    fn must_not_show(&self, secret: &str) {
        let (mut hex, mut encoded) = (String::new(), String::new());
        for byte in secret.bytes() {
            write!(hex, "{byte:02x}").unwrap();
            write!(encoded, "%{byte:02X}").unwrap();
        }
        let half: String = secret.chars().take(secret.chars().count() / 2 + 1).collect();
        let escaped = format!("{secret:?}");
        let decimals = format!("{:?}", secret.as_bytes());
        let forms = [
            secret.to_owned(),
            half,
            hex,
            encoded,
            escaped.trim_matches('"').to_owned(),
            decimals[1..20].to_owned(),
        ];
        for form in forms {
            assert!(!self.0.contains(&form), "{form} is shown in: {}", self.0);
        }
    }
}

fn exchange<O: Operation>(operation: O, credentials: &Credentials) -> Exchange<O> {
    let endpoint = "https://10.1.2.3:8443".parse().unwrap();
    Exchange::new(operation, &endpoint, credentials, &Policy::default())
        .unwrap()
        .sink(SinkKind::Rewinds)
}

fn download() -> DownloadAgentSkillInfoFile {
    DownloadAgentSkillInfoFile::new(
        "20230406_9239cb50a8384bb0ab503441bf089446.zip".parse().unwrap(),
    )
}

fn now() -> Now {
    Now {
        wall: Timestamp::from_unix_millis(1_700_000_000_000),
        monotonic: std::time::Duration::ZERO,
    }
}

#[test]
fn no_rendering_shows_a_secret_key() {
    // In Miri the one with characters of several bytes must do.
    for &marker in if cfg!(miri) { &MARKERS[1..2] } else { &MARKERS[..] } {
        let mut all = Rendered::default();
        let credentials = Credentials::from_text("ak", marker.to_owned()).unwrap();
        let (signer, checker) = (Signer::new(&credentials), Verifier::new(&credentials));
        all.debug(&credentials);
        all.debug(&signer);
        all.debug(&checker);

        let view = RequestView {
            method: "POST",
            path: "/p",
            query: &[],
            headers: &[("host", "h")],
            body: b"{}",
        };
        let steps = signer.explain(view, now().wall).unwrap();
        all.debug(&steps);
        for text in [
            &steps.prefix,
            &steps.canonical_request,
            &steps.signature,
            &steps.signed_headers,
            &steps.authorization(),
        ] {
            all.0.push_str(text);
        }
        let authorization = signer.sign(view, now().wall).unwrap();
        all.debug(&authorization);
        let text = authorization.to_str().unwrap();
        all.debug(&AuthorizationHeader::parse(text).unwrap());
        let verified: Verified = checker.verify(text, view, now().wall).unwrap();
        all.debug(&verified);
        all.0.push_str(&verified.to_string());
        let forged = RequestView { body: b"", ..view };
        all.error(&checker.verify(text, forged, now().wall).unwrap_err());
        all.debug(&checker.diagnose(text, forged));
        all.debug(&view);

        all.error(&Credentials::from_text("", marker.to_owned()).unwrap_err());
        all.error(&Credentials::from_text("a b", marker.to_owned()).unwrap_err());
        all.error(&Credentials::from_text("ak", marker.repeat(100)).unwrap_err());
        // Passing one key in place of the other, or of an endpoint, gives an error that does not repeat it.
        all.error(&AccessKey::new(&format!("{marker}/")).unwrap_err());
        all.error(&format!("https://user:{marker}@10.1.2.3").parse::<Endpoint>().unwrap_err());
        all.error(&AuthorizationHeader::parse(marker).unwrap_err());
        all.error(&marker.parse::<Timestamp>().unwrap_err());
        all.error(&marker.parse::<IndexFileName>().unwrap_err());
        all.error(&marker.parse::<ResponseId>().unwrap_err());

        let mut exchange = exchange(download(), &credentials);
        all.debug(&exchange);
        let step = exchange.poll(now()).unwrap();
        all.debug(&step);
        all.debug(&exchange);
        all.error(&exchange.poll(now()).unwrap_err());
        exchange.on_head(now(), StatusCode::UNAUTHORIZED, &HeaderMap::new()).unwrap();
        exchange.poll(now()).unwrap();
        exchange.on_end(now()).unwrap();
        let step = exchange.poll(now()).unwrap();
        all.debug(&step);
        let Step::Done(Err(error)) = step else { panic!("a refusal") };
        all.error(&error);
        all.must_not_show(marker);
    }
}

/// A signature lets its reader repeat the request, so it is not for logs either.
#[test]
fn no_rendering_shows_a_signature() {
    let credentials = Credentials::from_text("ak", "secret".to_owned()).unwrap();
    let mut all = Rendered::default();
    let view = RequestView {
        method: "POST",
        path: "/p",
        query: &[],
        headers: &[("host", "h")],
        body: b"{}",
    };
    let steps = Signer::new(&credentials).explain(view, now().wall).unwrap();
    let authorization = steps.authorization();
    all.debug(&steps);
    all.debug(&AuthorizationHeader::parse(&authorization).unwrap());
    all.debug(&Signer::new(&credentials).sign(view, now().wall).unwrap());
    let headers = [("host", "h"), ("authorization", authorization.as_str())];
    let signed = RequestView { headers: &headers, ..view };
    let receiver = Receiver::new(&credentials);
    let mut guard = MemoryGuard::default();
    all.debug(&receiver.receive(signed, &mut guard, now().wall, |_| true));
    all.error(&receiver.check(signed, now().wall).unwrap_err());
    all.debug(&guard);
    let refused = RequestView { body: b"", ..view };
    all.error(
        &Verifier::new(&credentials).verify(&authorization, refused, now().wall).unwrap_err(),
    );
    all.must_not_show(&steps.signature);

    let mut exchange = exchange(download(), &credentials);
    let mut shown = Rendered::default();
    let step = exchange.poll(now()).unwrap();
    shown.debug(&step);
    let Step::Send { request, .. } = step else { panic!("a request") };
    shown.debug(&request);
    let signature =
        request.headers()["authorization"].to_str().unwrap().rsplit('/').next().unwrap().to_owned();
    shown.must_not_show(&signature);
}

/// What travels in a query or in a body is not for logs: a playback token opens a recording.
#[test]
fn no_rendering_shows_a_token_or_a_body() {
    let credentials = Credentials::from_text("ak", "secret".to_owned()).unwrap();
    let mut all = Rendered::default();
    let operation =
        OperationRequest::post("own", Bytes::from_static(b"{\"MARKER\":\"in-the-body\"}"))
            .query("st", "MARKER-token");
    all.debug(&operation);
    let endpoint: Endpoint = "https://10.1.2.3".parse().unwrap();
    let prepared = PreparedRequest::new(operation, &endpoint).unwrap();
    all.debug(&prepared);
    let mut playing = exchange(
        PlayVoice::new(PlaybackToken::new("MARKER-token".to_owned()).unwrap(), now().wall),
        &credentials,
    );
    all.debug(&playing);
    let step = playing.poll(now()).unwrap();
    all.debug(&step);
    playing.on_head(now(), StatusCode::OK, &HeaderMap::new()).unwrap();
    playing.poll(now()).unwrap();
    playing.on_body(now(), Bytes::from_static(b"MARKER plain text that is no audio")).unwrap();
    let step = playing.poll(now()).unwrap();
    all.debug(&step);
    let Step::Done(Err(error)) = step else { panic!("no audio") };
    assert!(matches!(error.kind, ErrorKind::Answer(AnswerError::Garbage { .. })));
    all.error(&error);

    for body in [
        &br#"{"resultCode":"0","resultData":"MARKER"}"#[..],
        br#"{"MARKER":"#,
        br#"{"resultCode":["MARKER"]}"#,
    ] {
        match Envelope::parse(body) {
            Ok(envelope) => all.debug(&envelope),
            Err(error) => all.error(&error),
        }
    }
    all.error(&Callback::parse(br#"{"msgBody":{"responseId":"MARKER"}}"#).unwrap_err());
    all.error(&Callback::parse(b"MARKER").unwrap_err());
    assert!(!all.0.contains("MARKER"), "{}", all.0);
}
