//! What an answer or a failure means for the call: its result, another attempt, or an error.

use super::call::Exchange;
use super::error::{ErrorKind, ExchangeError};
use super::retry;
use super::state::State;
use super::step::{Now, SinkKind};
use crate::answer::{AnswerError, Classified, Classifier, Envelope, Expected};
use crate::operation::{Operation, Received};
use crate::words::shown;

impl<O: Operation> Exchange<O> {
    /// Returns the answer, or why the response is not a success.
    pub(super) fn answer(&self, classifier: Classifier) -> Result<O::Answer, ErrorKind> {
        let received = match classifier.finish().map_err(ErrorKind::Answer)? {
            Classified::Envelope(envelope) => {
                self.check_code(&envelope)?;
                if matches!(self.operation.expected(), Expected::File(_)) {
                    return Err(ErrorKind::Answer(AnswerError::SuccessWithoutFile));
                }
                Received::Envelope(envelope)
            }
            Classified::Json(json) => {
                if let Ok(envelope) = Envelope::parse_within(json.as_str().as_bytes(), usize::MAX) {
                    self.check_code(&envelope)?;
                }
                Received::Json(json)
            }
            Classified::File(receipt) => Received::File(receipt),
            Classified::Refusal(refusal) => {
                let (refusal, skew) = (refusal.into(), self.clock.skew_now);
                return Err(ErrorKind::Refused { refusal, skew });
            }
        };
        self.operation.answer(received).map_err(ErrorKind::Answer)
    }

    fn check_code(&self, envelope: &Envelope) -> Result<(), ErrorKind> {
        let code = envelope.code();
        if self.operation.is_success(code) {
            return Ok(());
        }
        Err(ErrorKind::ResultCode {
            code: code.clone(),
            description: shown(envelope.description()).into(),
            meaning: self.operation.meaning(code).into(),
            advice: self.operation.advice(code),
        })
    }

    /// The refusal that is being received, if the response is one.
    pub(super) fn refused(&self) -> Option<ErrorKind> {
        let State::Receiving { classifier, .. } = &self.state else { return None };
        let refusal = classifier.refusal()?.into();
        Some(ErrorKind::Refused { refusal, skew: self.clock.skew_now })
    }

    /// Decides between a retry and the end.
    pub(super) fn failed(&mut self, now: Now, kind: ErrorKind) {
        if let ErrorKind::Refused { refusal, .. } = &kind
            && self.clock.correct(refusal.status, self.policy.skew_threshold)
        {
            self.last_failure = Some(kind);
            self.state = State::Ready;
            return;
        }
        // The attempt with a corrected clock is not a retry.
        if self.attempts > self.policy.max_retries.saturating_add(self.clock.is_corrected.into()) {
            return self.give_up(kind);
        }
        let is_handed_over = self.written > 0 && self.sink == SinkKind::Once;
        let rule = retry::rule(&kind, self.operation.repeat(), self.retry_after, &self.policy);
        let Some(wait) = rule.filter(|_| !is_handed_over) else { return self.give_up(kind) };
        let wait = retry::duration(wait, self.attempts, &self.policy, (self.jitter)());
        if wait > self.policy.max_backoff {
            return self.give_up(kind);
        }
        let until = now.monotonic.saturating_add(wait);
        let started = self.started.unwrap_or_default();
        if until >= started.saturating_add(self.policy.total_timeout) {
            return self.out_of_time(Some(kind));
        }
        self.last_failure = Some(kind);
        self.state =
            if self.written > 0 { State::Rewinding { until } } else { State::Waiting { until } };
    }

    /// Ends the call because of the total timeout. Without a cause, it is the last failure, if any.
    pub(super) fn out_of_time(&mut self, cause: Option<ErrorKind>) {
        let limit = self.policy.total_timeout;
        let cause = cause.or_else(|| self.last_failure.take()).map(Box::new);
        self.give_up(ErrorKind::TotalTimeout { limit, cause });
    }

    fn give_up(&mut self, kind: ErrorKind) {
        let kind = if self.written > 0 && self.sink == SinkKind::Once {
            ErrorKind::Interrupted { handed_over: self.written, cause: Box::new(kind) }
        } else {
            kind
        };
        self.state = State::Over(Err(self.error(kind)));
    }

    pub(super) fn error(&self, kind: ErrorKind) -> ExchangeError {
        ExchangeError {
            interface: self.operation.interface(),
            attempts: self.attempts,
            retry_after: self.retry_after,
            kind,
        }
    }
}
