//! The interfaces as a table: what a command can list, and build calls from.

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;

use super::any::{Dynamic, Untyped};
use super::field::{FieldError, FieldProblem};
use super::{
    Operation, Repeat, agent_operations, agent_skill, bill, ivr, node_recording, playback,
    recording, upload,
};
use crate::calendar::LocalTime;
use crate::classify::Expected;
use crate::file_name::IndexFileName;

/// All interfaces of CC-FS, by topic.
///
/// ```
/// use ccfs_proto::{INTERFACES, Interface};
///
/// for interface in INTERFACES {
///     println!("{:28} {}", interface.name, interface.about);
/// }
/// let download = Interface::named("downloadRecord").expect("it is in the table");
/// let names: Vec<_> = download.fields.iter().map(|field| field.name).collect();
/// assert_eq!(names, ["fileName", "callId", "ccId"]);
/// assert_eq!(download.fields[1].form.to_string(), "1 to 25 characters");
/// ```
pub const INTERFACES: &[Interface] = &[
    agent_skill::QueryAgentSkillInfoData::INTERFACE,
    agent_skill::DownloadAgentSkillInfoFile::INTERFACE,
    agent_operations::QueryAgentOprInfoData::INTERFACE,
    agent_operations::DownloadAgentOprInfoFile::INTERFACE,
    bill::QueryBillData::INTERFACE,
    bill::DownloadBillFile::INTERFACE,
    recording::DownloadRecordFile::INTERFACE,
    recording::DownloadRecord::INTERFACE,
    recording::GetRecordFileUrlFromObs::INTERFACE,
    playback::RequestPlayVoice::INTERFACE,
    playback::PlayVoice::INTERFACE,
    node_recording::DownloadOiapRecord::INTERFACE,
    node_recording::DownloadIvrRecordFile::INTERFACE,
    ivr::IvrDownloadFile::INTERFACE,
    upload::IvrUploadFile::INTERFACE,
    ivr::IvrGetFileHash::INTERFACE,
    ivr::IvrDeleteFile::INTERFACE,
];

/// One interface of CC-FS, described. See `docs/protocol.md`, "Other interfaces".
#[derive(Clone, Copy)]
#[non_exhaustive]
pub struct Interface {
    /// Its name: the end of its path.
    pub name: &'static str,
    /// What it does.
    pub about: &'static str,
    /// `POST` or `GET`.
    pub method: &'static str,
    /// Whether its requests are signed.
    pub signed: bool,
    /// Its fields, in the order in which they are sent.
    pub fields: &'static [InterfaceField],
    /// What a good answer holds, in words.
    pub answer: &'static str,
    /// What a good answer is.
    pub expected: Expected,
    /// Whether it may be sent again.
    pub repeat: Repeat,
    pub(super) build: fn(&mut Values) -> Built,
}

/// An operation made from texts.
pub(super) type Built = Result<Arc<dyn Dynamic>, FieldError>;

impl Interface {
    /// What most interfaces have in common; the rest is always set beside it.
    pub(super) const SIGNED_POST: Self = Self {
        name: "",
        about: "",
        method: "POST",
        signed: true,
        fields: &[],
        answer: "",
        expected: Expected::Envelope,
        repeat: Repeat::OnlyUnlessArrived,
        build: |_| unreachable!("every interface has its own"),
    };

    /// The interface of that name, as the reference writes it.
    pub fn named(name: &str) -> Option<&'static Self> {
        INTERFACES.iter().find(|interface| interface.name == name)
    }

    /// The field of that name.
    pub fn field(&self, name: &str) -> Option<&'static InterfaceField> {
        self.fields.iter().find(|field| field.name == name)
    }

    #[allow(clippy::unnecessary_wraps)] // `build` functions end with it.
    pub(super) fn built(operation: impl Operation + fmt::Debug + Send + Sync + 'static) -> Built {
        Ok(Arc::new(Untyped(operation)))
    }
}

impl fmt::Debug for Interface {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Interface").field("name", &self.name).finish_non_exhaustive()
    }
}

