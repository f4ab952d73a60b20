//! Client certificates and their keys, also as openssl writes them.
#![allow(clippy::unwrap_used)]

#[path = "../../../tests/src/skipped.rs"]
mod skipped;

use std::path::Path;
use std::process::Command;

use ccfs_tls::{Identity, IdentityError, Trust};
use proptest::prelude::*;
use proptest::sample::Index;
use proptest::test_runner::{Config, FileFailurePersistence};
use rcgen::{CertificateParams, KeyPair};
use skipped::skipped;

/// Returns a new certificate and its key in PEM.
fn generate() -> (String, String) {
    let key = KeyPair::generate().unwrap();
    let certificate =
        CertificateParams::new(vec!["client".to_owned()]).unwrap().self_signed(&key).unwrap();
    (certificate.pem(), key.serialize_pem())
}

fn read(certificate: &str, key: &str) -> Result<Identity, IdentityError> {
    Identity::from_pem(certificate.as_bytes(), key.as_bytes())
}

#[test]
fn debug_shows_neither_the_certificate_nor_the_key() {
    let (certificate, key) = generate();
    let shown = format!("{:?}", read(&certificate, &key).unwrap());
    assert_eq!(shown, "Identity { certificates: 1, .. }");
    // One file with both, CRLF line ends and other text.
    let both = format!(
        "subject=client\r\n{}\r\n{}",
        certificate.replace('\n', "\r\n"),
        key.replace('\n', "\r\n")
    );
    read(&both, &both).unwrap();
}

#[test]
fn each_problem_has_its_error() {
    let ((certificate, key), (_, other)) = (generate(), generate());
    let cut = &key[..key.len() / 2];
    let broken = key.replace("MIG", "!!!");
    for (certificate, key, expected) in [
        (certificate.as_str(), other.as_str(), IdentityError::KeyMismatch),
        ("", key.as_str(), IdentityError::NoCertificate),
        (key.as_str(), key.as_str(), IdentityError::NoCertificate),
        (&certificate[..certificate.len() / 2], key.as_str(), IdentityError::Certificate),
        (
            &format!("{certificate}-----BEGIN CERTIFICATE-----\nMIG"),
            key.as_str(),
            IdentityError::Certificate,
        ),
        (
            "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
            key.as_str(),
            IdentityError::Certificate,
        ),
        (certificate.as_str(), "", IdentityError::NoKey),
        (certificate.as_str(), certificate.as_str(), IdentityError::NoKey),
        (certificate.as_str(), cut, IdentityError::Key),
        (certificate.as_str(), broken.as_str(), IdentityError::Key),
        (
            certificate.as_str(),
            "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
            IdentityError::Key,
        ),
    ] {
        let error = read(certificate, key).unwrap_err();
        assert_eq!(error, expected);
        assert!(!error.to_string().contains("MIG"));
    }
    let large = vec![b'-'; 4 * 1024 * 1024 + 1];
    let error = Identity::from_pem(&large, key.as_bytes()).unwrap_err();
    assert_eq!(error, IdentityError::TooLarge { limit: 4 * 1024 * 1024, len: large.len() });
}

/// Runs openssl; returns `false` if it is not installed.
fn openssl(folder: &Path, line: &str) -> bool {
    let run = Command::new("openssl").args(line.split(' ')).current_dir(folder).output();
    run.is_ok_and(|output| {
        assert!(
            output.status.success(),
            "openssl {line}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        true
    })
}

#[test]
fn all_key_formats_of_openssl_are_read_except_encrypted_ones() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    if !openssl(at, "genrsa -traditional -out rsa-pkcs1.pem 2048") {
        return skipped("openssl is not installed");
    }
    openssl(at, "pkey -in rsa-pkcs1.pem -out rsa-pkcs8.pem");
    openssl(at, "ecparam -name prime256v1 -genkey -noout -out ec-sec1.pem");
    openssl(at, "ecparam -name secp384r1 -genkey -out ec-with-parameters.pem");
    openssl(at, "genpkey -algorithm ED25519 -out ed25519.pem");
    let text = |name: &str| std::fs::read_to_string(at.join(name)).unwrap();
    for (name, label) in [
        ("rsa-pkcs1.pem", "RSA PRIVATE KEY"),
        ("rsa-pkcs8.pem", "BEGIN PRIVATE KEY"),
        ("ec-sec1.pem", "EC PRIVATE KEY"),
        ("ec-with-parameters.pem", "EC PARAMETERS"),
        ("ed25519.pem", "BEGIN PRIVATE KEY"),
    ] {
        assert!(text(name).contains(label), "{name}");
        openssl(
            at,
            &format!("req -x509 -new -key {name} -subj /CN=client -days 30 -out certificate.pem"),
        );
        if let Err(error) = read(&text("certificate.pem"), &text(name)) {
            panic!("{name}: {error}");
        }
    }
    openssl(at, "pkey -in ec-sec1.pem -aes256 -passout pass:word -out encrypted-pkcs8.pem");
    openssl(
        at,
        "rsa -in rsa-pkcs1.pem -aes256 -passout pass:word -traditional -out encrypted-pkcs1.pem",
    );
    for name in ["encrypted-pkcs8.pem", "encrypted-pkcs1.pem"] {
        let error = read(&text("certificate.pem"), &text(name)).unwrap_err();
        assert_eq!(error, IdentityError::Encrypted, "{name}");
        assert!(error.to_string().contains("openssl pkey"));
    }
}

#[test]
fn the_default_is_the_systems_roots() {
    let shown = |trust: &Trust| format!("{trust:?}");
    assert_eq!(shown(&Trust::default()), shown(&Trust::system()));
    assert_ne!(shown(&Trust::default()), shown(&Trust::none()));
}

proptest! {
    #![proptest_config(Config {
        cases: 32,
        failure_persistence: Some(Box::new(FileFailurePersistence::Direct("tests/regressions/identities.txt"))),
        ..Config::default()
    })]

    /// The certificates may come before and after the key, with other text between.
    #[test]
    fn all_certificates_of_a_file_are_read(others in 0_usize..4, key_at in any::<Index>(), junk in "[ -,.-~\r\n]{0,60}") {
        let (own, key) = generate();
        let mut parts: Vec<String> = std::iter::once(own).chain((0..others).map(|_| generate().0)).collect();
        parts.insert(key_at.index(parts.len() + 1), key);
        let file = parts.join(&format!("{junk}\n"));
        prop_assert_eq!(format!("{:?}", read(&file, &file).unwrap()), format!("Identity {{ certificates: {}, .. }}", others + 1));
    }
}
