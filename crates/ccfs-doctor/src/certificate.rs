//! A certificate, for a person to read.

use std::net::IpAddr;

use ccfs_proto::Timestamp;
use ccfs_proto::time::Precision;
use ccfs_tls::Pin;
use serde::Serialize;
use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::FromDer;
use x509_parser::public_key::PublicKey;

use crate::evidence::shown;

/// Names of one certificate that are shown.
const NAMES: usize = 50;

/// Contents of a certificate. Names are as the server sent them, shortened and without control characters.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Certificate {
    /// Subject: the owner of the certificate.
    pub subject: String,
    /// Issuer: the CA that signed the certificate.
    pub issuer: String,
    /// Valid from this time on, in UTC; `None` when it cannot be read.
    pub not_before: Option<String>,
    /// Valid up to this time, in UTC; `None` when it cannot be read.
    pub not_after: Option<String>,
    /// Host names and IP addresses that the certificate is for, at most 50.
    pub names: Vec<String>,
    /// SHA-256 of its DER in hex, which is the certificate's pin.
    pub sha256: String,
    /// X.509 version, 1 to 3; `None` when it cannot be read.
    pub version: Option<u32>,
    /// Length of its RSA key in bits; `None` for other keys, and when it cannot be read.
    pub rsa_bits: Option<usize>,
    #[serde(skip)]
    pub(crate) ends: Option<Timestamp>,
}

impl Certificate {
    /// Reads a DER. One that cannot be read still has its pin.
    pub(crate) fn read(der: &[u8]) -> Self {
        let sha256 = Pin::of(der).to_string();
        let Ok((_, parsed)) = X509Certificate::from_der(der) else {
            let subject = "a certificate that cannot be read".to_owned();
            return Self { subject, sha256, ..Self::default() };
        };
        let time = |seconds: i64| Timestamp::from_unix_millis(seconds.saturating_mul(1000));
        let (begins, ends) = (
            time(parsed.validity().not_before.timestamp()),
            time(parsed.validity().not_after.timestamp()),
        );
        let names = parsed
            .subject_alternative_name()
            .ok()
            .flatten()
            .map(|extension| extension.value.general_names.as_slice());
        Self {
            subject: shown(&parsed.subject().to_string()),
            issuer: shown(&parsed.issuer().to_string()),
            not_before: Some(seconds(begins)),
            not_after: Some(seconds(ends)),
            names: names.unwrap_or_default().iter().filter_map(name).take(NAMES).collect(),
            sha256,
            version: Some(parsed.version().0.saturating_add(1)),
            rsa_bits: match parsed.public_key().parsed() {
                Ok(PublicKey::RSA(key)) => Some(bits(key.modulus)),
                _ => None,
            },
            ends: Some(ends),
        }
    }
}

/// The length of a number in bits, without leading zeros.
fn bits(number: &[u8]) -> usize {
    let zeros = number.iter().take_while(|byte| **byte == 0).count();
    match &number[zeros..] {
        [] => 0,
        [first, rest @ ..] => 8 * rest.len() + 8 - first.leading_zeros() as usize,
    }
}

/// Certificates have whole seconds.
fn seconds(time: Timestamp) -> String {
    time.text(Precision::Seconds).as_str().to_owned()
}

fn name(name: &GeneralName<'_>) -> Option<String> {
    match name {
        GeneralName::DNSName(name) => Some(shown(name)),
        GeneralName::IPAddress(bytes) => {
            let v4 = <[u8; 4]>::try_from(*bytes).map(IpAddr::from);
            let address = v4.or_else(|_| <[u8; 16]>::try_from(*bytes).map(IpAddr::from));
            address.ok().map(|address| address.to_string())
        }
        _ => None,
    }
}