/// One field of an interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct InterfaceField {
    /// Its name, as it is sent.
    pub name: &'static str,
    /// Where it stands in the request.
    pub place: FieldPlace,
    /// Whether it must be given.
    pub required: bool,
    /// What is taken, with its bound.
    pub form: FieldForm,
    /// What it means.
    pub about: &'static str,
    /// Whether it lets its reader do something and must not be shown: a token.
    pub secret: bool,
}

impl InterfaceField {
    pub(super) const fn required(name: &'static str, form: FieldForm, about: &'static str) -> Self {
        Self { name, place: FieldPlace::Body, required: true, form, about, secret: false }
    }

    pub(super) const fn optional(name: &'static str, form: FieldForm, about: &'static str) -> Self {
        Self { required: false, ..Self::required(name, form, about) }
    }

    pub(super) const fn in_query(self) -> Self {
        Self { place: FieldPlace::Query, ..self }
    }

    pub(super) const fn secret(self) -> Self {
        Self { secret: true, ..self }
    }
}

/// Where a field stands in a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum FieldPlace {
    /// In the body's JSON.
    Body,
    /// In the URL's query.
    Query,
}

/// What a field takes. Shown in words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum FieldForm {
    /// Text of 1 to `limit` characters.
    Text {
        /// The bound in characters.
        limit: usize,
    },
    /// A time on the tenant's clock.
    Time,
    /// A whole number.
    Number,
    /// Milliseconds since 1970-01-01T00:00:00Z.
    UnixMillis,
    /// The name of an index file.
    IndexFileName,
    /// One of these texts.
    OneOf(&'static [&'static str]),
    /// The bytes of a WAV file, given apart from the texts.
    Wav {
        /// The bound in bytes, where the server's operators did not change it.
        limit: usize,
    },
}

impl fmt::Display for FieldForm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text { limit } => write!(f, "1 to {limit} characters"),
            Self::Time => f.write_str("yyyy-MM-dd HH:mm:ss"),
            Self::Number => f.write_str("a whole number"),
            Self::UnixMillis => f.write_str("milliseconds since 1970"),
            Self::IndexFileName => f.write_str("1 to 49 letters, digits, '.', '-', '_'"),
            Self::OneOf(texts) => f.write_str(&texts.join(" or ")),
            Self::Wav { limit } => {
                write!(f, "a WAV file of up to {limit} bytes: mono, 8 bit, 8000 Hz")
            }
        }
    }
}

/// The texts that an operation is made from. Their names were checked against the table, each stands once, and those that must be
/// there are.
pub(super) struct Values {
    pub(super) texts: Vec<(&'static str, String)>,
    pub(super) data: Option<Bytes>,
}

impl Values {
    pub(super) fn optional(&mut self, field: &'static str) -> Option<String> {
        let at = self.texts.iter().position(|(name, _)| *name == field)?;
        Some(self.texts.swap_remove(at).1)
    }

    pub(super) fn text(&mut self, field: &'static str) -> Result<String, FieldError> {
        self.optional(field).ok_or_else(|| FieldError::new(field, FieldProblem::Missing))
    }

    pub(super) fn time(&mut self, field: &'static str) -> Result<LocalTime, FieldError> {
        self.text(field)?
            .parse()
            .map_err(|error: crate::calendar::CalendarError| FieldError::new(field, error))
    }

    pub(super) fn index_file(&mut self, field: &'static str) -> Result<IndexFileName, FieldError> {
        IndexFileName::lenient(&self.text(field)?).map_err(|error| FieldError::new(field, error))
    }

    pub(super) fn optional_number(
        &mut self,
        field: &'static str,
    ) -> Result<Option<u64>, FieldError> {
        let Some(text) = self.optional(field) else { return Ok(None) };
        // `parse` would take a plus sign, too.
        let number = text.bytes().all(|b| b.is_ascii_digit()).then(|| text.parse().ok()).flatten();
        let wrong = || {
            FieldError::new(
                field,
                FieldProblem::form(&text, "a whole number of digits, at most 18446744073709551615"),
            )
        };
        number.map(Some).ok_or_else(wrong)
    }

    pub(super) fn number(&mut self, field: &'static str) -> Result<u64, FieldError> {
        self.optional_number(field)?.ok_or_else(|| FieldError::new(field, FieldProblem::Missing))
    }
}
