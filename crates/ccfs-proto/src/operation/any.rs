//! An operation that is only known by name: for commands and scripts.

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;

use super::field::FieldError;
use super::interface::{FieldForm, INTERFACES, Interface, InterfaceField, Values};
use super::{Operation, OperationRequest, Received, Repeat};
use crate::classify::{AnswerError, Expected, FileReceipt};
use crate::envelope::shown;
use crate::result_data::ResultData;

/// All of an operation that is the same as the one inside, which is all but the answer.
macro_rules! as_inside {
    () => {
        fn interface(&self) -> &'static str {
            self.0.interface()
        }

        fn request(&self) -> Result<OperationRequest, FieldError> {
            self.0.request()
        }

        fn repeat(&self) -> Repeat {
            self.0.repeat()
        }

        fn expected(&self) -> Expected {
            self.0.expected()
        }
    };
}

/// Any operation of [`INTERFACES`], made from the interface's name and its fields as texts.
///
/// It sends the very bytes that the typed operation sends and checks its answer just as strictly; only the answer's type is given up.
///
/// ```
/// use ccfs_proto::{AnyOperation, CallError, Operation};
///
/// let fields = [("fileName", "Y:/39/record/20201015/1.wav"), ("locationId", "7")];
/// let call = AnyOperation::from_fields("downloadIVRRecordFile", fields)?;
/// assert_eq!(call.request().unwrap().query, [("locationId".to_owned(), "7".to_owned())]);
///
/// let unknown = AnyOperation::from_fields("downloadRecord", [("callID", "1")]).unwrap_err();
/// assert_eq!(unknown.to_string(), "downloadRecord has no field `callID`; it has: fileName, callId, ccId");
/// # Ok::<(), CallError>(())
/// ```
#[derive(Clone, Debug)]
pub struct AnyOperation(Arc<dyn Dynamic>);

impl AnyOperation {
    /// The operation of the interface `name` with `fields`, which are pairs of a field's name and its text, in any order.
    ///
    /// Texts that must be read (times, numbers, file names) are read here, and fail with [`Field`](CallError::Field). The bounds are
    /// checked by [`request`](Operation::request), as with every operation, and so before anything is sent.
    pub fn from_fields(
        name: &str,
        fields: impl IntoIterator<Item = (impl AsRef<str>, impl Into<String>)>,
    ) -> Result<Self, CallError> {
        Self::build(name, fields, None)
    }

    /// The same, with the bytes of a file for the one field that takes them (`data` of `ivr/uploadFile`).
    pub fn from_fields_with_data(
        name: &str,
        fields: impl IntoIterator<Item = (impl AsRef<str>, impl Into<String>)>,
        data: impl Into<Bytes>,
    ) -> Result<Self, CallError> {
        Self::build(name, fields, Some(data.into()))
    }

    /// The same operation as a download, where its interface answers with a file.
    ///
    /// ```
    /// use ccfs_proto::AnyOperation;
    ///
    /// let call = AnyOperation::from_fields("downloadRecord", [("callId", "1577-0001")])?;
    /// assert!(call.into_download().is_some());
    /// # Ok::<(), ccfs_proto::CallError>(())
    /// ```
    pub fn into_download(self) -> Option<AnyDownload> {
        matches!(self.expected(), Expected::File(_)).then_some(AnyDownload(self))
    }

    fn build(
        name: &str,
        fields: impl IntoIterator<Item = (impl AsRef<str>, impl Into<String>)>,
        data: Option<Bytes>,
    ) -> Result<Self, CallError> {
        let interface = Interface::named(name)
            .ok_or_else(|| CallError::UnknownInterface { name: shown(name) })?;
        let mut values = Values { texts: Vec::new(), data };
        for (key, text) in fields {
            let key = key.as_ref();
            let field =
                interface.field(key).ok_or_else(|| CallError::unknown_field(interface, key))?;
            if is_data(field) {
                return Err(CallError::NotText { interface: interface.name, field: field.name });
            }
            if values.texts.iter().any(|(name, _)| *name == field.name) {
                return Err(CallError::GivenTwice { interface: interface.name, field: field.name });
            }
            values.texts.push((field.name, text.into()));
        }
        if values.data.is_some() && !interface.fields.iter().any(is_data) {
            return Err(CallError::NoData { interface: interface.name });
        }
        let given = |field: &InterfaceField| match field.form {
            FieldForm::Wav { .. } => values.data.is_some(),
            _ => values.texts.iter().any(|(name, _)| *name == field.name),
        };
        let missing: Vec<_> = interface
            .fields
            .iter()
            .filter(|field| field.required && !given(field))
            .map(|field| field.name)
            .collect();
        if !missing.is_empty() {
            return Err(CallError::Missing {
                interface: interface.name,
                missing,
                known: known(interface),
            });
        }
        Ok(Self((interface.build)(&mut values)?))
    }
}

