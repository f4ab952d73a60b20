//! A conformance suite for transports: what servers do, and how a client of CC-FS must take it, one named verdict per scenario.
//!
//! `ccfs_proto::Exchange` decides everything about the protocol, and a transport does what it says. Errors remain possible in the transport: an HTTP
//! client that follows redirects, retries by itself, adds headers, unpacks bodies, or forgets the time. This suite finds that out, over real sockets on
//! loopback, against the emulator and a server that plays scripts of bytes. To test another transport, implement [`Backend`] and call [`run`]:
//!
//! ```no_run
//! # fn example(my_backend: &impl ccfs_conformance::Backend) {
//! let verdicts = ccfs_conformance::run(my_backend);
//! println!("{verdicts}");
//! verdicts.assert_all_passed();
//! # }
//! ```
//!
//! `examples/own_transport.rs` is a transport over a plain `TcpStream` that passes. The suite belongs into tests, as a dev-dependency: it starts servers,
//! waits a few seconds in all, and never looks at anything but what goes over the wire and what the client gives back. How quick the machine is changes
//! no verdict: see [`Backend::server_timeout`].
#![forbid(unsafe_code)]

mod archive;
mod backend;
mod clock;
mod scenarios;
mod server;
mod stage;
mod verdict;

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::thread;

pub use archive::{archive_bytes, file_name, zip_of};
pub use backend::{Backend, Client, Setup};
pub use clock::ManualClock;
pub use server::{Behaviour, Framing, Own, ScriptedServer, Seen};
pub use verdict::{Outcome, Verdict, Verdicts};

use crate::scenarios::{SCENARIOS, Scenario};
use crate::stage::Stop;

/// Plays every scenario with this transport: one after the other, and at the end those side by side in which little happens but silence.
pub fn run(backend: &dyn Backend) -> Verdicts {
    run_only(backend, |_| true)
}

/// Plays the scenarios whose names are wanted.
pub fn run_only(backend: &dyn Backend, wanted: impl Fn(&str) -> bool) -> Verdicts {
    let (waiting, busy): (Vec<_>, Vec<_>) = SCENARIOS
        .iter()
        .filter(|scenario| wanted(scenario.name))
        .partition(|scenario| scenario.waits);
    let verdicts: Vec<Verdict> =
        busy.into_iter().map(|scenario| verdict(backend, scenario)).collect();
    thread::scope(|scope| {
        let threads: Vec<_> = waiting
            .into_iter()
            .map(|scenario| scope.spawn(|| verdict(backend, scenario)))
            .collect();
        // A scenario's panic is its verdict; what panics here is the suite's own.
        let last = threads
            .into_iter()
            .map(|thread| thread.join().unwrap_or_else(|panic| resume_unwind(panic)));
        verdicts.into_iter().chain(last).collect()
    })
}

/// The names of all scenarios, in the order in which they are played.
pub fn scenarios() -> impl Iterator<Item = &'static str> {
    SCENARIOS.iter().map(|scenario| scenario.name)
}

fn verdict(backend: &dyn Backend, scenario: &Scenario) -> Verdict {
    let outcome = if scenario.tls && !backend.speaks_tls() {
        Outcome::NotPlayed { reason: "the transport does not speak TLS" }
    } else {
        match catch_unwind(AssertUnwindSafe(|| (scenario.play)(backend))) {
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
    };
    Verdict { scenario: scenario.name, outcome }
}
