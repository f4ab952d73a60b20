//! An interface together with the values of its fields: what every operation of CC-FS is made of.

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use serde::{Serialize, Serializer};
use serde_json::Value;
use zeroize::Zeroizing;

use super::any::AnyAnswer;
use super::field::{FieldError, FieldProblem};
use super::interface::{FieldForm, FieldPlace, Interface, InterfaceField, Sent};
use super::{Operation, Received, Repeat};
use super::{base64, wav};
use crate::answer::request_body;
use crate::answer::{AnswerError, Expected};
use crate::operation::OperationRequest;
use crate::time::LocalTime;

/// The longest period that a server accepts by default, in seconds: three days.
const SPAN_LIMIT: u64 = 3 * 24 * 3600;

/// The values of one call of an [`Interface`].
///
/// Typed operations are newtypes around it, and a call by name holds one, so both send the same
/// bytes.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Fields {
    pub(super) interface: &'static Interface,
    /// Values by field name, wiped because one may be a token.
    texts: Vec<(&'static str, Zeroizing<String>)>,
    data: Option<Bytes>,
    span_limit: u64,
    size_limit: Option<usize>,
}

impl Fields {
    pub(super) fn new(interface: &'static Interface) -> Self {
        let (texts, data) = (Vec::new(), None);
        Self { interface, texts, data, span_limit: SPAN_LIMIT, size_limit: None }
    }

    /// Sets the value of a field of the interface.
    pub(super) fn with(self, name: &'static str, value: impl Into<String>) -> Self {
        self.with_secret(name, Zeroizing::new(value.into()))
    }

    pub(super) fn with_secret(mut self, name: &'static str, value: Zeroizing<String>) -> Self {
        debug_assert!(self.interface.field(name).is_some(), "{name} is not in the table");
        self.texts.retain(|(other, _)| *other != name);
        self.texts.push((name, value));
        self
    }

    pub(super) fn with_period(self, begin: LocalTime, end: LocalTime) -> Self {
        self.with("beginTime", begin.to_string()).with("endTime", end.to_string())
    }

    /// Sets the bytes of the field that is a file.
    pub(super) fn with_data(self, data: impl Into<Bytes>) -> Self {
        Self { data: Some(data.into()), ..self }
    }

    /// Sets the longest period in whole seconds.
    pub(super) fn with_span_limit(self, limit: Duration) -> Self {
        Self { span_limit: limit.as_secs(), ..self }
    }

    /// Sets the largest file in bytes.
    pub(super) fn with_size_limit(self, bytes: usize) -> Self {
        Self { size_limit: Some(bytes), ..self }
    }

    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.texts.iter().find(|(other, _)| *other == name).map(|(_, value)| value.as_str())
    }

    pub(super) fn has(&self, field: &InterfaceField) -> bool {
        self.text(field.name).is_some() || (field.is_data() && self.data.is_some())
    }

    /// Checks each text by itself.
    pub(super) fn check_texts(&self) -> Result<(), FieldError> {
        let given = |field: &'static InterfaceField| Some((field, self.text(field.name)?));
        let mut given = self.interface.fields.iter().filter_map(given);
        given.try_for_each(|(field, text)| field.read(text).map(Zeroizing::new).map(drop))
    }

    /// Checks that the period from `beginTime` to `endTime` goes forward and is not too long.
    pub(super) fn check_period(&self) -> Result<(), FieldError> {
        let time = |name| self.text(name).and_then(|text| text.parse::<LocalTime>().ok());
        let (Some(begin), Some(end)) = (time("beginTime"), time("endTime")) else { return Ok(()) };
        let seconds = u64::try_from(end.seconds_since(begin))
            .map_err(|_| FieldError::new("beginTime", FieldProblem::BeginAfterEnd))?;
        if seconds > self.span_limit {
            let problem = FieldProblem::SpanTooLong { limit: self.span_limit, seconds };
            return Err(FieldError::new("endTime", problem));
        }
        Ok(())
    }

    /// Returns the checked values to send, in the order of the table.
    fn checked(&self, place: FieldPlace) -> Result<Vec<(&'static str, Value)>, FieldError> {
        let mut values = Vec::new();
        for field in self.interface.fields.iter().filter(|field| field.place == place) {
            let value = match (field.form, self.text(field.name), &self.data) {
                (FieldForm::Wav { limit }, _, Some(data)) => {
                    wav::check(data, self.size_limit.unwrap_or(limit))
                        .map_err(|problem| FieldError::new(field.name, problem))?;
                    Some(Value::from(base64::encode(data)))
                }
                (_, Some(text), _) if field.sent == Sent::Number => {
                    Some(field.read(text)?.parse::<u64>().map_or(Value::Null, Value::from))
                }
                (_, Some(text), _) => Some(Value::from(field.read(text)?)),
                _ if field.required => {
                    return Err(FieldError::new(field.name, FieldProblem::Missing));
                }
                _ => field.when_absent.map(Value::from),
            };
            values.extend(value.map(|value| (field.name, value)));
            values.extend(field.followed_by.map(|(name, text)| (name, Value::from(text))));
        }
        Ok(values)
    }
}

impl Operation for Fields {
    type Answer = AnyAnswer;

    fn interface(&self) -> Cow<'static, str> {
        self.interface.name.into()
    }

    fn request(&self) -> Result<OperationRequest, FieldError> {
        let Interface { name, method, signed, enveloped, .. } = *self.interface;
        let query = self.checked(FieldPlace::Query)?;
        let body = InOrder(self.checked(FieldPlace::Body)?);
        (self.interface.check)(self)?;
        let mut request = match method {
            "GET" => OperationRequest::get(format!("{}{name}", OperationRequest::BASE_PATH)),
            _ if enveloped => OperationRequest::post(name, to_bytes(request_body(&body))),
            _ => OperationRequest::post(name, to_bytes(serde_json::to_vec(&body))),
        };
        request.signed = signed;
        for (key, value) in query {
            let Value::String(text) = value else { continue };
            request = request.query(key, text);
        }
        Ok(request)
    }

    fn repeat(&self) -> Repeat {
        self.interface.repeat
    }

    fn expected(&self) -> Expected {
        self.interface.expected
    }

    fn answer(&self, received: Received) -> Result<AnyAnswer, AnswerError> {
        let answer = AnyAnswer::of(&received);
        (self.interface.check_answer)(received).map(|()| answer)
    }
}

/// A JSON object whose members are in this order.
struct InOrder(Vec<(&'static str, Value)>);

impl Serialize for InOrder {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_map(self.0.iter().map(|(name, value)| (name, value)))
    }
}

fn to_bytes(json: Result<impl Into<Bytes>, serde_json::Error>) -> Bytes {
    json.unwrap_or_else(|_| unreachable!("texts and numbers serialise")).into()
}

impl fmt::Debug for Fields {
    /// Omits tokens, and files, which are large and a person's voice.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct(self.interface.name);
        for field in self.interface.fields {
            match self.text(field.name) {
                Some(_) if field.secret => shown.field(field.name, &"(redacted)"),
                Some(text) => shown.field(field.name, &text),
                None => &mut shown,
            };
        }
        if let Some(data) = &self.data {
            shown.field("bytes", &data.len());
        }
        shown.finish_non_exhaustive()
    }
}
