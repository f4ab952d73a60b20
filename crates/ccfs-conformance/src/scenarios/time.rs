//! Idle timeouts, and the total timeout of a call.

use std::time::{Duration, Instant};

use ccfs_proto::{ErrorKind, FailureKind};

use crate::archive::archive_bytes;
use crate::backend::Backend;
use crate::clock::ManualClock;
use crate::server::Behaviour;
use crate::stage::{Played, SHORT, Script, failure, holds, kind_is, query, same};

fn is_stall(kind: &ErrorKind) -> bool {
    matches!(kind, ErrorKind::Transport(failure) if failure.kind() == FailureKind::IdleTimeout)
}

fn is_deadline(kind: &ErrorKind) -> bool {
    matches!(kind, ErrorKind::TotalTimeout { .. })
}

pub(super) fn silence(backend: &dyn Backend, after: Option<usize>) -> Played {
    let stall = Behaviour::stall(after, &archive_bytes(10_000));
    let script = Script::with(backend, vec![stall; 2], |setup| {
        setup.policy.max_retries = 1;
        setup.policy.idle_timeout = SHORT;
    })?;
    let begin = Instant::now();
    script.fails("silence for longer than the step allowed", is_stall, 2)?;
    ended(backend, begin)
}

/// The client itself ended the call: the server, whose timeout begins later, had not closed yet. The difference depends on the machine.
fn ended(backend: &dyn Backend, begin: Instant) -> Played {
    let (took, server_timeout) = (begin.elapsed(), backend.server_timeout());
    holds(
        took < server_timeout,
        format_args!("an end before the server's, which comes after {server_timeout:?}"),
        format_args!("it took {took:?}"),
    )
}

/// Each step is limited by the smaller of the idle timeout and the rest of the total timeout.
pub(super) fn deadline_in_silence(backend: &dyn Backend, after: Option<usize>) -> Played {
    let stall = Behaviour::stall(after, &archive_bytes(10_000));
    let script = Script::with(backend, [stall], |setup| {
        setup.policy.total_timeout = SHORT;
        // The setup's clock does not move meanwhile, so the backoff must leave no time for another attempt.
        setup.policy.backoff = SHORT * 4;
    })?;
    let begin = Instant::now();
    script.fails("the deadline of the whole call", is_deadline, 1)?;
    ended(backend, begin)
}

/// Bytes keep arriving, but never all of them: only a clock that moves shows the deadline.
pub(super) fn deadline_in_trickle(backend: &dyn Backend) -> Played {
    let body = archive_bytes(10_000);
    let trickle = Behaviour { piece: 1, pause: Duration::from_millis(5), ..Behaviour::ok(body) };
    let script = Script::with(backend, [trickle], |setup| {
        setup.policy.total_timeout = SHORT;
        setup.clock = ManualClock::ticking();
    })?;
    let begin = Instant::now();
    script.fails("the deadline of the whole call", is_deadline, 1)?;
    ended(backend, begin)
}

/// Two waits of seven seconds are more than ten.
pub(super) fn deadline_before_wait(backend: &dyn Backend) -> Played {
    let busy =
        Behaviour::raw(&["HTTP/1.1 503 Busy", "content-length: 0", "retry-after: 7"], b"", true);
    let script = Script::with(backend, vec![busy; 4], |setup| {
        setup.policy.total_timeout = Duration::from_secs(10);
    })?;
    let error = failure(script.client.query(query()?))?;
    kind_is(&error, "the deadline of 10 s", is_deadline)?;
    same(
        "the waits on the setup's clock",
        &vec![Duration::from_secs(7)],
        &script.setup.clock.waits(),
    )?;
    script.requests_are(2)
}
