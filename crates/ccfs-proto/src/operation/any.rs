//! Operations whose type is not known at compile time: for commands and scripts.

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;

use super::field::FieldError;
use super::fields::Fields;
use super::interface::{INTERFACES, Interface, InterfaceField};
use super::{Operation, Received};
use crate::answer::RawJson;
use crate::answer::{AnswerError, Expected, FileReceipt};
use crate::words::shown;

/// Any operation: one of [`INTERFACES`] by its name, or a custom one.
///
/// By name it sends the same bytes as the typed operation and checks the answer the same way.
///
/// ```
/// use ccfs_proto::operation::CallError;
/// use ccfs_proto::{AnyOperation, Operation};
///
/// let fields = [("fileName", "Y:/39/record/20201015/1.wav"), ("locationId", "7")];
/// let call = AnyOperation::from_fields("downloadIVRRecordFile", fields)?;
/// assert_eq!(call.request().unwrap().query, [("locationId".to_owned(), "7".to_owned())]);
/// # Ok::<(), CallError>(())
/// ```
#[derive(Clone)]
pub struct AnyOperation(Arc<dyn Operation<Answer = AnyAnswer> + Send + Sync>);

impl AnyOperation {
    /// Wraps a custom operation.
    pub fn from_operation(operation: impl Operation + Send + Sync + 'static) -> Self {
        Self(Arc::new(Untyped(operation)))
    }

    /// Creates the operation of the interface `name` from pairs of field name and text, in any
    /// order.
    ///
    /// # Errors
    ///
    /// Fails when a name is unknown, a required field is missing, or a value is malformed.
    /// [`request`](Operation::request) checks the fields against each other, and a file.
    pub fn from_fields(
        name: &str,
        fields: impl IntoIterator<Item = (impl AsRef<str>, impl Into<String>)>,
    ) -> Result<Self, CallError> {
        Self::build(name, fields, None)
    }

    /// Creates the operation as [`from_fields`](Self::from_fields) does, with the bytes of the
    /// field that is a file (`data` of `ivr/uploadFile`).
    ///
    /// # Errors
    ///
    /// Fails as [`from_fields`](Self::from_fields) does, and when the interface accepts no file.
    pub fn from_fields_with_data(
        name: &str,
        fields: impl IntoIterator<Item = (impl AsRef<str>, impl Into<String>)>,
        data: impl Into<Bytes>,
    ) -> Result<Self, CallError> {
        Self::build(name, fields, Some(data.into()))
    }

    /// Returns the operation as a download, if its answer is a file.
    pub fn into_download(self) -> Option<AnyDownload> {
        matches!(self.expected(), Expected::File(_)).then_some(AnyDownload(self))
    }

    fn build(
        name: &str,
        texts: impl IntoIterator<Item = (impl AsRef<str>, impl Into<String>)>,
        data: Option<Bytes>,
    ) -> Result<Self, CallError> {
        let interface = Interface::named(name)
            .ok_or_else(|| CallError::UnknownInterface { name: shown(name) })?;
        let known = || interface.fields.iter().map(|field| field.name).collect();
        let mut fields = Fields::new(interface);
        for (key, text) in texts {
            let unknown = || CallError::UnknownField {
                interface: interface.name,
                field: shown(key.as_ref()),
                known: known(),
            };
            let field = interface.field(key.as_ref()).ok_or_else(unknown)?;
            let (interface, name) = (interface.name, field.name);
            if field.is_data() {
                return Err(CallError::NotText { interface, field: name });
            }
            if fields.has(field) {
                return Err(CallError::GivenTwice { interface, field: name });
            }
            fields = fields.with(name, text);
        }
        if let Some(data) = data {
            if !interface.fields.iter().any(InterfaceField::is_data) {
                return Err(CallError::NoData { interface: interface.name });
            }
            fields = fields.with_data(data);
        }
        let is_missing = |field: &&InterfaceField| field.required && !fields.has(field);
        let missing = interface.fields.iter().filter(is_missing);
        let missing: Vec<_> = missing.map(|field| field.name).collect();
        if !missing.is_empty() {
            return Err(CallError::Missing { interface: interface.name, missing, known: known() });
        }
        fields.check_texts()?;
        Ok(Self(Arc::new(fields)))
    }
}

impl Operation for AnyOperation {
    type Answer = AnyAnswer;

    delegate!(self => self.0);

    fn answer(&self, received: Received) -> Result<AnyAnswer, AnswerError> {
        self.0.answer(received)
    }
}

impl fmt::Debug for AnyOperation {
    /// Omits the fields, one of which may be a token.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("AnyOperation").field(&self.interface()).finish()
    }
}

/// An [`AnyOperation`] that answers with a file; made by [`AnyOperation::into_download`].
#[derive(Clone, Debug)]
pub struct AnyDownload(AnyOperation);

impl_operation!(AnyDownload => FileReceipt, Received::into_file);

/// The answer of an [`AnyOperation`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum AnyAnswer {
    /// The `resultData` of an envelope, if any.
    Data(Option<RawJson>),
    /// JSON without an envelope.
    Json(RawJson),
    /// A complete file, whose bytes went to the sink.
    File(FileReceipt),
}

impl AnyAnswer {
    pub(super) fn of(received: &Received) -> Self {
        match received {
            Received::Envelope(envelope) => Self::Data(envelope.data().cloned()),
            Received::Json(json) => Self::Json(json.clone()),
            Received::File(receipt) => Self::File(*receipt),
        }
    }
}

/// A custom operation without the type of its answer.
struct Untyped<O>(O);

impl<O: Operation> Operation for Untyped<O> {
    type Answer = AnyAnswer;

    delegate!(self => self.0);

    fn answer(&self, received: Received) -> Result<AnyAnswer, AnswerError> {
        let answer = AnyAnswer::of(&received);
        // The operation's own check of the answer applies, too.
        self.0.answer(received).map(|_| answer)
    }
}

fn names() -> Vec<&'static str> {
    INTERFACES.iter().map(|interface| interface.name).collect()
}

/// Why an operation cannot be created from a name and fields.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CallError {
    /// Unknown interface.
    #[error("unknown interface `{name}`; use one of {}", names().join(", "))]
    UnknownInterface {
        /// The name, shortened.
        name: String,
    },
    /// Unknown field.
    #[error("{interface} has no field `{field}`; use one of {}", known.join(", "))]
    UnknownField {
        /// The interface.
        interface: &'static str,
        /// The name, shortened.
        field: String,
        /// The fields of the interface.
        known: Vec<&'static str>,
    },
    /// Required fields are missing.
    #[error("{interface} requires {}; its fields are {}", missing.join(", "), known.join(", "))]
    Missing {
        /// The interface.
        interface: &'static str,
        /// The missing fields.
        missing: Vec<&'static str>,
        /// The fields of the interface.
        known: Vec<&'static str>,
    },
    /// A field is given twice.
    #[error("{interface}: field `{field}` is given twice")]
    GivenTwice {
        /// The interface.
        interface: &'static str,
        /// The field.
        field: &'static str,
    },
    /// A field that is a file is given as text.
    #[error("{interface}: field `{field}` is a file, not text")]
    NotText {
        /// The interface.
        interface: &'static str,
        /// The field.
        field: &'static str,
    },
    /// A file is given, and the interface accepts none.
    #[error("{interface} accepts no file")]
    NoData {
        /// The interface.
        interface: &'static str,
    },
    /// A field's value is malformed.
    #[error(transparent)]
    Field(#[from] FieldError),
}
