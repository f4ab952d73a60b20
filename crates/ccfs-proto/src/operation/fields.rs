use std::fmt;

use bytes::Bytes;
use http::Method;
use serde::{Serialize, Serializer};
use serde_json::Value;
use zeroize::Zeroizing;

use super::field::{FieldError, FieldProblem};
use super::interface::{FieldForm, Interface, InterfaceField};
use super::{OperationRequest, wav};
use crate::answer::request_body;
use crate::time::LocalTime;

/// The longest period that a server accepts by default, in seconds: three days.
const SPAN_LIMIT: u64 = 3 * 24 * 3600;

/// The values of one call of an [`Interface`].
///
/// Typed operations are newtypes around it.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Fields {
    pub(super) interface: &'static Interface,
    /// Values by field name, wiped because one may be a token.
    pub(super) texts: Vec<(&'static str, Zeroizing<String>)>,
    pub(super) data: Option<Bytes>,
    /// The longest period in seconds.
    pub(super) span_limit: u64,
    /// The largest file in bytes, unless the interface's limit applies.
    pub(super) size_limit: Option<usize>,
}

impl Fields {
    pub(super) fn new(interface: &'static Interface) -> Self {
        let texts = Vec::new();
        Self { interface, texts, data: None, span_limit: SPAN_LIMIT, size_limit: None }
    }

    pub(super) fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        debug_assert!(self.interface.field(name).is_some(), "{name} is not in the table");
        self.texts.retain(|(other, _)| *other != name);
        self.texts.push((name, Zeroizing::new(value.into())));
        self
    }

    pub(super) fn with_period(self, begin: LocalTime, end: LocalTime) -> Self {
        self.with("beginTime", begin.to_string()).with("endTime", end.to_string())
    }

    fn text(&self, name: &str) -> Option<&str> {
        self.texts.iter().find(|(other, _)| *other == name).map(|(_, value)| value.as_str())
    }

    pub(super) fn has(&self, field: &InterfaceField) -> bool {
        self.text(field.name).is_some() || (field.is_data() && self.data.is_some())
    }

    /// Checks that the period from `beginTime` to `endTime` goes forward and is not too long.
    fn check_period(&self) -> Result<(), FieldError> {
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

    /// Returns the checked value to send, if any.
    fn value(&self, field: &InterfaceField) -> Result<Option<Value>, FieldError> {
        Ok(match (field.form, self.text(field.name), &self.data) {
            (FieldForm::Wav(limit), _, Some(data)) => {
                wav::check(data, self.size_limit.unwrap_or(limit))
                    .map_err(|problem| FieldError::new(field.name, problem))?;
                Some(wav::base64(data).into())
            }
            (_, Some(text), _) => Some((field.to_json)(&field.read(text)?)),
            _ if field.required => return Err(FieldError::new(field.name, FieldProblem::Missing)),
            _ => field.when_absent.map(Value::from),
        })
    }

    /// Checks the values and builds the request.
    pub(super) fn request(&self) -> Result<OperationRequest, FieldError> {
        let Interface { name, method, signed, enveloped, either, .. } = *self.interface;
        let mut request = OperationRequest::post(name, Bytes::new());
        request.signed = signed;
        let mut body = InOrder(Vec::new());
        for field in self.interface.fields {
            let value = self.value(field)?.map(|value| (field.name, value));
            let constant = field.followed_by.map(|(name, text)| (name, text.into()));
            for (name, value) in value.into_iter().chain(constant) {
                match value {
                    Value::String(text) if field.in_query => request = request.query(name, text),
                    value => body.0.push((name, value)),
                }
            }
        }
        self.check_period()?;
        if let Some((one, other)) = either
            && self.text(one).or(self.text(other)).is_none()
        {
            return Err(FieldError::new(one, FieldProblem::NeitherGiven { other: other.into() }));
        }
        if method == "GET" {
            request.method = Method::GET;
            return Ok(request);
        }
        let body = if enveloped {
            request_body(&body)
        } else {
            serde_json::to_vec(&body).map(Bytes::from)
        };
        Ok(request.body(body.unwrap_or_else(|_| unreachable!("texts and numbers serialise"))))
    }
}

/// A JSON object whose members are in this order.
struct InOrder(Vec<(&'static str, Value)>);

impl Serialize for InOrder {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_map(self.0.iter().map(|(name, value)| (name, value)))
    }
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
