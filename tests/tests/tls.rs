//! TLS in realistic setups, over both backends: pins, names, dates, CAs, client certificates, versions.

use std::borrow::Cow;
use std::fs;
use std::process::Command;

use ccfs_driver::Config;
use ccfs_emulator::{Emulator, TlsVersions};
use ccfs_proto::answer::{AnswerError, Expected};
use ccfs_proto::exchange::TlsFailure;
use ccfs_proto::operation::{FieldError, OperationRequest, Received, Repeat};
use ccfs_proto::{Credentials, ErrorKind, FailureKind, Operation, Policy};
use ccfs_tests::{ask_both, asks_for_certificate, skipped, trust};
use ccfs_tls::{Identity, Pin, TlsVersion, Trust};

fn pin_of(emulator: &Emulator) -> Pin {
    Pin::of(emulator.certificate_der().unwrap())
}

fn identity_of(emulator: &Emulator) -> Identity {
    let identity = emulator.client_identity().unwrap();
    Identity::from_pem(identity.certificate_pem.as_bytes(), identity.key_pem.as_bytes()).unwrap()
}

/// Both backends reach the server.
fn reaches(emulator: &Emulator, trust: &Trust) {
    emulator.clear_logs();
    for (name, outcome) in ask_both(emulator.endpoint(), &emulator.credentials(), trust, None) {
        assert_eq!(outcome.unwrap(), "0300011", "{name}");
    }
    assert_eq!(emulator.received().len(), 2);
}

/// Both backends refuse or are refused, for this reason, after one attempt, and no request arrives.
fn fails(emulator: &Emulator, trust: &Trust, expected: TlsFailure, words: &str) {
    emulator.clear_logs();
    for (name, outcome) in ask_both(emulator.endpoint(), &emulator.credentials(), trust, None) {
        let error = outcome.unwrap_err();
        let said = error.to_string();
        assert!(said.contains("TLS handshake with ") && said.contains(words), "{name}: {said}");
        let exchange = error.exchange().unwrap();
        assert_eq!(
            (&exchange.kind, exchange.attempts),
            (&ErrorKind::Transport(FailureKind::Tls(expected).into()), 1),
            "{name}"
        );
        assert!(exchange.is_network());
    }
    assert!(emulator.received().is_empty());
}

#[test]
fn a_pin_accepts_exactly_that_certificate_whatever_it_names() {
    let other_name = Emulator::builder().certificate_names(["ccfs.example.com"]).start().unwrap();
    reaches(&other_name, &Trust::none().pin(pin_of(&other_name)));
    reaches(&other_name, &Trust::system().pin(pin_of(&other_name)));
    let expired = Emulator::builder().expired_certificate(true).start().unwrap();
    reaches(&expired, &Trust::none().pin(pin_of(&expired)));
}

#[test]
fn a_wrong_pin_is_refused_and_both_are_reported() {
    let emulator = Emulator::builder().start().unwrap();
    let (right, wrong) = (pin_of(&emulator), Pin::of(b"another certificate"));
    let expected = TlsFailure::PinDiffers {
        presented: *right.as_bytes(),
        pinned: *wrong.as_bytes(),
        others: 0,
    };
    // A trusted CA does not make up for it.
    for trust in [Trust::none().pin(wrong), trust(&emulator).pin(wrong)] {
        fails(&emulator, &trust, expected, &right.to_string());
        fails(&emulator, &trust, expected, &wrong.to_string());
    }
    // During a renewal, two pins are configured.
    let expected = TlsFailure::PinDiffers {
        presented: *right.as_bytes(),
        pinned: *wrong.as_bytes(),
        others: 1,
    };
    fails(
        &emulator,
        &Trust::none().pin(wrong).pin(Pin::of(b"a third")),
        expected,
        "or one of 1 more",
    );
    reaches(&emulator, &Trust::none().pin(wrong).pin(right));
}

#[test]
fn without_a_pin_issuer_name_and_dates_count() {
    let right = Emulator::builder().start().unwrap();
    reaches(&right, &trust(&right));
    let stranger = Emulator::builder().seed(99).start().unwrap();
    fails(&right, &trust(&stranger), TlsFailure::UnknownIssuer, "not signed by a trusted CA");
    let other_name = Emulator::builder().certificate_names(["ccfs.example.com"]).start().unwrap();
    fails(&other_name, &trust(&other_name), TlsFailure::WrongName, "names another host");
    let expired = Emulator::builder().expired_certificate(true).start().unwrap();
    fails(&expired, &trust(&expired), TlsFailure::Expired, "has expired");
}

