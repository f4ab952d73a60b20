//! Certificate pins.

use std::fmt;
use std::str::FromStr;

use ctutils::CtEq;
use sha2::{Digest, Sha256};

/// Number of hex digits in a pin.
const DIGITS: usize = 64;

/// SHA-256 of a certificate's DER, which identifies the certificate. A pin is not secret.
///
/// It is parsed from 64 hex digits in upper or lower case, with or without colons between bytes:
/// the format that `openssl x509 -fingerprint -sha256` prints after the `=`.
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
    /// Returns the pin of the certificate with this DER.
    pub fn of(der: &[u8]) -> Self {
        Self(Sha256::digest(der).into())
    }

    /// Returns the 32 bytes of the hash.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Compares in constant time.
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
    /// Writes 64 hex digits in lower case.
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

    /// Parses 64 hex digits, with or without colons between bytes. White space around is ignored.
    ///
    /// # Errors
    ///
    /// [`PinError`] if the text is malformed.
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
        // Either all bytes are separated by colons or none.
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

/// Why a pin is malformed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PinError {
    /// The text has characters other than hex digits and colons.
    #[error(
        "pin has characters other than hex digits and colons; get it with openssl x509 -noout -fingerprint -sha256 -in CERT"
    )]
    Digit,
    /// The number of hex digits is not 64.
    #[error(
        "pin has {len} hex digits, expected 64; get it with openssl x509 -noout -fingerprint -sha256 -in CERT"
    )]
    Length {
        /// Number of hex digits.
        len: usize,
    },
    /// The colons do not separate all bytes.
    #[error("pin has misplaced colons; put one between every two bytes, or remove all")]
    Colons,
}
