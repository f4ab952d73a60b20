//! Names of index files: `yyyyMMdd_{responseId}.zip`.

use std::fmt;
use std::str::FromStr;

use crate::calendar::Day;

/// Hex digits of a response id.
const ID_LEN: usize = 32;
/// Characters of a file name that the server takes.
const NAME_LIMIT: usize = 49;
const SUFFIX: &str = ".zip";

/// The id that the server gives to a generation job: 32 lower-case hex digits.
///
/// ```
/// use ccfs_proto::ResponseId;
///
/// let id: ResponseId = "9239cb50a8384bb0ab503441bf089446".parse()?;
/// // What a server sends may have dashes; file names drop them.
/// assert_eq!(ResponseId::from_server("9239cb50-a838-4bb0-ab50-3441bf089446")?, id);
/// # Ok::<(), ccfs_proto::FileNameError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ResponseId([u8; ID_LEN]);

impl ResponseId {
    /// Takes what a server answered: 32 hex digits, with dashes anywhere between them, in either case.
    pub fn from_server(text: &str) -> Result<Self, FileNameError> {
        let mut digits = [0; ID_LEN];
        let mut len = 0;
        for byte in text.bytes().filter(|&b| b != b'-') {
            if !byte.is_ascii_hexdigit() {
                return Err(FileNameError::IdCharacter);
            }
            if let Some(slot) = digits.get_mut(len) {
                *slot = byte.to_ascii_lowercase();
            }
            len += 1;
        }
        if len == ID_LEN { Ok(Self(digits)) } else { Err(FileNameError::IdLength { len }) }
    }

    /// The 32 digits.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl FromStr for ResponseId {
    type Err = FileNameError;
    /// Takes exactly 32 lower-case hex digits, as in a file name.
    fn from_str(text: &str) -> Result<Self, FileNameError> {
        if text.contains('-') {
            return Err(FileNameError::IdDashes);
        }
        if text.bytes().any(|b| b.is_ascii_uppercase()) {
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

/// A checked name of an index file.
///
/// Strict by default: a date that exists, `_`, 32 lower-case hex digits, `.zip`. [`lenient`](Self::lenient) takes whatever the
/// server's own rule takes. See `docs/protocol.md`, "Index file names".
///
/// ```
/// use ccfs_proto::{FileNameError, IndexFileName};
///
/// let name: IndexFileName = "20230406_9239cb50a8384bb0ab503441bf089446.zip".parse()?;
/// assert_eq!(name.day().map(|day| day.to_string()).as_deref(), Some("2023-04-06"));
///
/// let refused = "20230230_9239cb50a8384bb0ab503441bf089446.zip".parse::<IndexFileName>();
/// assert_eq!(refused, Err(FileNameError::Date));
/// # Ok::<(), FileNameError>(())
/// ```
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct IndexFileName {
    text: Box<str>,
    parts: Option<(Day, ResponseId)>,
}

impl IndexFileName {
    /// The name of the file that a job asked for on `day` will have.
    ///
    /// `day` is the server's day on which the generation was asked for.
    #[must_use]
    pub fn new(day: Day, id: ResponseId) -> Self {
        let text = format!("{:04}{:02}{:02}_{id}{SUFFIX}", day.year(), day.month(), day.day());
        Self { text: text.into(), parts: Some((day, id)) }
    }

    /// Takes every name that the server's own rule takes: 1 to 49 letters, digits, `.`, `-` and `_`.
    ///
    /// `.` and `..` are refused, so that the name can also be used on disk.
    pub fn lenient(text: &str) -> Result<Self, FileNameError> {
        if let Ok(strict) = text.parse() {
            return Ok(strict);
        }
        if text.is_empty() || text.len() > NAME_LIMIT {
            return Err(FileNameError::Length { limit: NAME_LIMIT, len: text.len() });
        }
        if let Some(at) =
            text.bytes().position(|b| !b.is_ascii_alphanumeric() && !b"._-".contains(&b))
        {
            return Err(FileNameError::Character { at });
        }
        if text.bytes().all(|b| b == b'.') {
            return Err(FileNameError::Dots);
        }
        Ok(Self { text: text.into(), parts: None })
    }

    /// The name's text.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The day in the name; `None` when the name was only taken leniently.
    pub fn day(&self) -> Option<Day> {
        self.parts.map(|(day, _)| day)
    }

    /// The response id in the name; `None` when the name was only taken leniently.
    pub fn response_id(&self) -> Option<ResponseId> {
        self.parts.map(|(_, id)| id)
    }
}

impl FromStr for IndexFileName {
    type Err = FileNameError;
    fn from_str(text: &str) -> Result<Self, FileNameError> {
        let stem = text.strip_suffix(SUFFIX).ok_or(FileNameError::Suffix)?;
        let (date, id) = stem.split_once('_').ok_or(FileNameError::Separator)?;
        let day = Day::from_digits(date).ok_or(FileNameError::Date)?;
        Ok(Self::new(day, id.parse()?))
    }
}

impl From<IndexFileName> for String {
    fn from(name: IndexFileName) -> Self {
        name.text.into()
    }
}

impl fmt::Display for IndexFileName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for IndexFileName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "IndexFileName({})", self.text)
    }
}

/// Which part of a file name or an id is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FileNameError {
    /// It does not end with `.zip`.
    #[error("the file name must end with \".zip\" (lower case): yyyyMMdd_{{responseId}}.zip")]
    Suffix,
    /// There is no `_` between date and id.
    #[error("the file name needs a '_' between date and response id: yyyyMMdd_{{responseId}}.zip")]
    Separator,
    /// The date part is not eight digits of a day that exists.
    #[error("the file name must begin with a day that exists, as yyyyMMdd")]
    Date,
    /// The id has another length.
    #[error("the response id has {len} characters, and it must have 32 hex digits")]
    IdLength {
        /// Characters without dashes.
        len: usize,
    },
    /// The id has a character that is no lower-case hex digit.
    #[error("the response id may hold only the digits 0-9 and the letters a-f in lower case")]
    IdCharacter,
    /// The id in a file name has dashes.
    #[error("the response id has dashes: a file name has none, take them out")]
    IdDashes,
    /// Lenient: empty or too long.
    #[error("the file name has {len} characters, and the server takes 1 to {limit}")]
    Length {
        /// The bound in characters.
        limit: usize,
        /// The characters given.
        len: usize,
    },
    /// Lenient: a character outside the server's rule.
    #[error("the file name's byte {at} (from 0) is not a letter, a digit, '.', '-' or '_'")]
    Character {
        /// The byte's place, from 0.
        at: usize,
    },
    /// Lenient: nothing but dots.
    #[error("a file name of nothing but dots names a folder")]
    Dots,
}
