//! A conformance suite for transports: what servers do, and how a CC-FS client must handle it, with one named verdict per scenario.
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

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::thread;

pub use archive::{archive_bytes, file_name, zip_of};
pub use backend::{Backend, Client, Setup};
pub use clock::ManualClock;
pub use server::{Behaviour, Framing, Own, ScriptedServer, Seen};
pub use verdict::{Outcome, Verdict, Verdicts};

use crate::scenarios::{SCENARIOS, Scenario};
use crate::stage::Stop;

/// Runs every scenario with this transport, one after the other; at the end, those that mostly wait run in parallel.
pub fn run(backend: &dyn Backend) -> Verdicts {
    run_only(backend, |_| true)
}

/// Runs the scenarios whose names `wanted` accepts.
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
        // A scenario's panic is its verdict; a panic here is a bug of the suite.
        let last = threads
            .into_iter()
            .map(|thread| thread.join().unwrap_or_else(|panic| resume_unwind(panic)));
        verdicts.into_iter().chain(last).collect()
    })
}

/// The names of all scenarios, in the order in which they run.
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
