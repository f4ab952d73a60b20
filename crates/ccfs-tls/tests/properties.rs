//! Properties of trust: which PEM files are accepted, and which servers.
#![allow(clippy::unwrap_used, missing_docs)]

use std::sync::{Arc, OnceLock};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ccfs_proto::exchange::TlsFailure;
use ccfs_tls::{Pin, Trust, TrustError, provider};
use proptest::prelude::*;
use proptest::sample::Index;
use proptest::test_runner::{Config, FileFailurePersistence};
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::{CertificateError, ClientConfig, ClientConnection, ServerConfig, ServerConnection};

const PEM_LIMIT: usize = 4 * 1024 * 1024;

fn cases(cases: u32) -> Config {
    Config {
        cases,
        failure_persistence: Some(Box::new(FileFailurePersistence::Direct(
            "tests/regressions/properties.txt",
        ))),
        ..Config::default()
    }
}

/// A private CA and a server certificate that it signed for 127.0.0.1 and localhost.
struct Authority {
    pem: String,
    der: CertificateDer<'static>,
    leaf: CertificateDer<'static>,
    server: Arc<ServerConfig>,
}

// Few, because generating keys is slow.
fn authorities() -> &'static [Authority] {
    static MADE: OnceLock<Vec<Authority>> = OnceLock::new();
    MADE.get_or_init(|| (0..5).map(|nth| Authority::new(&format!("CA number {nth}"))).collect())
}

impl Authority {
    fn new(name: &str) -> Self {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(DnType::CommonName, name);
        let key = KeyPair::generate().unwrap();
        let certificate = params.self_signed(&key).unwrap();
        let issuer = Issuer::new(params, key);
        let server_key = KeyPair::generate().unwrap();
        let names = vec!["127.0.0.1".to_owned(), "localhost".to_owned()];
        let signed =
            CertificateParams::new(names).unwrap().signed_by(&server_key, &issuer).unwrap();
        let server = ServerConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(
                vec![signed.der().clone()],
                PrivateKeyDer::try_from(server_key.serialize_der()).unwrap(),
            )
            .unwrap();
        Self {
            pem: certificate.pem(),
            der: certificate.der().clone(),
            leaf: signed.der().clone(),
            server: Arc::new(server),
        }
    }
}

/// Text around the certificates of real CA files: names, blank lines, comments, other sections.
fn junk() -> impl Strategy<Value = String> {
    let key = "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n-----END PRIVATE KEY-----\n";
    let line = prop_oneof![
        Just(String::new()),
        Just("subject=/CN=private CA".to_owned()),
        "[ -,.-~é\t]{0,60}",
        Just(
            "-----BEGIN TRUSTED CERTIFICATE-----\nAAAA\n-----END TRUSTED CERTIFICATE-----"
                .to_owned()
        ),
        Just(key.trim_end().to_owned()),
    ];
    prop::collection::vec(line, 0..3)
        .prop_map(|lines| lines.iter().flat_map(|line| [line, "\n"]).collect())
}

/// A CA file, the authorities whose certificates it contains, and the byte range of each.
#[derive(Clone, Debug)]
struct CaFile {
    which: Vec<usize>,
    text: String,
    spans: Vec<(usize, usize)>,
}

fn ca_file(certificates: std::ops::Range<usize>) -> impl Strategy<Value = CaFile> {
    (prop::collection::vec((0..5_usize, junk()), certificates), junk(), any::<bool>()).prop_map(
        |(parts, end, crlf)| {
            let (mut text, mut spans, mut which) = (String::new(), Vec::new(), Vec::new());
            let ends = |text: &str| {
                if crlf {
                    text.replace("\r\n", "\n").replace('\n', "\r\n")
                } else {
                    text.replace("\r\n", "\n")
                }
            };
            for (nth, junk) in parts {
                text.push_str(&ends(&junk));
                let start = text.len();
                text.push_str(&ends(&authorities()[nth].pem));
                spans.push((start, text.trim_end().len()));
                which.push(nth);
            }
            text.push_str(&ends(&end));
            CaFile { which, text, spans }
        },
    )
}

fn certificates_of(which: &[usize]) -> Vec<CertificateDer<'static>> {
    which.iter().map(|&nth| authorities()[nth].der.clone()).collect()
}

