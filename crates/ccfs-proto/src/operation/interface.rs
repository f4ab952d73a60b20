use std::fmt;

use serde_json::Value;

use super::field::{FieldError, FieldProblem, check_text};
use super::{INTERFACES, IndexFileName, Repeat};
use crate::answer::{Expected, FileKind};
use crate::time::LocalTime;
use crate::words::shown;

/// The last millisecond of the year 9999, since 1970.
const MAX_MILLIS: u64 = 253_402_300_799_999;

/// One interface of CC-FS. See [Other interfaces](crate::protocol#other-interfaces).
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Interface {
    /// Name: the end of the path.
    pub name: &'static str,
    /// What it does.
    pub about: &'static str,
    /// `POST` or `GET`. A `GET` has no body.
    pub method: &'static str,
    /// Whether requests are signed.
    pub signed: bool,
    /// Fields, in the order in which they are sent.
    pub fields: &'static [InterfaceField],
    /// What a successful answer contains.
    pub answer: &'static str,
    /// The form of a successful answer.
    pub expected: Expected,
    /// Whether a request may be retried.
    pub repeat: Repeat,
    /// Whether the body is `{"request":…,"msgBody":{…}}` around the fields, or only the fields.
    pub(super) enveloped: bool,
    /// Two fields of which at least one is required.
    pub(super) either: Option<(&'static str, &'static str)>,
}

impl Interface {
    /// The defaults of an interface that answers with an envelope; `name`, `about`, `fields` and
    /// `answer` are always set.
    pub(super) const CALL: Self = Self {
        name: "",
        about: "",
        method: "POST",
        signed: true,
        fields: &[],
        answer: "",
        expected: Expected::Envelope,
        repeat: Repeat::NotIdempotent,
        enveloped: true,
        either: None,
    };

    /// The defaults of an interface that answers with a recording.
    pub(super) const DOWNLOAD: Self = Self {
        answer: "the recording",
        expected: Expected::File(&[FileKind::Wav]),
        repeat: Repeat::Idempotent,
        ..Self::CALL
    };

    /// Returns the interface with that name, as the reference spells it.
    pub fn named(name: &str) -> Option<&'static Self> {
        INTERFACES.iter().find(|interface| interface.name == name)
    }

    /// Returns the field with that name.
    pub fn field(&self, name: &str) -> Option<&'static InterfaceField> {
        self.fields.iter().find(|field| field.name == name)
    }
}

impl PartialEq for Interface {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Eq for Interface {}

/// One field of an interface.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct InterfaceField {
    /// Name in the request.
    pub name: &'static str,
    /// Whether it is sent in the URL's query, not in the body's JSON.
    pub in_query: bool,
    /// Whether the field must be given.
    pub required: bool,
    /// Allowed values, with their limit.
    pub form: FieldForm,
    /// What it means.
    pub about: &'static str,
    /// Whether the value is a secret that must not be shown: a token.
    pub secret: bool,
    /// The JSON that is sent for a value.
    pub(super) to_json: fn(&str) -> Value,
    /// What is sent when the field is not given.
    pub(super) when_absent: Option<&'static str>,
    /// A constant that is sent after the field.
    pub(super) followed_by: Option<(&'static str, &'static str)>,
}

impl InterfaceField {
    pub(super) const fn required(name: &'static str, form: FieldForm, about: &'static str) -> Self {
        Self {
            name,
            in_query: false,
            required: true,
            form,
            about,
            secret: false,
            to_json: |text| text.into(),
            when_absent: None,
            followed_by: None,
        }
    }

    pub(super) const fn optional(name: &'static str, form: FieldForm, about: &'static str) -> Self {
        Self { required: false, ..Self::required(name, form, about) }
    }

    pub(super) const fn in_query(self) -> Self {
        Self { in_query: true, ..self }
    }

    pub(super) const fn followed_by(self, name: &'static str, text: &'static str) -> Self {
        Self { followed_by: Some((name, text)), ..self }
    }