fn is_data(field: &InterfaceField) -> bool {
    matches!(field.form, FieldForm::Wav { .. })
}

fn known(interface: &Interface) -> Vec<&'static str> {
    interface.fields.iter().map(|field| field.name).collect()
}

impl Operation for AnyOperation {
    type Answer = AnyAnswer;

    as_inside!();

    fn answer(&self, received: Received) -> Result<AnyAnswer, AnswerError> {
        self.0.answer(received)
    }
}

/// An [`AnyOperation`] whose interface answers with a file, as downloads want it; made by [`AnyOperation::into_download`].
#[derive(Clone, Debug)]
pub struct AnyDownload(AnyOperation);

impl Operation for AnyDownload {
    type Answer = FileReceipt;

    as_inside!();

    fn answer(&self, received: Received) -> Result<FileReceipt, AnswerError> {
        received.into_file()
    }
}

/// What [`AnyOperation`] answers.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum AnyAnswer {
    /// The envelope's `resultData`, where there is some.
    Data(Option<ResultData>),
    /// A whole file, whose bytes went to the sink.
    File(FileReceipt),
}

/// What [`AnyOperation`] holds.
pub(super) trait Dynamic: Operation<Answer = AnyAnswer> + fmt::Debug + Send + Sync {}

impl<O: Operation<Answer = AnyAnswer> + fmt::Debug + Send + Sync> Dynamic for O {}

/// An operation whose answer's type is given up.
#[derive(Debug)]
pub(super) struct Untyped<O>(pub(super) O);

impl<O: Operation> Operation for Untyped<O> {
    type Answer = AnyAnswer;

    as_inside!();

    fn answer(&self, received: Received) -> Result<AnyAnswer, AnswerError> {
        let any = match &received {
            Received::Envelope(envelope) => AnyAnswer::Data(envelope.data().cloned()),
            Received::File(receipt) => AnyAnswer::File(*receipt),
        };
        // The typed answer is made as well, so that what it would refuse is refused.
        self.0.answer(received).map(|_| any)
    }
}

/// Why no operation can be made from a name and fields.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CallError {
    /// There is no such interface.
    #[error("there is no interface `{name}`; there are: {}", INTERFACES.iter().map(|interface| interface.name).collect::<Vec<_>>().join(", "))]
    UnknownInterface {
        /// The name that was given, shortened.
        name: String,
    },
    /// The interface has no such field.
    #[error("{interface} has no field `{field}`; it has: {}", known.join(", "))]
    UnknownField {
        /// The interface.
        interface: &'static str,
        /// The name that was given, shortened.
        field: String,
        /// The fields that it has.
        known: Vec<&'static str>,
    },
    /// Fields that must be given are not.
    #[error("{interface} also needs {}; its fields are: {}", missing.join(", "), known.join(", "))]
    Missing {
        /// The interface.
        interface: &'static str,
        /// The fields that are missing.
        missing: Vec<&'static str>,
        /// The fields that it has.
        known: Vec<&'static str>,
    },
    /// A field is given twice.
    #[error("{interface}: the field `{field}` is given twice")]
    GivenTwice {
        /// The interface.
        interface: &'static str,
        /// The field.
        field: &'static str,
    },
    /// A field that takes a file's bytes is given as text.
    #[error("{interface}: the field `{field}` takes the bytes of a file, not a text")]
    NotText {
        /// The interface.
        interface: &'static str,
        /// The field.
        field: &'static str,
    },
    /// A file's bytes are given, and the interface takes none.
    #[error("{interface} takes no file")]
    NoData {
        /// The interface.
        interface: &'static str,
    },
    /// A field's text cannot be read.
    #[error(transparent)]
    Field(#[from] FieldError),
}

impl CallError {
    fn unknown_field(interface: &Interface, field: &str) -> Self {
        Self::UnknownField {
            interface: interface.name,
            field: shown(field),
            known: known(interface),
        }
    }
}