/// Runs a handshake in memory and returns the client's result.
fn handshake(
    config: ClientConfig,
    server: &Arc<ServerConfig>,
    name: &str,
) -> Result<(), rustls::Error> {
    let name = ServerName::try_from(name.to_owned()).unwrap();
    let mut client = ClientConnection::new(Arc::new(config), name).unwrap();
    let mut server = ServerConnection::new(Arc::clone(server)).unwrap();
    while client.is_handshaking() || server.is_handshaking() {
        let mut wire = Vec::new();
        while client.wants_write() {
            client.write_tls(&mut wire).unwrap();
        }
        let mut incoming = &wire[..];
        while !incoming.is_empty() {
            server.read_tls(&mut incoming).unwrap();
            // Only the client's result is returned; an alert ends the server's side.
            if server.process_new_packets().is_err() {
                break;
            }
        }
        let mut wire = Vec::new();
        while server.wants_write() {
            server.write_tls(&mut wire).unwrap();
        }
        let mut incoming = &wire[..];
        while !incoming.is_empty() {
            client.read_tls(&mut incoming).unwrap();
            client.process_new_packets()?;
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(cases(96))]

    #[test]
    fn all_certificates_of_a_file_are_read_in_order(file in ca_file(1..6), mark in any::<bool>()) {
        let text = if mark { format!("\u{FEFF}\n{}", file.text) } else { file.text };
        let trust = Trust::none().add_pem(text.as_bytes()).unwrap();
        prop_assert_eq!(trust.certificates().unwrap(), certificates_of(&file.which));
        prop_assert!(trust.client_config().is_ok());
    }

    #[test]
    fn several_files_are_combined(files in prop::collection::vec(ca_file(1..3), 1..4)) {
        let trust = files.iter().fold(Trust::none(), |trust, file| trust.add_pem(file.text.as_bytes()).unwrap());
        let which: Vec<usize> = files.into_iter().flat_map(|file| file.which).collect();
        prop_assert_eq!(trust.certificates().unwrap(), certificates_of(&which));
        let shown = format!("{trust:?}");
        prop_assert_eq!(shown, format!("Trust {{ system: false, added: {}, pins: [], identity: None, min_version: V1_2 }}", which.len()));
    }

    #[test]
    fn a_truncated_certificate_is_an_error_with_its_number(file in ca_file(1..4), which in any::<Index>(), at in any::<Index>()) {
        let number = which.index(file.spans.len());
        let (start, end) = file.spans[number];
        // After the BEGIN line and before the end of the END line.
        let first = start + "-----BEGIN CERTIFICATE-----\n".len() + 1;
        let cut = first + at.index(end - first);
        prop_assert_eq!(Trust::none().add_pem(&file.text.as_bytes()[..cut]).unwrap_err(), TrustError::Pem { number: number + 1 });
    }

    #[test]
    fn an_invalid_certificate_is_an_error_with_its_number(file in ca_file(0..4), der in prop::collection::vec(any::<u8>(), 1..100)) {
        let broken = pem_of(&der);
        let number = file.which.len() + 1;
        let text = format!("{}\n{broken}", file.text);
        prop_assert_eq!(Trust::none().add_pem(text.as_bytes()).unwrap_err(), TrustError::Certificate { number });
        let text = format!("{}\n-----BEGIN CERTIFICATE-----\n?!\n-----END CERTIFICATE-----\n", file.text);
        prop_assert_eq!(Trust::none().add_pem(text.as_bytes()).unwrap_err(), TrustError::Pem { number });
    }

    #[test]
    fn no_bytes_cause_a_panic_or_add_a_certificate(mut file in ca_file(1..3), at in any::<Index>(), flip in 1_u8.., junk in prop::collection::vec(any::<u8>(), 0..300)) {
        let refused = Trust::none().add_pem(&junk).unwrap_err();
        prop_assert!(matches!(refused, TrustError::NoCertificate | TrustError::Pem { .. }), "{}", refused);
        let mut bytes = std::mem::take(&mut file.text).into_bytes();
        *at.get_mut(&mut bytes) ^= flip;
        if let Ok(trust) = Trust::none().add_pem(&bytes) {
            prop_assert!(trust.certificates().unwrap().len() <= file.which.len());
        }
    }

    #[test]
    fn a_file_without_a_certificate_is_refused(junk in junk()) {
        prop_assert_eq!(Trust::none().add_pem(junk.as_bytes()).unwrap_err(), TrustError::NoCertificate);
        prop_assert_eq!(Trust::system().add_pem(junk.as_bytes()).unwrap_err(), TrustError::NoCertificate);
    }
}

proptest! {
    #![proptest_config(cases(24))]

    /// Without the system's roots.
    #[test]
    fn a_server_is_accepted_exactly_if_its_ca_was_added_and_the_name_matches(file in ca_file(1..4), server in 0_usize..5, name in prop::sample::select(vec!["127.0.0.1", "localhost", "10.1.2.3", "example.com"])) {
        let trust = Trust::none().add_pem(file.text.as_bytes()).unwrap();
        let shaken = handshake(trust.client_config().unwrap(), &authorities()[server].server, name);
        let (added, named) = (file.which.contains(&server), ["127.0.0.1", "localhost"].contains(&name));
        prop_assert_eq!(shaken.is_ok(), added && named, "{:?}", shaken);
        if let Err(error) = shaken {
            let unknown = error == rustls::Error::InvalidCertificate(CertificateError::UnknownIssuer);
            prop_assert_eq!(unknown, !added, "{}", error);
        }
    }
}

proptest! {
    #![proptest_config(cases(96))]

    /// Upper and lower case, with and without colons, with white space around.
    #[test]
    fn a_pin_is_parsed_from_every_format(bytes in any::<[u8; 32]>(), capital in any::<u64>(), colons in any::<bool>(), blanks in "[ \t\n]{0,3}") {
        let pin = Pin::from(bytes);
        let shown = pin.to_string();
        prop_assert_eq!(shown.len(), 64);
        let cased: String = shown.chars().enumerate().map(|(at, c)| if capital >> at & 1 == 1 { c.to_ascii_uppercase() } else { c }).collect();
        let pairs: Vec<&str> = (0..32).map(|at| &cased[2 * at..2 * at + 2]).collect();
        let written = format!("{blanks}{}{blanks}", pairs.join(if colons { ":" } else { "" }));
        prop_assert_eq!(written.parse(), Ok(pin));
    }

    #[test]
    fn no_text_causes_a_panic_and_only_64_digits_are_a_pin(text in prop_oneof!["\\PC{0,80}", "[0-9a-f:]{60,100}", "([0-9a-f]{2}:){31}[0-9a-f]{2}"]) {
        match text.parse::<Pin>() {
            Ok(pin) => prop_assert_eq!(pin.to_string(), text.replace(':', "").trim().to_lowercase()),
            Err(error) => prop_assert!(!error.to_string().contains(&text) || text.len() < 3),
        }
    }

    #[test]
    fn a_changed_certificate_has_another_pin(mut der in prop::collection::vec(any::<u8>(), 1..400), at in any::<Index>(), flip in 1_u8..) {
        let before = Pin::of(&der);
        *at.get_mut(&mut der) ^= flip;
        prop_assert_ne!(Pin::of(&der), before);
    }

    /// Names and roots are ignored.
    #[test]
    fn with_pins_a_server_is_accepted_exactly_if_its_certificate_is_pinned(
        pinned in prop::collection::vec(0_usize..5, 1..4),
        roots in prop::option::of(ca_file(1..3)),
        server in 0_usize..5,
        name in prop::sample::select(vec!["127.0.0.1", "10.1.2.3", "example.com"]),
    ) {
        let base = roots.map_or(Trust::none(), |file| Trust::none().add_pem(file.text.as_bytes()).unwrap());
        let trust = pinned.iter().fold(base, |trust, &nth| trust.pin(Pin::of(&authorities()[nth].leaf)));
        let shaken = handshake(trust.client_config().unwrap(), &authorities()[server].server, name);
        prop_assert_eq!(shaken.is_ok(), pinned.contains(&server), "{:?}", shaken);
        if let Err(error) = shaken {
            let presented = *Pin::of(&authorities()[server].leaf).as_bytes();
            let first = *Pin::of(&authorities()[pinned[0]].leaf).as_bytes();
            let expected = TlsFailure::PinDiffers { presented, pinned: first, others: pinned.len() - 1 };
            prop_assert_eq!(ccfs_tls::classify_error(&error), expected);
        }
    }

    #[test]
    fn recording_does_not_change_the_decision(file in prop::option::of(ca_file(1..3)), server in 0_usize..5, name in prop::sample::select(vec!["127.0.0.1", "example.com"])) {
        let trust = file.map_or(Trust::none(), |file| Trust::none().add_pem(file.text.as_bytes()).unwrap());
        let (config, certificates) = trust.recording_config();
        let recorded = handshake(config, &authorities()[server].server, name);
        prop_assert_eq!(&certificates.lock().unwrap().certificates, &vec![authorities()[server].leaf.to_vec()]);
        match trust.client_config() {
            Ok(config) => {
                let plain = handshake(config, &authorities()[server].server, name);
                prop_assert_eq!(recorded.map_err(|error| ccfs_tls::classify_error(&error)), plain.map_err(|error| ccfs_tls::classify_error(&error)));
            }
            Err(_) => prop_assert!(recorded.is_err(), "no roots and no pins"),
        }
    }
}

/// `openssl req -x509` creates a CA certificate. As a server's certificate it is rejected even if
/// it is trusted as a root, and accepted if it is pinned.
#[test]
fn a_ca_certificate_as_server_certificate_has_its_error_and_can_be_pinned() {
    let mut params = CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let key = KeyPair::generate().unwrap();
    let own = params.self_signed(&key).unwrap();
    let server = ServerConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(
            vec![own.der().clone()],
            PrivateKeyDer::try_from(key.serialize_der()).unwrap(),
        )
        .unwrap();
    let server = Arc::new(server);
    for roots in [&authorities()[0].pem, &own.pem()] {
        let trust = Trust::none().add_pem(roots.as_bytes()).unwrap();
        let error = handshake(trust.client_config().unwrap(), &server, "127.0.0.1").unwrap_err();
        assert_eq!(ccfs_tls::classify_error(&error), TlsFailure::CaCertificate);
    }
    handshake(Trust::none().pin(Pin::of(own.der())).client_config().unwrap(), &server, "127.0.0.1")
        .unwrap();
}

/// A server with a pinned certificate but another key: the handshake's signature is invalid.
#[test]
fn a_pinned_certificate_without_its_key_is_rejected() {
    let (real, other_key) = (&authorities()[0], KeyPair::generate().unwrap());
    for version in [&rustls::version::TLS12, &rustls::version::TLS13] {
        let key = rustls::crypto::ring::sign::any_supported_type(
            &PrivateKeyDer::try_from(other_key.serialize_der()).unwrap(),
        )
        .unwrap();
        let certified = Arc::new(CertifiedKey::new(vec![real.leaf.clone()], key));
        let server = ServerConfig::builder_with_provider(provider())
            .with_protocol_versions(&[version])
            .unwrap()
            .with_no_client_auth()
            .with_cert_resolver(Arc::new(SingleCertAndKey::from(certified)));
        let trust = Trust::none().pin(Pin::of(&real.leaf));
        let error =
            handshake(trust.client_config().unwrap(), &Arc::new(server), "127.0.0.1").unwrap_err();
        assert_eq!(
            error,
            rustls::Error::InvalidCertificate(CertificateError::BadSignature),
            "{version:?}"
        );
    }
}

fn pem_of(der: &[u8]) -> String {
    let base64 = STANDARD.encode(der);
    format!("-----BEGIN CERTIFICATE-----\n{base64}\n-----END CERTIFICATE-----\n")
}

#[test]
fn the_size_is_limited() {
    let mut text = authorities()[0].pem.clone().into_bytes();
    text.resize(PEM_LIMIT, b'\n');
    assert_eq!(Trust::none().add_pem(&text).unwrap().certificates().unwrap().len(), 1);
    text.push(b'\n');
    let error = Trust::none().add_pem(&text).unwrap_err();
    assert_eq!(error, TrustError::TooLarge { limit: PEM_LIMIT, len: PEM_LIMIT + 1 });
    assert!(error.to_string().contains("4194304"), "the limit is in the message: {error}");
}

#[test]
fn without_certificates_there_is_no_configuration() {
    assert_eq!(Trust::none().certificates().unwrap_err(), TrustError::NoRoots);
    assert_eq!(Trust::none().client_config().unwrap_err(), TrustError::NoRoots);
}

#[test]
fn added_certificates_are_trusted_in_addition_to_the_systems() {
    let added = &authorities()[0];
    let trust = Trust::system().add_pem(added.pem.as_bytes()).unwrap();
    assert!(trust.certificates().unwrap().contains(&added.der));
    assert_eq!(handshake(trust.client_config().unwrap(), &added.server, "localhost"), Ok(()));
    let other = handshake(trust.client_config().unwrap(), &authorities()[1].server, "localhost");
    assert_eq!(other, Err(rustls::Error::InvalidCertificate(CertificateError::UnknownIssuer)));
}
