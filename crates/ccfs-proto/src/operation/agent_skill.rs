//! Agent skill change details: starting the generation, and downloading the file.

use serde::Serialize;

use super::field::{self, FieldError, FieldProblem};
use super::{Operation, OperationRequest, Received, Repeat};
use crate::calendar::{Day, LocalTime};
use crate::classify::{AnswerError, Expected, FileKind, FileReceipt};
use crate::envelope::request_body;
use crate::file_name::{IndexFileName, ResponseId};

/// The longest window that a server takes by default, in seconds: three days.
pub(crate) const SPAN_LIMIT: u64 = 3 * 24 * 3600;
/// Characters of a callback URL that are sent. Not published; it bounds what a caller can pass on.
const CALLBACK_URL_LIMIT: usize = 512;

/// `queryAgentSkillInfoData`: starts generating an index file in the background.
///
/// See `docs/protocol.md`, "Agent skill interfaces".
///
/// ```
/// use ccfs_proto::{FieldProblem, Operation, QueryAgentSkillInfoData};
///
/// let (begin, end) = ("2023-04-01 00:00:00".parse()?, "2023-04-05 00:00:00".parse()?);
/// let query = QueryAgentSkillInfoData::new(begin, end, "https://10.9.8.7:9443/callback");
/// let refused = query.request().unwrap_err();
/// assert_eq!(refused.problem, FieldProblem::SpanTooLong { limit: 259_200, seconds: 345_600 });
/// # Ok::<(), ccfs_proto::CalendarError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueryAgentSkillInfoData {
    begin: LocalTime,
    end: LocalTime,
    callback_url: String,
    account_id: Option<String>,
    agent_id: Option<String>,
    span_limit: u64,
}

impl QueryAgentSkillInfoData {
    /// Changes from `begin` to `end` on the tenant's clock; the server calls `callback_url` when the file is there.
    #[must_use]
    pub fn new(begin: LocalTime, end: LocalTime, callback_url: impl Into<String>) -> Self {
        Self { begin, end, callback_url: callback_url.into(), account_id: None, agent_id: None, span_limit: SPAN_LIMIT }
    }

    /// Only this tenant space: 1 to 20 characters.
    #[must_use]
    pub fn account_id(mut self, account_id: impl Into<String>) -> Self {
        self.account_id = Some(account_id.into());
        self
    }

    /// Only this agent: 1 to 20 characters.
    #[must_use]
    pub fn agent_id(mut self, agent_id: impl Into<String>) -> Self {
        self.agent_id = Some(agent_id.into());
        self
    }

    /// The longest window that the server at hand takes, in seconds, where its operators changed the default of three days.
    #[must_use]
    pub fn span_limit(mut self, seconds: u64) -> Self {
        self.span_limit = seconds;
        self
    }
}

/// What `queryAgentSkillInfoData` answers: the job that was started.
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
}

impl Operation for QueryAgentSkillInfoData {
    type Answer = GenerationJob;

    fn interface(&self) -> &'static str {
        "queryAgentSkillInfoData"
    }

    fn request(&self) -> Result<OperationRequest, FieldError> {
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
        check_window(self.begin, self.end, self.span_limit)?;
        field::optional_text("accountId", self.account_id.as_deref(), 20)?;
        field::optional_text("agentId", self.agent_id.as_deref(), 20)?;
        check_callback_url(&self.callback_url)?;
        Ok(body(
            self.interface(),
            &MsgBody {
                begin_time: self.begin.to_string(),
                end_time: self.end.to_string(),
                account_id: self.account_id.as_deref().unwrap_or_default(),
                agent_id: self.agent_id.as_deref().unwrap_or_default(),
                callback_url: &self.callback_url,
            },
        ))
    }

    fn repeat(&self) -> Repeat {
        Repeat::OnlyUnlessArrived
    }

    fn expected(&self) -> Expected {
        Expected::Envelope
    }

    fn answer(&self, received: Received) -> Result<GenerationJob, AnswerError> {
        let envelope = received.into_envelope()?;
        let id = envelope.data_text("responseId").and_then(|text| ResponseId::from_server(text).ok());
        id.map(|response_id| GenerationJob { response_id }).ok_or(AnswerError::Field { field: "responseId" })
    }
}

/// `downloadAgentSkillInfoFile`: the ZIP of one job.
///
/// The interface that this project exists for. Only the account's own files are handed out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DownloadAgentSkillInfoFile {
    file_name: IndexFileName,
}

impl DownloadAgentSkillInfoFile {
    /// Downloads the file of that name.
    #[must_use]
    pub fn new(file_name: IndexFileName) -> Self {
        Self { file_name }
    }

    /// The file's name.
    pub fn file_name(&self) -> &IndexFileName {
        &self.file_name
    }
}

impl Operation for DownloadAgentSkillInfoFile {
    type Answer = FileReceipt;

    fn interface(&self) -> &'static str {
        "downloadAgentSkillInfoFile"
    }

    fn request(&self) -> Result<OperationRequest, FieldError> {
        #[derive(Serialize)]
        #[serde(rename_all = "camelCase")]
        struct MsgBody<'a> {
            agent_skill_info_file_name: &'a str,
        }
        Ok(body(self.interface(), &MsgBody { agent_skill_info_file_name: self.file_name.as_str() }))
    }

    fn repeat(&self) -> Repeat {
        Repeat::Harmless
    }

    fn expected(&self) -> Expected {
        Expected::File(&[FileKind::Zip])
    }

    fn answer(&self, received: Received) -> Result<FileReceipt, AnswerError> {
        received.into_file()
    }
}

/// A signed `POST` with `msg_body` in the envelope.
pub(super) fn body(interface: &str, msg_body: &impl Serialize) -> OperationRequest {
    // Structs of texts and numbers always serialise.
    let bytes = request_body(msg_body).unwrap_or_else(|_| unreachable!("plain structs serialise"));
    OperationRequest::post(interface, bytes)
}

pub(super) fn check_window(begin: LocalTime, end: LocalTime, limit: u64) -> Result<(), FieldError> {
    let seconds = u64::try_from(end.seconds_since(begin)).map_err(|_| FieldError::new("beginTime", FieldProblem::BeginAfterEnd))?;
    if seconds > limit {
        return Err(FieldError::new("endTime", FieldProblem::SpanTooLong { limit, seconds }));
    }
    Ok(())
}

pub(super) fn check_callback_url(url: &str) -> Result<(), FieldError> {
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
