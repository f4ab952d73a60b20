//! What the three `query…Data` interfaces and their downloads have in common.

use serde::Serialize;

use super::field::{self, FieldError, FieldProblem};
use super::interface::{FieldForm, InterfaceField, Values};
use super::{OperationRequest, Received};
use crate::calendar::{Day, LocalTime};
use crate::classify::AnswerError;
use crate::file_name::{IndexFileName, ResponseId};

/// The longest window that a server takes by default, in seconds: three days.
pub(super) const SPAN_LIMIT: u64 = 3 * 24 * 3600;
/// Characters of `accountId` and `agentId`.
pub(super) const ID_LIMIT: usize = 20;
/// Characters of a callback URL that are sent. Not published; it bounds what a caller can pass on.
const CALLBACK_URL_LIMIT: usize = 512;

/// The job that a `query…Data` interface started.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct GenerationJob {
    /// The job's id, a part of the file's name.
    pub response_id: ResponseId,
}

impl GenerationJob {
    /// The file to expect when the generation was asked for on `day`, by the server's clock.
    #[must_use]
    pub fn file_name(&self, day: Day) -> IndexFileName {
        IndexFileName::new(day, self.response_id)
    }

    pub(super) fn from_answer(received: Received) -> Result<Self, AnswerError> {
        let envelope = received.into_envelope()?;
        let id = envelope.data_text("responseId").and_then(|text| ResponseId::from_server(text).ok());
        id.map(|response_id| Self { response_id }).ok_or(AnswerError::Field { field: "responseId" })
    }
}

/// The fields that every `query…Data` interface has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Generation {
    pub(super) begin: LocalTime,
    pub(super) end: LocalTime,
    pub(super) callback_url: String,
    pub(super) account_id: Option<String>,
    pub(super) agent_id: Option<String>,
    pub(super) span_limit: u64,
}

impl Generation {
    pub(super) const BEGIN: InterfaceField =
        InterfaceField::required("beginTime", FieldForm::Time, "begin of the window, on the tenant's clock; not later than the end");
    pub(super) const END: InterfaceField =
        InterfaceField::required("endTime", FieldForm::Time, "end of the window, at most three days behind its begin; not in the future");
    pub(super) const ACCOUNT: InterfaceField =
        InterfaceField::optional("accountId", FieldForm::Text { limit: ID_LIMIT }, "only this tenant space, which must be the account's");
    pub(super) const AGENT: InterfaceField = InterfaceField::optional("agentId", FieldForm::Text { limit: ID_LIMIT }, "only this agent");
    pub(super) const CALLBACK: InterfaceField = InterfaceField::required(
        "callBackURL",
        FieldForm::Text { limit: CALLBACK_URL_LIMIT },
        "the http or https URL that the server calls when the file is there",
    );

    pub(super) fn new(begin: LocalTime, end: LocalTime, callback_url: String) -> Self {
        Self { begin, end, callback_url, account_id: None, agent_id: None, span_limit: SPAN_LIMIT }
    }

    pub(super) fn from_values(values: &mut Values) -> Result<Self, FieldError> {
        let mut generation = Self::new(values.time("beginTime")?, values.time("endTime")?, values.text("callBackURL")?);
        generation.account_id = values.optional("accountId");
        generation.agent_id = values.optional("agentId");
        Ok(generation)
    }

    pub(super) fn check(&self) -> Result<(), FieldError> {
        check_window(self.begin, self.end, self.span_limit)?;
        field::optional_text("accountId", self.account_id.as_deref(), ID_LIMIT)?;
        field::optional_text("agentId", self.agent_id.as_deref(), ID_LIMIT)?;
        check_callback_url(&self.callback_url)
    }

    /// The request of the two agent interfaces, whose published examples send `""` for an id that is not used.
    pub(super) fn agent_request(&self, interface: &str) -> Result<OperationRequest, FieldError> {
        #[derive(Serialize)]
        #[serde(rename_all = "camelCase")]
        struct MsgBody<'a> {
            begin_time: String,
            end_time: String,
            account_id: &'a str,
            agent_id: &'a str,
            #[serde(rename = "callBackURL")]
            callback_url: &'a str,
        }
        self.check()?;
        Ok(OperationRequest::enveloped(
            interface,
            &MsgBody {
                begin_time: self.begin.to_string(),
                end_time: self.end.to_string(),
                account_id: self.account_id.as_deref().unwrap_or_default(),
                agent_id: self.agent_id.as_deref().unwrap_or_default(),
                callback_url: &self.callback_url,
            },
        ))
    }
}

/// A request whose only field is the name of an index file, under `key`.
pub(super) fn download_request(interface: &str, key: &'static str, file_name: &IndexFileName) -> OperationRequest {
    OperationRequest::enveloped(interface, &std::collections::BTreeMap::from([(key, file_name.as_str())]))
}

/// The field of [`download_request`] in the table of interfaces.
pub(super) const fn download_field(key: &'static str) -> InterfaceField {
    InterfaceField::required(key, FieldForm::IndexFileName, "the file's name, as the callback told it: yyyyMMdd_{responseId}.zip")
}

/// The window goes forward and is not longer than `limit` seconds.
pub(super) fn check_window(begin: LocalTime, end: LocalTime, limit: u64) -> Result<(), FieldError> {
    let seconds = u64::try_from(end.seconds_since(begin)).map_err(|_| FieldError::new("beginTime", FieldProblem::BeginAfterEnd))?;
    if seconds > limit {
        return Err(FieldError::new("endTime", FieldProblem::SpanTooLong { limit, seconds }));
    }
    Ok(())
}

fn check_callback_url(url: &str) -> Result<(), FieldError> {
    const FIELD: &str = "callBackURL";
    field::text(FIELD, url, CALLBACK_URL_LIMIT)?;
    let parsed: Option<http::Uri> = url.parse().ok();
    let usable =
        parsed.is_some_and(|uri| matches!(uri.scheme_str(), Some("http" | "https")) && uri.host().is_some_and(|host| !host.is_empty()));
    if usable {
        Ok(())
    } else {
        Err(FieldError::new(
            FIELD,
            FieldProblem::Value { allowed: "a URL that begins with https:// or http:// and that the server can reach" },
        ))
    }
}
