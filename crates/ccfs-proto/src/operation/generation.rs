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
        let id =
            envelope.data_text("responseId").and_then(|text| ResponseId::from_server(&text).ok());
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
    pub(super) const BEGIN: InterfaceField = InterfaceField::required(
        "beginTime",
        FieldForm::Time,
        "begin of the window, on the tenant's clock; not later than the end",
    );
    pub(super) const END: InterfaceField = InterfaceField::required(
        "endTime",
        FieldForm::Time,
        "end of the window, at most three days behind its begin; not in the future",
    );
    pub(super) const ACCOUNT: InterfaceField = InterfaceField::optional(
        "accountId",
        FieldForm::Text { limit: ID_LIMIT },
        "only this tenant space, which must be the account's",
    );
    pub(super) const AGENT: InterfaceField =
        InterfaceField::optional("agentId", FieldForm::Text { limit: ID_LIMIT }, "only this agent");
    pub(super) const CALLBACK: InterfaceField = InterfaceField::required(
        "callBackURL",
        FieldForm::Text { limit: CALLBACK_URL_LIMIT },
        "the http or https URL that the server calls when the file is there",
    );

    pub(super) fn new(begin: LocalTime, end: LocalTime, callback_url: String) -> Self {
        Self { begin, end, callback_url, account_id: None, agent_id: None, span_limit: SPAN_LIMIT }
    }

    pub(super) fn from_values(values: &mut Values) -> Result<Self, FieldError> {
        let mut generation = Self::new(
            values.time("beginTime")?,
            values.time("endTime")?,
            values.text("callBackURL")?,
        );
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

/// The window goes forward and is not longer than `limit` seconds.
pub(super) fn check_window(begin: LocalTime, end: LocalTime, limit: u64) -> Result<(), FieldError> {
    let seconds = u64::try_from(end.seconds_since(begin))
        .map_err(|_| FieldError::new("beginTime", FieldProblem::BeginAfterEnd))?;
    if seconds > limit {
        return Err(FieldError::new("endTime", FieldProblem::SpanTooLong { limit, seconds }));
    }
    Ok(())
}

fn check_callback_url(url: &str) -> Result<(), FieldError> {
    const FIELD: &str = "callBackURL";
    field::text(FIELD, url, CALLBACK_URL_LIMIT)?;
    let parsed: Option<http::Uri> = url.parse().ok();
    let usable = parsed.is_some_and(|uri| {
        matches!(uri.scheme_str(), Some("http" | "https"))
            && uri.host().is_some_and(|host| !host.is_empty())
    });
    if usable {
        Ok(())
    } else {
        Err(FieldError::new(
            FIELD,
            FieldProblem::Value {
                allowed: "a URL that begins with https:// or http:// and that the server can reach",
            },
        ))
    }
}

/// The setters of the fields that every `query…Data` interface may have.
macro_rules! generation_setters {
    () => {
        /// Only this tenant space: 1 to 20 characters.
        #[must_use]
        pub fn account_id(mut self, account_id: impl Into<String>) -> Self {
            self.generation.account_id = Some(account_id.into());
            self
        }

        /// Only this agent: 1 to 20 characters.
        #[must_use]
        pub fn agent_id(mut self, agent_id: impl Into<String>) -> Self {
            self.generation.agent_id = Some(agent_id.into());
            self
        }

        /// The longest window that the server at hand takes, in whole seconds. Default: three days, which its operators may have changed.
        #[must_use]
        pub fn span_limit(mut self, limit: std::time::Duration) -> Self {
            self.generation.span_limit = limit.as_secs();
            self
        }
    };
}
pub(super) use generation_setters;

/// An operation that asks for a window of one of the two agent interfaces.
macro_rules! agent_generation {
    ($(#[$doc:meta])* $name:ident = $interface:literal, $about:literal, $what:literal) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub struct $name {
            generation: Generation,
        }

        impl $name {
            pub(super) const INTERFACE: Interface = Interface {
                name: $interface,
                about: $about,
                fields: &[Generation::BEGIN, Generation::END, Generation::ACCOUNT, Generation::AGENT, Generation::CALLBACK],
                answer: "responseId: the job's id, 32 hex digits",
                expected: Expected::Envelope,
                repeat: Repeat::OnlyUnlessArrived,
                build: |values| Interface::built(Self { generation: Generation::from_values(values)? }),
                ..Interface::SIGNED_POST
            };

            #[doc = concat!($what, " from `begin` to `end` on the tenant's clock; the server calls `callback_url` when the file is there.")]
            #[must_use]
            pub fn new(begin: LocalTime, end: LocalTime, callback_url: impl Into<String>) -> Self {
                Self { generation: Generation::new(begin, end, callback_url.into()) }
            }

            generation_setters!();
        }

        impl Operation for $name {
            type Answer = GenerationJob;

            as_in_table!();

            fn request(&self) -> Result<OperationRequest, FieldError> {
                self.generation.agent_request(self.interface())
            }

            fn answer(&self, received: Received) -> Result<GenerationJob, AnswerError> {
                GenerationJob::from_answer(received)
            }
        }
    };
}
pub(super) use agent_generation;

/// An operation that downloads the ZIP of one job, whose name stands in the field given last.
macro_rules! index_download {
    ($(#[$doc:meta])* $name:ident = $interface:literal, $about:literal, $field:literal) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub struct $name {
            file_name: IndexFileName,
        }

        impl $name {
            pub(super) const INTERFACE: Interface = Interface {
                name: $interface,
                about: $about,
                fields: &[InterfaceField::required(
                    $field,
                    FieldForm::IndexFileName,
                    "the file's name, as the callback told it: yyyyMMdd_{responseId}.zip",
                )],
                answer: "the ZIP of one job",
                expected: Expected::File(&[FileKind::Zip]),
                repeat: Repeat::Harmless,
                build: |values| Interface::built(Self::new(values.index_file($field)?)),
                ..Interface::SIGNED_POST
            };

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

        impl Operation for $name {
            type Answer = FileReceipt;

            as_in_table!();

            fn request(&self) -> Result<OperationRequest, FieldError> {
                let msg_body = std::collections::BTreeMap::from([($field, self.file_name.as_str())]);
                Ok(OperationRequest::enveloped(self.interface(), &msg_body))
            }

            fn answer(&self, received: Received) -> Result<FileReceipt, AnswerError> {
                received.into_file()
            }
        }
    };
}
pub(super) use index_download;
