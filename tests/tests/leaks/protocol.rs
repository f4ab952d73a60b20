//! The core's types, at every step of a call.

use std::fmt::Debug;
use std::time::Duration;

use ccfs::proto::auth::AuthorizationHeader;
use ccfs::proto::callback::{MemoryGuard, Receiver};
use ccfs::proto::exchange::{PreparedRequest, TlsFailure, TransportFailure};
use ccfs::proto::operation::{
    GetRecordFileUrlFromObs, INTERFACES, IvrUploadFile, OperationRequest, PlayVoice, PlaybackToken,
    Received,
};
use ccfs::proto::{
    AnyOperation, Classifier, Envelope, ErrorKind, Exchange, FailureKind, IndexFileName, Now,
    RequestView, ResponseId, Signer, SinkKind, Step, Timestamp,
};
use ccfs::{Callback, Credentials, Endpoint, Operation, Policy, Trust, Verifier};
use ccfs_driver::Config;
use ccfs_tests::{Rendered, Secrets, download};
use http::{HeaderMap, StatusCode};

use crate::{Account, NOW};

const TOKEN: &str = "MARKER-playback-token-🔑";

/// Every public type of the core that a secret goes through, at every step.
pub(crate) fn render(shown: &mut Rendered, secrets: &mut Secrets, secret_key: &str) {
    let account = Account::new(secret_key);
    let credentials = &account.credentials;
    let (signer, verifier) = (Signer::new(credentials), Verifier::new(credentials));
    shown.debug(credentials);
    shown.debug(&signer);
    shown.debug(&verifier);
    for (access_key, secret) in [
        ("", secret_key.to_owned()),
        ("a b", secret_key.to_owned()),
        ("ak", secret_key.repeat(100)),
    ] {
        shown.error(&Credentials::from_text(access_key, secret).unwrap_err());
    }
    // A secret key passed in place of another value gives an error that does not repeat it.
    shown.error(&ccfs::AccessKey::new(&format!("{secret_key}/ ")).unwrap_err());
    shown.error(&format!("https://user:{secret_key}@10.1.2.3").parse::<Endpoint>().unwrap_err());
    shown.error(&AuthorizationHeader::parse(secret_key).unwrap_err());
    shown.error(&secret_key.parse::<Timestamp>().unwrap_err());
    shown.error(&secret_key.parse::<IndexFileName>().unwrap_err());
    shown.error(&secret_key.parse::<ResponseId>().unwrap_err());
    shown.error(&Trust::none().add_pem(secret_key.as_bytes()).unwrap_err());

    let endpoint: Endpoint = "https://10.1.2.3:8443".parse().unwrap();
    let prefix = account.add_request(secrets, &download(), &endpoint, NOW);
    let prepared = PreparedRequest::new(download().request().unwrap(), &endpoint).unwrap();
    shown.debug(&prepared);
    let request = prepared.sign(&signer, NOW).unwrap();
    shown.debug(request.headers());
    let authorization = request.headers()["authorization"].to_str().unwrap();
    shown.debug(&AuthorizationHeader::parse(authorization).unwrap());
    shown.display(&prefix);
    let headers: Vec<(&str, &str)> = request
        .headers()
        .iter()
        .map(|(name, value)| (name.as_str(), value.to_str().unwrap()))
        .collect();
    let view = RequestView {
        method: "POST",
        path: request.uri().path(),
        query: &[],
        headers: &headers,
        body: request.body(),
    };
    shown.debug(&view);
    let steps = signer.explain(view, NOW).unwrap();
    shown.debug(&steps);
    let mut key = Secrets::default();
    key.add("the secret key", secret_key);
    let texts = [&steps.prefix, &steps.canonical_request, &steps.signed_headers];
    key.must_not_be_in("a step", &texts.map(String::as_str).join("\n"));
    key.must_not_be_in("a signature", &steps.authorization());
    shown.both(&verifier.verify(authorization, view, NOW).unwrap());
    let forged = RequestView { body: b"another", ..view };
    shown.outcome(&verifier.verify(authorization, forged, NOW));
    shown.debug(&verifier.diagnose(authorization, forged));
    let receiver = Receiver::new(credentials);
    shown.debug(&receiver);
    for view in [view, forged] {
        shown.debug(&receiver.receive(view, &mut MemoryGuard::default(), NOW, |_| true));
        shown.error(&receiver.check(view, NOW).unwrap_err());
    }
    render_exchanges(shown, secrets, &account, &endpoint);
    render_operations(shown, secrets);
    let play = PlayVoice::new(PlaybackToken::new(TOKEN.to_owned()).unwrap(), NOW);
    let page = "<html>MARKER-page-of-a-gateway</html>";
    render_exchange(shown, play, &endpoint, &account, StatusCode::OK, page);

    let session = ccfs_driver::Session::new(Config::new(endpoint, credentials.clone()));
    shown.debug(&session);
    shown.debug(&session.call(download(), SinkKind::Once).unwrap());
}

