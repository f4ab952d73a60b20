//! No secret is shown: not by any `Debug`, `Display` or error of any crate, and not by anything that is logged while real calls are made.
//!
//! Secrets are the secret key, the signing keys derived from it, signatures (whoever has one can repeat the request), playback tokens,
//! URLs of recordings, private keys of certificates, and bodies. The command is held to the same in `crates/ccfs-cli/tests/leaks.rs`.
#![allow(clippy::unwrap_used)]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::thread;

use ccfs::archive::{AgentSkillChange, Archive, Records};
use ccfs::proto::{
    AnyOperation, AuthorizationHeader, Classifier, DownloadRecordFile, Envelope, Exchange, GetRecordFileUrlFromObs, INTERFACES,
    IvrGetFileHash, IvrUploadFile, Now, OperationRequest, PlayVoice, PlaybackToken, PreparedRequest, RecentSignatures, Reception,
    RequestPlayVoice, RequestView, SecretKey, Signer, SinkKind, Step, TlsFailure, TransportFailure,
};
use ccfs::{
    AsyncClient, Callback, Client, Credentials, DownloadAgentSkillInfoFile, Endpoint, Operation, Overwrite, Policy,
    QueryAgentSkillInfoData, Timestamp, Trust, Verifier, WholeFile,
};
use ccfs_conformance::ManualClock;
use ccfs_driver::Session;
use ccfs_emulator::{Developer, Emulator, Fault};
use ccfs_tests::{Collector, Rendered, SECRET_KEYS, Secrets};
use hmac::{Hmac, KeyInit, Mac};
use http::{HeaderMap, StatusCode};

/// 2023-04-06T02:30:00Z.
const NOW: Timestamp = Timestamp::from_unix_millis(1_680_748_200_123);

fn query(callback_url: &str) -> QueryAgentSkillInfoData {
    QueryAgentSkillInfoData::new("2023-04-05 00:00:00".parse().unwrap(), "2023-04-06 00:00:00".parse().unwrap(), callback_url)
}

fn download() -> DownloadAgentSkillInfoFile {
    DownloadAgentSkillInfoFile::new("20230406_9239cb50a8384bb0ab503441bf089446.zip".parse().unwrap())
}

/// The first HMAC of a signature, as `docs/protocol.md` has it: its hex is the key of the second.
fn signing_key(secret_key: &str, prefix: &str) -> String {
    let mut mac = Hmac::<sha2::Sha256>::new_from_slice(secret_key.as_bytes()).unwrap();
    mac.update(prefix.as_bytes());
    mac.finalize().into_bytes().iter().fold(String::new(), |hex, byte| hex + &format!("{byte:02x}"))
}

/// What a person has of an account, and what is made of it.
struct Account {
    secret_key: String,
    credentials: Credentials,
}

impl Account {
    fn new(secret_key: &str) -> Self {
        Self { secret_key: secret_key.to_owned(), credentials: Credentials::from_text("ak", secret_key.to_owned()).unwrap() }
    }

    /// Adds what a request of `operation` at `at` consists of, and gives all but the signature of its header.
    fn add_request(&self, secrets: &mut Secrets, operation: &impl Operation, endpoint: &Endpoint, at: Timestamp) -> String {
        let request = operation.request().unwrap();
        let body = String::from_utf8(request.body.to_vec()).unwrap();
        let signed = PreparedRequest::new(request, endpoint).unwrap().sign(&Signer::new(&self.credentials), at).unwrap();
        secrets.add("a request's body", &body);
        let (prefix, signature) = signed.headers()["authorization"].to_str().unwrap().rsplit_once('/').unwrap();
        secrets.add("a signature", signature);
        secrets.add("a signing key", &signing_key(&self.secret_key, prefix));
        prefix.to_owned()
    }
}

/// Parts of a file, enough to tell it by.
fn add_file(secrets: &mut Secrets, what: &str, bytes: &[u8]) {
    secrets.add_bytes(what, &bytes[..40]);
    secrets.add_bytes(what, &bytes[bytes.len() / 2..][..40]);
}

