//! No secret is shown: not by any `Debug`, `Display` or error of any crate, and not by anything that is logged while real calls are made.
//!
//! Secrets are the secret key, the signing keys derived from it, signatures (with one, the request can be repeated), playback tokens,
//! URLs of recordings, private keys of certificates, and bodies. The command is held to the same in `crates/ccfs-cli/tests/leaks.rs`.
#![allow(clippy::unwrap_used)]

mod archive;
mod calls;
mod layers;
mod plain;
mod protocol;
mod public;

use ccfs::proto::Signer;
use ccfs::proto::exchange::PreparedRequest;
use ccfs::proto::operation::{PlayVoice, RequestPlayVoice};
use ccfs::{Client, Credentials, Endpoint, Operation, Timestamp, Trust};
use ccfs_conformance::ManualClock;
use ccfs_driver::Config;
use ccfs_emulator::Emulator;
use ccfs_tests::{Collector, Rendered, SECRET_KEYS, Secrets, signatures};
use hmac::{Hmac, KeyInit, Mac};

/// 2023-04-06T02:30:00Z.
const NOW: Timestamp = Timestamp::from_unix_millis(1_680_748_200_123);

/// The first HMAC of a signature, as the protocol page has it: its hex is the key of the second.
fn signing_key(secret_key: &str, prefix: &str) -> String {
    let mut mac = Hmac::<sha2::Sha256>::new_from_slice(secret_key.as_bytes()).unwrap();
    mac.update(prefix.as_bytes());
    mac.finalize().into_bytes().iter().fold(String::new(), |hex, byte| hex + &format!("{byte:02x}"))
}

/// The secret key of an account, and credentials with it.
struct Account {
    secret_key: String,
    credentials: Credentials,
}

impl Account {
    fn new(secret_key: &str) -> Self {
        Self {
            secret_key: secret_key.to_owned(),
            credentials: Credentials::from_text("ak", secret_key.to_owned()).unwrap(),
        }
    }

    /// Adds what a request of `operation` at `at` consists of, and gives all but the signature of its header.
    fn add_request(
        &self,
        secrets: &mut Secrets,
        operation: &impl Operation,
        endpoint: &Endpoint,
        at: Timestamp,
    ) -> String {
        let request = operation.request().unwrap();
        let body = String::from_utf8(request.body.to_vec()).unwrap();
        let signed = PreparedRequest::new(request, endpoint)
            .unwrap()
            .sign(&Signer::new(&self.credentials), at)
            .unwrap();
        secrets.add("a request's body", &body);
        let (prefix, signature) =
            signed.headers()["authorization"].to_str().unwrap().rsplit_once('/').unwrap();
        secrets.add("a signature", signature);
        secrets.add("a signing key", &signing_key(&self.secret_key, prefix));
        prefix.to_owned()
    }
}

/// Parts of a file, long enough to identify it.
fn add_file(secrets: &mut Secrets, what: &str, bytes: &[u8]) {
    secrets.add_bytes(what, &bytes[..40]);
    secrets.add_bytes(what, &bytes[bytes.len() / 2..][..40]);
}

#[test]
fn no_secret_is_shown_or_logged() {
    for secret_key in SECRET_KEYS {
        let logged = Collector::alone(false);
        let (mut secrets, mut shown) = (Secrets::default(), Rendered::default());
        secrets.add("a secret key", secret_key);
        // Whatever an answer's data is, its envelope is a body.
        secrets.add("an answer's body", "\"success\",\"resultData\":");
        protocol::render(&mut shown, &mut secrets, secret_key);
        calls::render(&mut shown, &mut secrets, secret_key);
        secrets.must_not_be_in("a rendering", shown.text());
        let logs = logged.by_target();
        for (target, text) in &logs {
            secrets.must_not_be_in(&format!("the log of {target}"), text);
        }
        for text in logs.values().map(String::as_str).chain([shown.text()]) {
            assert_eq!(
                signatures(text),
                <[&str; 0]>::default(),
                "a signature that nobody expected"
            );
        }
        let left_out: Vec<_> =
            public::that_show_themselves().difference(shown.types()).cloned().collect();
        assert!(
            left_out.is_empty(),
            "render each of these with secrets in it, above or in this folder's modules: {left_out:#?}"
        );
        // The lower layers did log, so there was output to search.
        for part in ["ccfs_driver", "ureq", "rustls", "reqwest", "hyper_util"] {
            assert!(
                logs.keys().any(|target| target.starts_with(part)),
                "{part} logged nothing: {:?}",
                logs.keys()
            );
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
    let session = Config::new(emulator.endpoint().clone(), account.credentials.clone())
        .proxy(None)
        .clock(ManualClock::at(NOW));
    let client = Client::with_trust(session, &trust).unwrap();
    let operation = RequestPlayVoice::new(&emulator.recordings()[0].original_file_name);
    let token = client.call(operation.clone()).unwrap();
    client.call(PlayVoice::new(token.clone(), NOW)).unwrap();

    let logs = logged.by_target();
    let of = |what: &str, secret: &str| {
        let mut secrets = Secrets::default();
        secrets.add(what, secret);
        logs.iter()
            .filter(|(_, text)| secrets.first_in(text).is_some())
            .map(|(target, _)| target.as_str())
            .collect::<Vec<_>>()
    };
    let request = PreparedRequest::new(operation.request().unwrap(), emulator.endpoint()).unwrap();
    let signed = request.sign(&Signer::new(&account.credentials), NOW).unwrap();
    let (prefix, signature) =
        signed.headers()["authorization"].to_str().unwrap().rsplit_once('/').unwrap();
    assert_eq!(of("a signature", signature), ["ureq_proto::util"]);
    assert_eq!(of("an answer's body", "\"success\",\"resultData\":"), ["ureq_proto::util"]);
    assert_eq!(of("a token", token.as_str()), ["ureq::run", "ureq_proto::util"]);
    // Requests' bodies are not, and keys never come near it.
    assert_eq!(
        of("a request's body", std::str::from_utf8(signed.body()).unwrap()),
        <[&str; 0]>::default()
    );
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