#[test]
fn a_client_certificate_is_shown_where_it_is_wanted() {
    for versions in [TlsVersions::Only12, TlsVersions::Only13] {
        let emulator = Emulator::builder()
            .require_client_certificate(true)
            .tls_versions(versions)
            .start()
            .unwrap();
        let stranger = Emulator::builder().start().unwrap();
        reaches(&emulator, &trust(&emulator).identity(identity_of(&emulator)));
        reaches(&emulator, &Trust::none().pin(pin_of(&emulator)).identity(identity_of(&emulator)));
        fails(
            &emulator,
            &trust(&emulator),
            TlsFailure::ClientCertificateMissing,
            "requires a client certificate",
        );
        let wrong = trust(&emulator).identity(identity_of(&stranger));
        fails(
            &emulator,
            &wrong,
            TlsFailure::ClientCertificateRefused,
            "rejected the client certificate",
        );
        // A server that does not request a certificate ignores it.
        reaches(&stranger, &trust(&stranger).identity(identity_of(&emulator)));
    }
}

/// An upload that is larger than the buffers of a connection.
struct Upload;

impl Operation for Upload {
    type Answer = ();

    fn interface(&self) -> Cow<'static, str> {
        "upload".into()
    }

    fn request(&self) -> Result<OperationRequest, FieldError> {
        Ok(OperationRequest::post("/upload", vec![b'a'; 16 << 20]))
    }

    fn repeat(&self) -> Repeat {
        Repeat::Idempotent
    }

    fn expected(&self) -> Expected {
        Expected::Envelope
    }

    fn answer(&self, _: Received) -> Result<(), AnswerError> {
        Ok(())
    }
}

/// A server that sends the alert of TLS 1.3 about the missing client certificate, reads nothing of
/// the request and resets the connection, so that the blocking backend fails to write before it
/// reads the alert.
#[test]
fn a_missing_client_certificate_is_named_although_the_connection_is_reset() {
    let (endpoint, pin) = asks_for_certificate(&[&rustls::version::TLS13], true, "");
    let trust = Trust::none().pin(pin);
    let credentials = Credentials::from_text("ak", "sk".into()).unwrap();
    let policy = Policy::default().max_retries(0);
    let config = Config::new(endpoint.parse().unwrap(), credentials).policy(policy).proxy(None);
    let error = ccfs_ureq::Client::with_trust(config, &trust).unwrap().call(Upload).unwrap_err();
    let expected = FailureKind::Tls(TlsFailure::ClientCertificateMissing).into();
    assert_eq!(error.exchange().unwrap().kind, ErrorKind::Transport(expected), "{error}");
}

#[test]
fn both_versions_of_tls_work_with_roots_and_with_pins() {
    for versions in [TlsVersions::Only12, TlsVersions::Only13, TlsVersions::Both] {
        let emulator = Emulator::builder().tls_versions(versions).start().unwrap();
        reaches(&emulator, &trust(&emulator));
        reaches(&emulator, &Trust::none().pin(pin_of(&emulator)));
        let newest = trust(&emulator).min_version(TlsVersion::V1_3);
        match versions {
            TlsVersions::Only12 => {
                fails(
                    &emulator,
                    &newest,
                    TlsFailure::NothingInCommon,
                    "no common protocol version",
                );
            }
            _ => reaches(&emulator, &newest),
        }
    }
}

/// A server that speaks plain HTTP, addressed as if it spoke TLS.
#[test]
fn a_server_without_tls_is_reported() {
    let plain = Emulator::builder().plain().start().unwrap();
    let endpoint = format!("https://{}", plain.address()).parse().unwrap();
    for (name, outcome) in
        ask_both(&endpoint, &plain.credentials(), &Trust::none().pin(Pin::of(b"")), None)
    {
        let said = outcome.unwrap_err().to_string();
        assert!(said.contains("does not speak TLS"), "{name}: {said}");
    }
}

/// openssl has the same idea of a fingerprint, and prints it as it can be given.
#[test]
fn a_pin_is_what_openssl_prints() {
    let emulator = Emulator::builder().start().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("certificate.der");
    fs::write(&path, emulator.certificate_der().unwrap()).unwrap();
    let openssl = Command::new("openssl")
        .args(["x509", "-inform", "DER", "-noout", "-fingerprint", "-sha256", "-in"])
        .arg(&path)
        .output();
    let Ok(output) = openssl else { return skipped("openssl is not on this machine") };
    let text = String::from_utf8(output.stdout).unwrap();
    let printed = text.trim().split_once('=').unwrap().1;
    let pin: Pin = printed.parse().unwrap();
    assert_eq!(pin, pin_of(&emulator));
    assert_eq!(pin.to_string(), emulator.certificate_sha256().unwrap());
    reaches(&emulator, &Trust::none().pin(pin));
}