/// Every public type of the core that a secret goes through, at every step.
fn render_core(shown: &mut Rendered, secrets: &mut Secrets, secret_key: &str) {
    shown.debug(&SecretKey::new(secret_key.to_owned()).unwrap());
    let account = Account::new(secret_key);
    let credentials = &account.credentials;
    let (signer, verifier) = (Signer::new(credentials), Verifier::new(credentials));
    shown.debug(credentials);
    shown.debug(&signer);
    shown.debug(&verifier);
    for (access_key, secret) in [("", secret_key.to_owned()), ("a b", secret_key.to_owned()), ("ak", secret_key.repeat(100))] {
        shown.error(&Credentials::from_text(access_key, secret).unwrap_err());
    }
    // Somebody who takes the one for the other is told so without an echo.
    shown.error(&ccfs::AccessKey::new(&format!("{secret_key}/ ")).unwrap_err());
    shown.error(&format!("https://user:{secret_key}@10.1.2.3").parse::<Endpoint>().unwrap_err());
    shown.error(&AuthorizationHeader::parse(secret_key).unwrap_err());
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
    let headers: Vec<(&str, &str)> = request.headers().iter().map(|(name, value)| (name.as_str(), value.to_str().unwrap())).collect();
    let view = RequestView { method: "POST", path: request.uri().path(), query: &[], headers: &headers, body: request.body() };
    shown.debug(&view);
    shown.debug(&signer.explain(view, NOW).unwrap());
    shown.outcome(&verifier.verify(authorization, view, NOW));
    let forged = RequestView { body: b"another", ..view };
    shown.outcome(&verifier.verify(authorization, forged, NOW));
    shown.debug(&verifier.diagnose(authorization, forged));
    let mut seen = RecentSignatures::default();
    shown.outcome(&verifier.verify_once(authorization, view, NOW, &mut seen));
    shown.outcome(&verifier.verify_once(authorization, view, NOW, &mut seen));
    shown.debug(&seen);
    for view in [view, forged] {
        shown.debug(&Reception::of(view, &verifier, &mut seen, NOW));
    }
    render_exchanges(shown, secrets, &account, &endpoint);
    render_operations(shown, secrets);

    let session = Session::new(endpoint, credentials.clone());
    shown.debug(&session);
    shown.debug(&session.begin(download(), SinkKind::Once).unwrap());
}

