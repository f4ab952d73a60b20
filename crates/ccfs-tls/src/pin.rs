//! The pin of a certificate.

use std::fmt;
use std::str::FromStr;

use ctutils::CtEq;
use sha2::{Digest, Sha256};

/// Hex digits of a pin.
const DIGITS: usize = 64;

/// The SHA-256 of a certificate's DER: what tells it from every other one.
///
/// Read from 64 hex digits in either case, with or without colons, so that what `openssl x509 -fingerprint -sha256` prints behind the `=`
/// can be given as it stands. A pin is public.
///
/// ```
/// use ccfs_tls::Pin;
///
/// let pin = Pin::of(b"the DER of a certificate");
/// assert_eq!(pin.to_string().to_uppercase().parse(), Ok(pin));
/// assert!("AB:CD".parse::<Pin>().is_err());
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Pin([u8; 32]);

impl Pin {
    /// The pin of the certificate with this DER.
    pub fn of(der: &[u8]) -> Self {
        Self(Sha256::digest(der).into())
    }

    /// Its bytes.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Whether the two are equal, in a time that does not depend on where they differ.
    pub(crate) fn matches(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl From<[u8; 32]> for Pin {
    fn from(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }
}

impl fmt::Display for Pin {
    /// 64 hex digits in lower case.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Pin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Pin({self})")
    }
}

impl FromStr for Pin {
    type Err = PinError;

    fn from_str(text: &str) -> Result<Self, PinError> {
        let text = text.trim();
        if text.bytes().any(|b| b != b':' && !b.is_ascii_hexdigit()) {
            return Err(PinError::Digit);
        }
        let digits: Vec<u8> = text
            .bytes()
            .filter_map(|b| char::from(b).to_digit(16))
            .filter_map(|digit| u8::try_from(digit).ok())
            .collect();
        if digits.len() != DIGITS {
            return Err(PinError::Length { len: digits.len() });
        }
        // Colons stand between bytes, all of them or none.
        let grouped = text.split(':').all(|group| group.len() == 2);
        if text.contains(':') && !grouped {
            return Err(PinError::Colons);
        }
        let mut bytes = [0; 32];
        for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
            *byte = pair[0] << 4 | pair[1];
        }
        Ok(Self(bytes))
    }
}

/// Why a text is no pin.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PinError {
    /// Something else than hex digits and colons.
    #[error(
        "a pin has only hex digits, and colons between bytes: the SHA-256 of the certificate, as openssl x509 -fingerprint -sha256 prints it"
    )]
    Digit,
    /// Not 64 digits.
    #[error("a pin has 64 hex digits (SHA-256), and this one has {len}")]
    Length {
        /// The digits given.
        len: usize,
    },
    /// Colons that do not stand between bytes.
    #[error("the colons of a pin stand between all of its bytes, or there are none")]
    Colons,
}
