use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use zeroize::Zeroizing;

use super::field::{FieldError, FieldProblem};
use super::fields::Fields;
use super::interface::{Interface, InterfaceField};
use super::{INTERFACES, Operation, OperationRequest, Received, Repeat, delegate, typed};
use crate::answer::{Advice, AnswerError, Expected, FileReceipt, ResultCode};
use crate::words::shown;

/// Any operation: one of [`INTERFACES`] by its name, or a custom one. Its answer is a [`Received`],
/// or a [`FileReceipt`] after [`into_download`](AnyOperation::into_download).
///
/// An operation that is created by name sends the same bytes as the typed one, and checks the
/// answer in the same way.
///
/// ```
/// use ccfs_proto::operation::CallError;
/// use ccfs_proto::{AnyOperation, Operation};
///
/// let fields = [("fileName", "Y:/39/record/20201015/1.wav"), ("locationId", "7")];
/// let call = AnyOperation::from_fields("downloadIVRRecordFile", fields, None)?;
/// assert_eq!(call.request().unwrap().query, [("locationId".to_owned(), "7".to_owned())]);
/// # Ok::<(), CallError>(())
/// ```
#[derive(Clone)]
pub struct AnyOperation<A = Received>(Arc<dyn Operation<Answer = A> + Send + Sync>);

impl<A> AnyOperation<A> {
    /// Wraps an operation, to choose one of several with the same answer at run time.
    pub fn new(operation: impl Operation<Answer = A> + Send + Sync + 'static) -> Self {
        Self(Arc::new(operation))
    }
}

impl AnyOperation {
    /// Wraps a custom operation, whose answer is then a [`Received`].
    pub fn from_operation(operation: impl Operation + Send + Sync + 'static) -> Self {
        // The operation's own check of the answer applies, too.
        Self::new(Mapped(operation, |operation, received| {
            operation.answer(received.clone()).map(|_| received)
        }))
    }

    /// Creates the operation of the interface `name` from pairs of field name and text, in any
    /// order, and the bytes of the field that is a file, if any: `data` of `ivr/uploadFile`.
    ///
    /// # Errors
    ///
    /// Fails when a name is unknown, a required field is missing, a value is malformed, or the
    /// interface accepts no file. [`request`](Operation::request) checks the fields against each
    /// other, and a file.
    pub fn from_fields(
        name: &str,
        texts: impl IntoIterator<Item = (impl AsRef<str>, impl Into<String>)>,
        data: Option<Bytes>,
    ) -> Result<Self, CallError> {
        let interface = Interface::named(name)
            .ok_or_else(|| CallError::UnknownInterface { name: shown(name) })?;
        let unknown = |field: &str| CallError::UnknownField { interface, field: shown(field) };
        let mut fields = Fields::new(interface);
        for (key, text) in texts {
            let field = interface.field(key.as_ref()).ok_or_else(|| unknown(key.as_ref()))?;
            if fields.has(field) {
                return Err(FieldError::new(field.name, FieldProblem::GivenTwice).into());
            }
            let text = Zeroizing::new(text.into());
            fields = fields.with(field.name, field.read(&text)?);
        }
        if data.is_some() && !interface.fields.iter().any(InterfaceField::is_data) {
            return Err(unknown("data"));
        }
        fields.data = data;
        let is_missing = |field: &&InterfaceField| field.required && !fields.has(field);
        let missing = interface.fields.iter().filter(is_missing);
        let missing: Vec<_> = missing.map(|field| field.name).collect();
        if !missing.is_empty() {
            return Err(CallError::Missing { interface, missing });
        }
        Ok(typed(fields))
    }

    /// Returns the operation as a download, if its answer is a file.
    pub fn into_download(self) -> Option<AnyOperation<FileReceipt>> {
        let is_download = matches!(self.expected(), Expected::File(_));
        let download = Mapped(self, |any, received| any.answer(received)?.into_file());
        is_download.then(|| AnyOperation::new(download))
    }
}

impl<A> Operation for AnyOperation<A> {
    type Answer = A;

    delegate!(self => self.0);

    fn answer(&self, received: Received) -> Result<A, AnswerError> {
        self.0.answer(received)
    }
}

impl<A> fmt::Debug for AnyOperation<A> {
    /// Omits the fields, one of which may be a token.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("AnyOperation").field(&self.interface()).finish()
    }
}

/// An operation whose answer is read in another way.
struct Mapped<O, A>(O, fn(&O, Received) -> Result<A, AnswerError>);

impl<O: Operation, A> Operation for Mapped<O, A> {
    type Answer = A;

    delegate!(self => self.0);

    fn answer(&self, received: Received) -> Result<A, AnswerError> {
        (self.1)(&self.0, received)
    }
}

/// Why an operation cannot be created from a name and fields.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CallError {
    /// Unknown interface.
    #[error("unknown interface `{name}`; use one of {}",
        INTERFACES.iter().map(|interface| interface.name).collect::<Vec<_>>().join(", "))]
    UnknownInterface {
        /// The name, shortened.
        name: String,
    },
    /// Unknown field.
    #[error("{} has no field `{field}`; use one of {}", interface.name, field_names(interface))]
    UnknownField {
        /// The interface.
        interface: &'static Interface,
        /// The name, shortened.
        field: String,
    },
    /// Required fields are missing.
    #[error("{} requires {}; its fields are {}",
        interface.name, missing.join(", "), field_names(interface))]
    Missing {
        /// The interface.
        interface: &'static Interface,
        /// The missing fields.
        missing: Vec<&'static str>,
    },
    /// A field is given twice or in a wrong form, or its value is malformed.
    #[error(transparent)]
    Field(#[from] FieldError),
}

fn field_names(interface: &Interface) -> String {
    interface.fields.iter().map(|field| field.name).collect::<Vec<_>>().join(", ")
}