/// Exchanges at every step, for whatever a server says.
fn render_exchanges(shown: &mut Rendered, secrets: &mut Secrets, account: &Account, endpoint: &Endpoint) {
    let url = "https://obs.example/MARKER-recording-url?Expires=1";
    secrets.add("a recording's URL", url);
    let bodies = [
        (200, format!(r#"{{"resultCode":"0","resultDesc":"success","resultData":{{"url":"{url}"}}}}"#)),
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
    let operation = GetRecordFileUrlFromObs::new("1", "2023-04-05 00:00:00".parse().unwrap(), "2023-04-06 00:00:00".parse().unwrap());
    account.add_request(secrets, &operation, endpoint, NOW);
    for (status, body) in &bodies {
        let status = StatusCode::from_u16(*status).unwrap();
        let mut policy = Policy::default();
        policy.attempts = 2;
        let mut now = Now { wall: NOW, monotonic: std::time::Duration::ZERO };
        let mut exchange = Exchange::new(operation.clone(), endpoint, &account.credentials, &policy).unwrap();
        loop {
            shown.debug(&exchange);
            let step = exchange.poll(now).unwrap();
            shown.debug(&step);
            match step {
                Step::Send { request, .. } => {
                    shown.debug(request.headers());
                    shown.error(&exchange.on_end(now).unwrap_err());
                    exchange.on_head(now, status, &HeaderMap::new()).unwrap();
                    exchange.poll(now).unwrap();
                    exchange.on_body(now, body.clone().into()).unwrap();
                }
                Step::Receive { .. } => exchange.on_end(now).unwrap(),
                Step::Wait(duration) => now.monotonic += duration,
                Step::Done(outcome) => {
                    shown.outcome(&outcome);
                    break;
                }
                other => panic!("an envelope's exchange does not ask for {other:?}"),
            }
        }
        let mut classifier = Classifier::new(status, &HeaderMap::new(), operation.expected());
        shown.outcome(&classifier.push(body.clone().into()));
        shown.debug(&classifier);
        shown.outcome(&classifier.finish());
        shown.outcome(&Envelope::parse(body.as_bytes()));
        shown.outcome(&Callback::parse(body.as_bytes()));
    }
    let mut classifier = Classifier::new(StatusCode::OK, &HeaderMap::new(), download().expected());
    shown.debug(&classifier.push("PK\u{3}\u{4}MARKER-file-that-is-none".into()).unwrap());
    shown.debug(&classifier);
    for failure in [TransportFailure::Broken, TransportFailure::Tls(TlsFailure::UnknownIssuer), TransportFailure::Stall] {
        shown.error(&failure);
    }
}

/// Operations that carry a secret, and what is said of a wrong one.
fn render_operations(shown: &mut Rendered, secrets: &mut Secrets) {
    const TOKEN: &str = "MARKER-playback-token-🔑";
    secrets.add("a playback token", TOKEN);
    let token = PlaybackToken::new(TOKEN.to_owned()).unwrap();
    shown.debug(&token);
    let play = PlayVoice::new(token, NOW);
    shown.debug(&play);
    shown.debug(&play.request().unwrap());
    shown.debug(&PreparedRequest::new(play.request().unwrap(), &"https://10.1.2.3".parse().unwrap()).unwrap());
    shown.error(&PlaybackToken::new(TOKEN.repeat(100)).unwrap_err());
    shown.error(&PlaybackToken::new(format!("{TOKEN}\n")).unwrap_err());
    for interface in INTERFACES {
        shown.debug(interface);
        for field in interface.fields.iter().filter(|field| field.secret) {
            for value in [TOKEN.to_owned(), TOKEN.repeat(100), String::new()] {
                let fields =
                    interface.fields.iter().map(|other| (other.name.to_owned(), if other == field { value.clone() } else { "1".into() }));
                shown.outcome(&AnyOperation::from_fields(interface.name, fields.clone()));
                // Given twice, with a file, and under a name that is none.
                shown.outcome(&AnyOperation::from_fields(interface.name, fields.clone().chain(fields.clone())));
                shown.outcome(&AnyOperation::from_fields_with_data(interface.name, fields.clone(), TOKEN.as_bytes()));
                let unknown = fields.map(|(name, value)| (format!("{name}x"), value));
                shown.outcome(&AnyOperation::from_fields(interface.name, unknown));
            }
        }
    }
    secrets.add("a body of one's own", "{\"own\":\"MARKER-in-the-body\"}");
    shown.debug(&OperationRequest::post("own", "{\"own\":\"MARKER-in-the-body\"}".into()).query("st", TOKEN));
    let wav = [b"RIFF".as_slice(), &[7; 100], b"MARKER-voice"].concat();
    secrets.add_bytes("a voice file", &wav[..40]);
    let upload = IvrUploadFile::new(39, wav);
    shown.debug(&upload);
    shown.error(&upload.request().unwrap_err());
}

/// The archive's types: who does what is in a file's cells, and errors about a file do not quote it.
fn render_archive(shown: &mut Rendered, secrets: &mut Secrets, zip: &[u8]) {
    let row = "MARKER-cell-of-an-id,dev,acc,1,2,3,MARKER-cell-of-a-time,4\n";
    secrets.add("a cell", "MARKER-cell-of-an-id");
    secrets.add("a cell", "MARKER-cell-of-a-time");
    for record in Records::<AgentSkillChange>::from_csv(row.as_bytes()) {
        shown.error(&record.unwrap_err());
    }
    let archive = Archive::open(std::io::Cursor::new(zip)).unwrap();
    shown.debug(&archive.members());
    shown.outcome(&Archive::open(std::io::Cursor::new(&zip[..zip.len() / 2])).map(|_| ()));
}

/// Headers and body of a request.
type Request = (Vec<(String, String)>, Vec<u8>);

/// A receiver of one callback: its URL, and what came.
fn receiver() -> (String, thread::JoinHandle<Request>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/callback", listener.local_addr().unwrap());
    let thread = thread::spawn(move || {
        let mut stream = BufReader::new(listener.accept().unwrap().0);
        let (mut headers, mut line) = (Vec::new(), String::new());
        while stream.read_line(&mut line).unwrap() > 2 {
            if let Some((name, value)) = line.split_once(": ") {
                headers.push((name.to_ascii_lowercase(), value.trim_end().to_owned()));
            }
            line.clear();
        }
        let length = headers.iter().find(|(name, _)| name == "content-length").unwrap().1.parse().unwrap();
        let mut body = vec![0; length];
        stream.read_exact(&mut body).unwrap();
        let answer = Callback::RECEIPT;
        write!(stream.get_mut(), "HTTP/1.1 200 OK\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{answer}", answer.len()).unwrap();
        (headers, body)
    });
    (url, thread)
}

/// Both clients against an emulator over TLS, with all that can go wrong; every type that appears on the way is rendered.
#[allow(clippy::too_many_lines)] // One call behind the other.
fn render_calls(shown: &mut Rendered, secrets: &mut Secrets, secret_key: &str) {
    let account = Account::new(secret_key);
    let wrong = Account::new(&format!("MARKER-wrong-{secret_key}"));
    secrets.add("the wrong key", &wrong.secret_key);
    let developer = Developer::new("ak", secret_key);
    shown.debug(&developer);
    let builder = Emulator::builder().main_developer(developer).rows(20).clock(|| NOW).lockout(None).utc_offset(0);
    shown.debug(&builder);
    shown.outcome(&builder.clone().developer(Developer::new("ak", secret_key)).start());
    let emulator = builder.start().unwrap();
    for identity in [emulator.client_identity().unwrap(), emulator.receiver_identity().unwrap()] {
        secrets.add("a private key", identity.key_pem.lines().nth(1).unwrap());
        shown.debug(identity);
    }
    let trust = |emulator: &Emulator| Trust::none().add_pem(emulator.ca_pem().unwrap().as_bytes()).unwrap();
    shown.debug(&trust(&emulator));
    let stranger = Emulator::builder().start().unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let nowhere: Endpoint = "https://127.0.0.1:1".parse().unwrap();

    // Both clients make each call; what the calls consist of is among the secrets before they are made.
    let clock = ManualClock::at(NOW);
    let client = |endpoint: &Endpoint, account: &Account, trust: Trust| {
        let session = Session::new(endpoint.clone(), account.credentials.clone()).clock(clock.clone());
        let shown = format!("{session:?} {session:#?}");
        (Client::with_trust(session.clone(), &trust).unwrap(), AsyncClient::with_trust(session, &trust).unwrap(), shown)
    };
    macro_rules! call {
        ($client:expr, $account:expr, $operation:expr) => {{
            let operation = $operation;
            for at in [clock.wall(), clock.wall().plus_millis(1000)] {
                $account.add_request(secrets, &operation, emulator.endpoint(), at);
                $account.add_request(secrets, &operation, &nowhere, at);
            }
            shown.debug(&operation);
            let answer = $client.0.call(operation.clone());
            shown.outcome(&answer);
            shown.outcome(&runtime.block_on($client.1.call(operation)));
            answer
        }};
    }
    let right = client(emulator.endpoint(), &account, trust(&emulator));
    shown.display(&right.2);
    shown.debug(&(&right.0, &right.1));

    let (url, received) = receiver();
    let job = call!(right, account, query(&url)).unwrap();
    let (headers, body) = received.join().unwrap();
    let headers: Vec<(&str, &str)> = headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let authorization = headers.iter().find(|(name, _)| *name == "authorization").unwrap().1;
    let (prefix, signature) = authorization.rsplit_once('/').unwrap();
    secrets.add("a callback's signature", signature);
    secrets.add("a callback's signing key", &signing_key(secret_key, prefix));
    secrets.add_bytes("a callback's body", &body);
    let view = RequestView { method: "POST", path: "/callback", query: &[], headers: &headers, body: &body };
    let reception = Reception::of(view, &Verifier::new(&account.credentials), &mut RecentSignatures::default(), NOW);
    assert_eq!(reception.callback.as_ref().unwrap().response_id, job.response_id);
    shown.debug(&reception);

    // A download that finds the server busy once, to disk and to memory.
    let name = job.file_name("2023-04-06".parse().unwrap());
    let bytes = emulator.file(&name).unwrap();
    add_file(secrets, "an index file", &bytes);
    render_archive(shown, secrets, &bytes);
    let operation = || DownloadAgentSkillInfoFile::new(name.clone());
    for at in [0, 1000, 2000] {
        let prefix = account.add_request(secrets, &operation(), emulator.endpoint(), clock.wall().plus_millis(at));
        shown.display(&prefix);
    }
    emulator.faults().add(Fault::Busy(1).at("downloadAgentSkillInfoFile").times(1));
    shown.debug(&right.0.download(operation()));
    shown.debug(&right.1.download(operation()));
    shown.outcome(&right.0.download(operation()).to_file(folder.path().join("a.zip")));
    shown.outcome(&right.0.download(operation()).to_file(folder.path().join("a.zip")));
    let sent = emulator.received().pop().unwrap();
    let prefix = account.add_request(secrets, &operation(), emulator.endpoint(), clock.wall());
    assert_eq!(sent.header("authorization").unwrap(), format!("{prefix}/…"), "the signatures that are looked for are those that are sent");
    emulator.faults().add(Fault::Busy(1).at("downloadAgentSkillInfoFile").times(1));
    let mut memory = Vec::new();
    shown.outcome(&runtime.block_on(right.1.download(operation()).to_writer(&mut memory)));
    assert!(memory == bytes);
    emulator.faults().add(Fault::CutAfter(100).at("downloadAgentSkillInfoFile").times(1));
    shown.outcome(&right.0.download(operation()).to_writer(Vec::new()));
    shown.outcome(&right.0.download(operation()).check(|_| Err("no".into())).to_file(folder.path().join("b.zip")));
    shown.debug(&WholeFile::create(folder.path().join("c.zip"), Overwrite::Refuse).unwrap());

    // Tokens and URLs.
    let recording = &emulator.recordings()[0];
    add_file(secrets, "a recording", &recording.wav());
    let token = call!(right, account, RequestPlayVoice::new(&recording.original_file_name)).unwrap();
    secrets.add("a playback token", token.as_str());
    let play = PlayVoice::new(token, NOW);
    for interface in [play.clone(), PlayVoice::new(PlaybackToken::new("MARKER-unknown-token".into()).unwrap(), NOW)] {
        shown.outcome(&right.0.download(interface.clone()).to_writer(Vec::new()));
        shown.outcome(&runtime.block_on(right.1.download(interface).to_writer(tokio::io::sink())));
    }
    secrets.add("a playback token", "MARKER-unknown-token");
    let (begin, end) = ("2023-04-05 00:00:00".parse().unwrap(), "2023-04-06 00:00:00".parse().unwrap());
    let url = call!(right, account, GetRecordFileUrlFromObs::new(&recording.call_id, begin, end)).unwrap();
    secrets.add("a recording's URL", url.as_str());
    let by_name = AnyOperation::from_fields("requestPlayVoice", [("fileName".to_owned(), recording.original_file_name.clone())]).unwrap();
    shown.outcome(&right.0.call(by_name.clone()));
    let file = call!(right, account, IvrUploadFile::new(39, recording.wav())).unwrap();
    call!(right, account, IvrGetFileHash::new(&file.file_name)).unwrap();
    call!(right, account, DownloadRecordFile::new(&recording.file_name)).unwrap();

    // What goes wrong: a code, a wrong key, a lock, a page, a wrong certificate, nobody there.
    call!(right, account, download()).unwrap_err();
    let strange = client(emulator.endpoint(), &wrong, trust(&emulator));
    call!(strange, wrong, query("http://127.0.0.1:9/")).unwrap_err();
    call!(strange, wrong, download()).unwrap_err();
    for fault in [Fault::Locked, Fault::Html(200), Fault::Garbage, Fault::Empty, Fault::Redirect, Fault::CloseBeforeAnswer] {
        emulator.faults().add(fault);
        call!(right, account, query("http://127.0.0.1:9/")).unwrap_err();
        emulator.faults().clear();
    }
    let untrusting = client(emulator.endpoint(), &account, trust(&stranger));
    call!(untrusting, account, download()).unwrap_err();
    shown.outcome(&untrusting.0.download(play.clone()).to_writer(Vec::new()));
    let alone = client(&nowhere, &account, trust(&emulator));
    call!(alone, account, download()).unwrap_err();
    shown.outcome(&alone.0.download(play.clone()).to_writer(Vec::new()));
    shown.outcome(&runtime.block_on(alone.1.download(play).to_writer(tokio::io::sink())));
    let session = Session::new(emulator.endpoint().clone(), account.credentials.clone());
    shown.outcome(&Client::with_trust(session, &Trust::none()));

    shown.debug(&emulator);
    shown.debug(&emulator.received());
    shown.debug(&emulator.callbacks());
    shown.debug(&emulator.recordings());
    shown.debug(&emulator.voice_files());
    shown.debug(&emulator.faults());
    shown.debug(&emulator.credentials());
    assert!(emulator.received().len() > 40, "the calls were made");
}

#[test]
fn no_secret_is_shown_or_logged() {
    for secret_key in SECRET_KEYS {
        let logged = Collector::alone(false);
        let (mut secrets, mut shown) = (Secrets::default(), Rendered::default());
        secrets.add("a secret key", secret_key);
        // Whatever an answer's data is, its envelope is a body.
        secrets.add("an answer's body", "\"success\",\"resultData\":");
        render_core(&mut shown, &mut secrets, secret_key);
        render_calls(&mut shown, &mut secrets, secret_key);
        secrets.must_not_be_in("a rendering", shown.text());
        let logs = logged.by_target();
        for (target, text) in &logs {
            secrets.must_not_be_in(&format!("the log of {target}"), text);
        }
        // The layers below did log: there was something to look at.
        for part in ["ccfs_driver", "ureq", "rustls", "reqwest", "hyper_util"] {
            assert!(logs.keys().any(|target| target.starts_with(part)), "{part} logged nothing: {:?}", logs.keys());
        }
    }
}

/// What `ccfs-ureq` says of ureq's TRACE records is so: they hold the heads of requests and whatever is received. Should this fail because nothing is
/// found any more, that text has become wrong, for the better.
#[test]
fn trace_records_of_ureq_hold_what_they_are_said_to_hold() {
    let logged = Collector::alone(true);
    let account = Account::new(SECRET_KEYS[0]);
    let emulator = Emulator::builder().keys("ak", SECRET_KEYS[0]).clock(|| NOW).start().unwrap();
    let trust = Trust::none().add_pem(emulator.ca_pem().unwrap().as_bytes()).unwrap();
    let session = Session::new(emulator.endpoint().clone(), account.credentials.clone()).clock(ManualClock::at(NOW));
    let client = Client::with_trust(session, &trust).unwrap();
    let operation = RequestPlayVoice::new(&emulator.recordings()[0].original_file_name);
    let token = client.call(operation.clone()).unwrap();
    client.call(PlayVoice::new(token.clone(), NOW)).unwrap();

    let logs = logged.by_target();
    let of = |what: &str, secret: &str| {
        let mut secrets = Secrets::default();
        secrets.add(what, secret);
        logs.iter().filter(|(_, text)| secrets.first_in(text).is_some()).map(|(target, _)| target.as_str()).collect::<Vec<_>>()
    };
    let request = PreparedRequest::new(operation.request().unwrap(), emulator.endpoint()).unwrap();
    let signed = request.sign(&Signer::new(&account.credentials), NOW).unwrap();
    let (prefix, signature) = signed.headers()["authorization"].to_str().unwrap().rsplit_once('/').unwrap();
    assert_eq!(of("a signature", signature), ["ureq_proto::util"]);
    assert_eq!(of("an answer's body", "\"success\",\"resultData\":"), ["ureq_proto::util"]);
    assert_eq!(of("a token", token.as_str()), ["ureq::run", "ureq_proto::util"]);
    // Requests' bodies are not, and keys never come near it.
    assert_eq!(of("a request's body", std::str::from_utf8(signed.body()).unwrap()), <[&str; 0]>::default());
    assert_eq!(of("the secret key", SECRET_KEYS[0]), <[&str; 0]>::default());
    assert_eq!(of("the signing key", &signing_key(SECRET_KEYS[0], prefix)), <[&str; 0]>::default());
}

/// Both ways into the collector work.
#[test]
fn a_leak_in_a_log_is_found() {
    let logged = Collector::alone(false);
    log::trace!(target: "a_crate", "a secret: {}", SECRET_KEYS[1]);
    let span = tracing::info_span!(target: "a_span", "call", key = SECRET_KEYS[1]);
    span.in_scope(|| tracing::trace!(target: "an_event", key = ?SECRET_KEYS[1], "said"));
    let mut secrets = Secrets::default();
    secrets.add("a secret key", SECRET_KEYS[1]);
    let logs = logged.by_target();
    for target in ["a_crate", "a_span", "an_event"] {
        assert!(secrets.first_in(&logs[target]).is_some(), "{logs:?}");
    }
}
