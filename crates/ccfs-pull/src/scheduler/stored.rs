//! Files on disk, as the scheduler and the journal know them.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// The size and the hash of a file, by which [`verify`](crate::verify) finds changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Fingerprint {
    /// Size in bytes.
    pub bytes: u64,
    /// SHA-256.
    #[serde(with = "hex")]
    pub sha256: [u8; 32],
}

impl Fingerprint {
    /// Creates a fingerprint from its parts.
    #[must_use]
    pub const fn new(bytes: u64, sha256: [u8; 32]) -> Self {
        Self { bytes, sha256 }
    }

    /// Returns the SHA-256 in hexadecimal.
    pub fn sha256_hex(&self) -> String {
        hex::of(&self.sha256)
    }

    /// Returns the fingerprint of a file with this content.
    pub fn of(content: &[u8]) -> Self {
        Self::new(content.len() as u64, Sha256::digest(content).into())
    }
}

/// A window's file on disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Stored {
    /// The ZIP.
    #[serde(flatten)]
    pub zip: Fingerprint,
    /// Good records of the wanted kind.
    pub rows: u64,
    /// Rows of the wanted kind that could not be read and were skipped.
    pub bad_rows: u64,
    /// Members with data that were not read, because they are not of the wanted kind.
    pub unread_members: u64,
    /// Records whose event is not in the window.
    pub outside_rows: u64,
}

impl Stored {
    /// Creates the report of a ZIP with `rows` records, all in the window, and nothing else.
    #[must_use]
    pub const fn new(zip: Fingerprint, rows: u64) -> Self {
        Self { zip, rows, bad_rows: 0, unread_members: 0, outside_rows: 0 }
    }

    /// Whether the records are all data of the ZIP: no bad row was skipped and no member is unread.
    pub const fn is_complete(&self) -> bool {
        self.bad_rows == 0 && self.unread_members == 0
    }
}

/// Serializes a hash as hexadecimal digits.
mod hex {
    use std::fmt::Write as _;

    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub(super) fn of(hash: &[u8; 32]) -> String {
        hash.iter().fold(String::new(), |mut digits, byte| {
            let _ = write!(digits, "{byte:02x}");
            digits
        })
    }

    pub(super) fn serialize<S: Serializer>(
        hash: &[u8; 32],
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&of(hash))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<[u8; 32], D::Error> {
        let digits = String::deserialize(deserializer)?;
        let mut hash = [0; 32];
        if digits.len() != 64 || !digits.is_ascii() {
            return Err(D::Error::custom("not a SHA-256"));
        }
        for (at, byte) in hash.iter_mut().enumerate() {
            *byte =
                u8::from_str_radix(&digits[2 * at..2 * at + 2], 16).map_err(D::Error::custom)?;
        }
        Ok(hash)
    }
}