    /// Returns whether the value is the bytes of a file.
    pub(super) const fn is_data(&self) -> bool {
        matches!(self.form, FieldForm::Wav(_))
    }

    /// Checks a value and returns the text to send.
    pub(super) fn read(&self, value: &str) -> Result<String, FieldError> {
        self.form.read(value).map_err(|problem| FieldError::new(self.name, problem))
    }
}

/// Allowed values of a field. `Display` shows them in words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum FieldForm {
    /// Text of 1 to this many characters, none of them a control character.
    Text(usize),
    /// A path of 1 to this many ASCII letters, digits, slashes and dots.
    Path(usize),
    /// An `http` or `https` URL of at most this many characters.
    Url(usize),
    /// Local time of the call center.
    Time,
    /// A whole number.
    Number,
    /// Milliseconds since 1970-01-01T00:00:00Z.
    UnixMillis,
    /// Name of an index file.
    IndexFileName,
    /// One of these texts.
    OneOf(&'static [&'static str]),
    /// A WAV file of at most this many bytes, unless the server's operators changed the limit. It is
    /// not given as text.
    Wav(usize),
}

impl FieldForm {
    /// Checks a value and returns it in the form in which it is sent.
    pub(super) fn read(self, value: &str) -> Result<String, FieldProblem> {
        // Digits only: `parse` accepts a plus sign, too.
        let is_digits = value.bytes().all(|byte| byte.is_ascii_digit());
        let number = value.parse::<u64>().ok().filter(|_| is_digits);
        let sent = match self {
            Self::Text(limit) => {
                let allowed = "characters that are not control characters";
                return check_text(value, limit, |c| !c.is_control(), allowed);
            }
            Self::Path(limit) => {
                let is_allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '/' | '.');
                return check_text(value, limit, is_allowed, "letters, digits, '/' and '.'");
            }
            Self::Url(limit) => {
                let url = Self::Text(limit).read(value)?;
                let allowed = "an http:// or https:// URL that the server can reach".into();
                return is_http_url(&url).then_some(url).ok_or(FieldProblem::Value { allowed });
            }
            Self::Wav(_) => return Err(FieldProblem::Value { allowed: "a file, not text".into() }),
            Self::Time => Some(value.parse::<LocalTime>()?.to_string()),
            Self::IndexFileName => Some(IndexFileName::lenient(value)?.to_string()),
            Self::Number => number.map(|n| n.to_string()),
            Self::UnixMillis => number.filter(|&n| n <= MAX_MILLIS).map(|n| n.to_string()),
            Self::OneOf(texts) => texts.contains(&value).then(|| value.to_owned()),
        };
        let form = || FieldProblem::Form { given: shown(value), allowed: self.to_string().into() };
        sent.ok_or_else(form)
    }
}

fn is_http_url(text: &str) -> bool {
    text.parse::<http::Uri>().is_ok_and(|uri| {
        matches!(uri.scheme_str(), Some("http" | "https"))
            && uri.host().is_some_and(|host| !host.is_empty())
    })
}

impl fmt::Display for FieldForm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(limit) => write!(f, "1 to {limit} characters"),
            Self::Path(limit) => write!(f, "1 to {limit} letters, digits, '/' and '.'"),
            Self::Url(limit) => write!(f, "an http or https URL of at most {limit} characters"),
            Self::Time => f.write_str("yyyy-MM-dd HH:mm:ss"),
            Self::Number => f.write_str("a whole number, at most 18446744073709551615"),
            Self::UnixMillis => f.write_str("milliseconds since 1970, before the year 10000"),
            Self::IndexFileName => f.write_str("1 to 49 letters, digits, '.', '-', '_'"),
            Self::OneOf(texts) => f.write_str(&texts.join(" or ")),
            Self::Wav(limit) => write!(f, "a mono 8-bit 8000 Hz WAV file, at most {limit} bytes"),
        }
    }
}