/// Exchanges at every step, for whatever a server says.
fn render_exchanges(
    shown: &mut Rendered,
    secrets: &mut Secrets,
    account: &Account,
    endpoint: &Endpoint,
) {
    let url = "https://obs.example/MARKER-recording-url?Expires=1";
    secrets.add("a recording's URL", url);
    let bodies = [
        (
            200,
            format!(
                r#"{{"resultCode":"0","resultDesc":"success","resultData":{{"url":"{url}"}}}}"#
            ),
        ),
        (200, r#"{"resultCode":"0300012","resultData":"MARKER-data-of-a-refusal"}"#.into()),
        (200, r#"{"resultCode":["MARKER-of-another-shape"]}"#.into()),
        (200, "<html>MARKER-page-of-a-gateway</html>".into()),
        (200, "PK\u{3}\u{4}MARKER-file-that-is-none".into()),
        (401, r#"{"status":401,"error":"Unauthorized","path":"/MARKER-path-of-a-refusal"}"#.into()),
        (503, "MARKER-text-of-a-busy-server".into()),
    ];
    secrets.add("a marker in a body", "MARKER-data-of-a-refusal");
    secrets.add("a marker in a body", "MARKER-of-another-shape");
    secrets.add("a marker in a body", "MARKER-page-of-a-gateway");
    secrets.add("a marker in a body", "MARKER-file-that-is-none");
    secrets.add("a marker in a body", "MARKER-path-of-a-refusal");
    secrets.add("a marker in a body", "MARKER-text-of-a-busy-server");
    let operation = GetRecordFileUrlFromObs::new(
        "1",
        "2023-04-05 00:00:00".parse().unwrap(),
        "2023-04-06 00:00:00".parse().unwrap(),
    );
    account.add_request(secrets, &operation, endpoint, NOW);
    for (status, body) in &bodies {
        let status = StatusCode::from_u16(*status).unwrap();
        render_exchange(shown, operation.clone(), endpoint, account, status, body);
        let mut classifier = Classifier::new(status, &HeaderMap::new(), operation.expected());
        shown.outcome(
            &classifier.push(body.clone().into()).map(|file| file.map_or(0, |bytes| bytes.len())),
        );
        shown.debug(&classifier);
        shown.outcome(&classifier.finish());
        let envelope = Envelope::parse(body.as_bytes());
        shown.outcome(&envelope);
        if let Some(data) = envelope.iter().find_map(Envelope::data) {
            shown.debug(data);
            shown.outcome(&data.parse::<u8>());
        }
        shown.outcome(&Callback::parse(body.as_bytes()));
    }
    let callback = br#"{"msgBody":{"responseId":"MARKER-of-another-shape"}}"#;
    shown.error(&Callback::parse(callback).unwrap_err());
    let mut classifier = Classifier::new(StatusCode::OK, &HeaderMap::new(), download().expected());
    shown.debug(
        &classifier
            .push("PK\u{3}\u{4}MARKER-file-that-is-none".into())
            .unwrap()
            .map(|file| file.len()),
    );
    shown.debug(&classifier);
    for failure in
        [FailureKind::Broken, FailureKind::Tls(TlsFailure::UnknownIssuer), FailureKind::IdleTimeout]
    {
        shown.debug(&failure);
        shown.error(&TransportFailure::from(failure));
    }
}

/// An exchange at every step, up to its outcome.
fn render_exchange<O: Operation<Answer: Debug>>(
    shown: &mut Rendered,
    operation: O,
    endpoint: &Endpoint,
    account: &Account,
    status: StatusCode,
    body: &str,
) {
    let policy = Policy::default().max_retries(1);
    let mut now = Now { wall: NOW, monotonic: Duration::ZERO };
    let mut exchange = Exchange::new(operation, endpoint, &account.credentials, &policy).unwrap();
    loop {
        shown.debug(&exchange);
        let step = exchange.poll(now).unwrap();
        shown.debug(&step);
        match step {
            Step::Send { request, target, .. } => {
                shown.both(&target);
                shown.debug(request.headers());
                shown.error(&exchange.poll(now).unwrap_err());
                shown.error(&exchange.on_end(now).unwrap_err());
                exchange.on_head(now, status, &HeaderMap::new()).unwrap();
                exchange.poll(now).unwrap();
                exchange.on_body(now, body.to_owned().into()).unwrap();
            }
            Step::Receive { .. } => exchange.on_end(now).unwrap(),
            Step::Wait(duration) => now.monotonic += duration,
            Step::Done(outcome) => {
                shown.outcome(&outcome);
                if let Err(error) = &outcome {
                    shown.both(&error.kind);
                    if let ErrorKind::Refused { refusal, .. } = &error.kind {
                        shown.both(refusal);
                    }
                }
                return;
            }
            other => panic!("these exchanges have no file: {other:?}"),
        }
    }
}

/// Operations that carry a secret, and what is said of a wrong one.
fn render_operations(shown: &mut Rendered, secrets: &mut Secrets) {
    secrets.add("a playback token", TOKEN);
    let token = PlaybackToken::new(TOKEN.to_owned()).unwrap();
    shown.debug(&token);
    let play = PlayVoice::new(token, NOW);
    shown.debug(&play);
    shown.debug(&play.request().unwrap());
    shown.debug(
        &PreparedRequest::new(play.request().unwrap(), &"https://10.1.2.3".parse().unwrap())
            .unwrap(),
    );
    shown.error(&PlaybackToken::new(TOKEN.repeat(100)).unwrap_err());
    shown.error(&PlaybackToken::new(format!("{TOKEN}\n")).unwrap_err());
    for interface in INTERFACES {
        shown.debug(interface);
        for field in interface.fields.iter().filter(|field| field.secret) {
            for value in [TOKEN.to_owned(), TOKEN.repeat(100), String::new()] {
                let fields = interface.fields.iter().map(|other| {
                    (
                        other.name.to_owned(),
                        if other.name == field.name { value.clone() } else { "1".into() },
                    )
                });
                shown.outcome(&AnyOperation::from_fields(interface.name, fields.clone(), None));
                // Passed twice, with a file, and under an unknown name.
                shown.outcome(&AnyOperation::from_fields(
                    interface.name,
                    fields.clone().chain(fields.clone()),
                    None,
                ));
                shown.outcome(&AnyOperation::from_fields(
                    interface.name,
                    fields.clone(),
                    Some(TOKEN.as_bytes().into()),
                ));
                let unknown = fields.map(|(name, value)| (format!("{name}x"), value));
                shown.outcome(&AnyOperation::from_fields(interface.name, unknown, None));
            }
        }
    }
    // Next to an invalid field.
    let fields = [("t".to_owned(), "x".to_owned()), ("st".to_owned(), TOKEN.to_owned())];
    shown.outcome(&AnyOperation::from_fields("playVoice", fields, None));
    let fields = [("fileName".to_owned(), "a".to_owned())];
    let request = AnyOperation::from_fields("requestPlayVoice", fields, None).unwrap();
    let answer = format!(r#"{{"resultCode":"0","resultData":{{"token":"{TOKEN}"}}}}"#);
    let answer = Received::Envelope(Envelope::parse(answer.as_bytes()).unwrap());
    shown.outcome(&request.answer(answer));
    secrets.add("a body of one's own", "{\"own\":\"MARKER-in-the-body\"}");
    shown.debug(
        &OperationRequest::post("own", "{\"own\":\"MARKER-in-the-body\"}").query("st", TOKEN),
    );
    let wav = [b"RIFF".as_slice(), &[7; 100], b"MARKER-voice"].concat();
    secrets.add_bytes("a voice file", &wav[..40]);
    let upload = IvrUploadFile::new(39, wav);
    shown.debug(&upload);
    shown.error(&upload.request().unwrap_err());
}
