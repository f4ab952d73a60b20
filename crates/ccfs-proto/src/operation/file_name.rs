use std::fmt;
use std::str::FromStr;

use crate::time::Day;

/// Number of hex digits of a response ID.
const ID_LEN: usize = 32;
/// Maximum length of a file name that the server accepts.
const NAME_LIMIT: usize = 49;
const SUFFIX: &str = ".zip";

/// ID of a generation job, given by the server: 32 lower-case hex digits.
///
/// ```
/// use ccfs_proto::ResponseId;
///
/// let id: ResponseId = "9239cb50a8384bb0ab503441bf089446".parse()?;
/// // Servers may send dashes; file names do not have them.
/// assert_eq!(ResponseId::from_server("9239cb50-a838-4bb0-ab50-3441bf089446")?, id);
/// # Ok::<(), ccfs_proto::operation::FileNameError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ResponseId([u8; ID_LEN]);

impl ResponseId {
    /// Parses the ID in a server's answer: 32 hex digits in any case, with or without dashes.
    ///
    /// # Errors
    ///
    /// Returns a [`FileNameError`] if a character is not allowed or the length differs.
    pub fn from_server(text: &str) -> Result<Self, FileNameError> {
        let digits: String = text.chars().filter(|c| *c != '-').collect();
        if !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(FileNameError::IdCharacter);
        }
        let id = digits.to_ascii_lowercase().into_bytes().try_into();
        id.map(Self).map_err(|_| FileNameError::IdLength { len: digits.len() })
    }

    /// Returns the 32 digits.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl FromStr for ResponseId {
    type Err = FileNameError;

    /// Parses exactly 32 lower-case hex digits, the form in file names.
    fn from_str(text: &str) -> Result<Self, FileNameError> {
        if text.bytes().any(|byte| byte.is_ascii_uppercase() || byte == b'-') {
            return Err(FileNameError::IdCharacter);
        }
        Self::from_server(text)
    }
}

impl fmt::Display for ResponseId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for ResponseId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ResponseId({self})")
    }
}

/// Valid name of an index file: `yyyyMMdd_{responseId}.zip`.
///
/// Parsing is strict; [`lenient`](Self::lenient) accepts all names that the server accepts.
/// See [Index file names](crate::protocol#index-file-names).
///
/// ```
/// use ccfs_proto::IndexFileName;
/// use ccfs_proto::operation::FileNameError;
///
/// let name: IndexFileName = "20230406_9239cb50a8384bb0ab503441bf089446.zip".parse()?;
/// assert_eq!(name.day().map(|day| day.to_string()).as_deref(), Some("2023-04-06"));
///
/// let refused = "20230230_9239cb50a8384bb0ab503441bf089446.zip".parse::<IndexFileName>();
/// assert_eq!(refused, Err(FileNameError::Date));
/// # Ok::<(), FileNameError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct IndexFileName {
    pub(super) text: Box<str>,
    parts: Option<(Day, ResponseId)>,
}

impl IndexFileName {
    /// Creates the name of the file of a generation job. `day` is the server's date when it
    /// received the request.
    pub fn new(day: Day, id: ResponseId) -> Self {
        let text = format!("{:04}{:02}{:02}_{id}{SUFFIX}", day.year(), day.month(), day.day());
        Self { text: text.into(), parts: Some((day, id)) }
    }

    /// Accepts all names that the server accepts: 1 to 49 letters, digits, `.`, `-` and `_`, except
    /// names of directories (`.` and `..`) and other names of dots only.
    ///
    /// # Errors
    ///
    /// Returns a [`FileNameError`] if the length or a character is not allowed.
    pub fn lenient(text: &str) -> Result<Self, FileNameError> {
        if let Ok(strict) = text.parse() {
            return Ok(strict);
        }
        if text.is_empty() || text.len() > NAME_LIMIT {
            return Err(FileNameError::Length { len: text.len() });
        }
        let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
        if let Some(at) = text.bytes().position(|byte| !is_allowed(byte)) {
            return Err(FileNameError::Character { at });
        }
        if text.bytes().all(|b| b == b'.') {
            return Err(FileNameError::Dots);
        }
        Ok(Self { text: text.into(), parts: None })
    }

    /// Returns the text of the name.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Returns the day in the name, or `None` if only [`lenient`](Self::lenient) accepts the name.
    pub fn day(&self) -> Option<Day> {
        self.parts.map(|(day, _)| day)
    }

    /// Returns the response ID in the name, or `None` as for [`day`](Self::day).
    pub fn response_id(&self) -> Option<ResponseId> {
        self.parts.map(|(_, id)| id)
    }
}

impl FromStr for IndexFileName {
    type Err = FileNameError;
    fn from_str(text: &str) -> Result<Self, FileNameError> {
        let stem = text.strip_suffix(SUFFIX).ok_or(FileNameError::Suffix)?;
        let (date, id) = stem.split_once('_').ok_or(FileNameError::Date)?;
        let day = Day::from_digits(date).map_err(|_| FileNameError::Date)?;
        Ok(Self::new(day, id.parse()?))
    }
}

impl fmt::Display for IndexFileName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// A text is not a valid file name or response ID.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FileNameError {
    /// The name does not end with `.zip`.
    #[error("file name does not end with \".zip\"; pass the name from the callback unchanged")]
    Suffix,
    /// The name does not start with the eight digits of a date that exists, and `_`.
    #[error("file name does not start with a date and '_'; it must be yyyyMMdd_{{responseId}}.zip")]
    Date,
    /// The response ID has another length.
    #[error("response ID is {len} characters long, not 32; copy it from the server's answer")]
    IdLength {
        /// Number of characters without dashes.
        len: usize,
    },
    /// The response ID has a character that is not a lower-case hex digit.
    #[error("malformed response ID; use the digits 0-9 and the letters a-f, without dashes")]
    IdCharacter,
    /// The name is empty or longer than 49 characters.
    #[error(
        "file name is {len} characters long, limit {NAME_LIMIT}; pass the name from the callback"
    )]
    Length {
        /// Number of characters.
        len: usize,
    },
    /// The name has a character that the server does not accept.
    #[error("byte {at} of the file name is not allowed; use letters, digits, '.', '-' and '_'")]
    Character {
        /// Index of the byte, from 0.
        at: usize,
    },
    /// The name consists of dots, like the names of directories.
    #[error("file name consists of dots only; pass the name from the callback unchanged")]
    Dots,
}
