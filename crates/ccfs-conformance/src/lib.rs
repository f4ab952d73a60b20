//! A conformance suite for transports, the part of a CC-FS client that sends HTTP. Each scenario is a behaviour of a
//! server that a client must handle, and has one named verdict.
//!
//! `ccfs_proto::Exchange` decides everything about the protocol, and a transport executes its steps. A transport can
//! still have errors: its HTTP client may follow redirects, retry by itself, add headers, decompress bodies, or ignore
//! timeouts. This suite finds such errors, over real sockets on loopback, against the emulator and a server that sends
//! scripted bytes. To test another transport, implement [`Backend`] and call [`run`]:
//!
//! ```no_run
//! # fn example(my_backend: &impl ccfs_conformance::Backend) {
//! let verdicts = ccfs_conformance::run(my_backend);
//! println!("{verdicts}");
//! verdicts.assert_all_passed();
//! # }
//! ```
//!
//! `examples/own_transport.rs` is a transport over a plain `TcpStream` that passes. Use the suite in tests, as a dev-dependency: it starts servers,
//! waits a few seconds in all, and checks only the bytes on the wire and the results of the client. The speed of the machine changes
//! no verdict: see [`Backend::server_timeout`].
#![forbid(unsafe_code)]

mod archive;
mod backend;
mod clock;
mod scenarios;
mod server;
mod stage;
mod verdict;

use std::thread::{self, ScopedJoinHandle};

pub use archive::{archive_bytes, file_name, zip_of};
pub use backend::{Backend, Client, Setup};
pub use clock::ManualClock;
pub use server::{Behaviour, Framing, ScriptedServer, Seen, Then};
pub use verdict::{Outcome, Verdict, Verdicts};

use crate::scenarios::SCENARIOS;
use crate::stage::{Played, Stop};

/// Runs every scenario with this transport. They run in parallel, because many of them wait.
pub fn run(backend: &dyn Backend) -> Verdicts {
    run_only(backend, |_| true)
}

/// Runs the scenarios whose names `wanted` accepts.
pub fn run_only(backend: &dyn Backend, wanted: impl Fn(&str) -> bool) -> Verdicts {
    thread::scope(|scope| {
        let threads: Vec<_> = SCENARIOS
            .iter()
            .filter(|(name, _)| wanted(name))
            .map(|&(scenario, play)| (scenario, scope.spawn(move || play(backend))))
            .collect();
        let verdict = |(scenario, thread): (_, ScopedJoinHandle<'_, Played>)| Verdict {
            scenario,
            outcome: outcome(thread.join()),
        };
        Verdicts(threads.into_iter().map(verdict).collect())
    })
}

/// The names of all scenarios, in the order of their verdicts.
pub fn scenarios() -> impl Iterator<Item = &'static str> {
    SCENARIOS.iter().map(|(name, _)| *name)
}

/// The outcome of a scenario's thread. Its panic is its verdict.
fn outcome(played: thread::Result<Played>) -> Outcome {
    match played {
        Ok(Ok(())) => Outcome::Passed,
        Ok(Err(Stop::NotPlayed(reason))) => Outcome::NotPlayed { reason },
        Ok(Err(Stop::Mismatch { expected, seen })) => Outcome::Failed { expected, seen },
        Err(panic) => {
            let text = panic
                .downcast_ref::<String>()
                .map(String::as_str)
                .or_else(|| panic.downcast_ref::<&str>().copied());
            Outcome::Failed {
                expected: "no panic".into(),
                seen: format!("a panic: {}", text.unwrap_or("without words")),
            }
        }
    }
}
