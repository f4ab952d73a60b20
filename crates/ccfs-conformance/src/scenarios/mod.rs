//! The list of scenarios.

mod connections;
mod files;
mod refusals;
mod time;
mod wire;

use std::time::Duration;

use ccfs_emulator::Fault;

use crate::backend::Backend;
use crate::stage::Played;

/// A behaviour of a server, and how a client must handle it.
pub(crate) struct Scenario {
    pub(crate) name: &'static str,
    pub(crate) play: fn(&dyn Backend) -> Played,
    /// Whether it is about TLS.
    pub(crate) tls: bool,
    /// Whether it mostly waits, and can run in parallel with others.
    pub(crate) waits: bool,
}

const fn scenario(name: &'static str, play: fn(&dyn Backend) -> Played) -> Scenario {
    Scenario { name, play, tls: false, waits: false }
}

const fn over_tls(name: &'static str, play: fn(&dyn Backend) -> Played) -> Scenario {
    Scenario { name, play, tls: true, waits: false }
}

const fn waiting(name: &'static str, play: fn(&dyn Backend) -> Played) -> Scenario {
    Scenario { name, play, tls: false, waits: true }
}

/// In the order in which they run: the basic ones first; those that wait come last and run in parallel.
pub(crate) const SCENARIOS: &[Scenario] = &[
    scenario("a job is started and its file comes to disk", files::job_and_file),
    scenario("a file goes into a writer", files::writer),
    scenario("a file comes one byte at a time", |it| files::intact(it, Fault::ByteByByte)),
    scenario("a file comes slowly", |it| files::intact(it, Fault::Slow(Duration::from_millis(1)))),
    scenario("a file comes in chunks, without a length", |it| files::intact(it, Fault::Chunked)),
    scenario("a file comes in chunks with extensions and trailers", files::trailers),
    scenario(
        "a file comes without a length, up to the end of the connection",
        files::up_to_the_end,
    ),
    scenario("a file comes under another content type", |it| files::intact(it, Fault::WrongType)),
    scenario("bytes after the declared length are not the file's", files::bytes_after_the_end),
    scenario("a large file goes to the writer while it comes", files::streams),
    scenario("a file that is there is left alone, and nothing is sent", files::existing_file),
    scenario("a file that is there is replaced on demand, at once", files::replaced_file),
    scenario("a second attempt begins the file again", files::rewinds),
    scenario("a cut body is tried again, and the file is right", files::cut_then_right),
    scenario("a body that is always cut leaves no file", |it| {
        files::broken(it, Fault::CutAfter(1000))
    }),
    scenario("chunks without their end leave no file", files::cut_chunks),
    scenario("a length that is too large leaves no file", |it| {
        files::broken(it, Fault::WrongLength)
    }),
    scenario("half an archive leaves no file", |it| files::broken(it, Fault::TruncatedZip)),
    scenario("a cut body into a writer says what it has", files::cut_into_writer),
    scenario("what is sent is what was signed", wire::as_signed),
    scenario("a path prefix is signed and sent", wire::path_prefix),
    scenario("no header is added", wire::no_added_headers),
    scenario("nothing is unpacked", wire::nothing_is_unpacked),
    scenario("both query line dialects are accepted as set", wire::dialects),
    scenario("every attempt is signed again", wire::signed_again),
    scenario("a redirect is not followed", wire::redirect),
    scenario("an interim answer is passed over", wire::interim),
    scenario("what is not HTTP is reported, and not retried", wire::babble),
    scenario(
        "every documented result code is reported, only flow control is retried",
        refusals::result_codes,
    ),
    scenario("a JSON error under an octet-stream type is an error", refusals::missing_file),
    scenario("a wrong key is a 401 and is sent once", refusals::wrong_key),
    scenario("a 401 is sent once, whatever follows", refusals::unauthorized),
    scenario("a locked address is a 403 and is sent once", refusals::locked),
    scenario("a wrong clock is corrected once, and the next call knows", refusals::wrong_clock),
    scenario(
        "a wrong key with a wrong clock ends after one correction",
        refusals::wrong_key_and_clock,
    ),
    scenario("503 is waited out as Retry-After says", refusals::busy),
    scenario("429 is waited out as Retry-After says", refusals::too_many),
    scenario("flow control is waited out", refusals::flow_control),
    scenario("a gateway's page is reported as one", refusals::page),
    scenario("a gateway's refusal is reported as one", refusals::bad_gateway),
    scenario("garbage is reported", refusals::garbage),
    scenario("an empty answer is reported", refusals::empty),
    scenario("a request that breaks a rule is not sent", refusals::bad_request),
    scenario("no server listens", connections::no_server),
    scenario("a closed connection is tried again", connections::closed),
    scenario(
        "a job is not asked for again when its kept connection breaks",
        connections::kept_and_broken,
    ),
    scenario(
        "a kept connection that the server closed costs no call",
        connections::kept_and_closed,
    ),
    scenario(
        "a download that is given up leaves nothing, and the next call works",
        connections::cancelled,
    ),
    scenario("a server with an IPv6 address is reached", connections::ipv6),
    over_tls("a certificate of an unknown CA is refused", connections::unknown_ca),
    scenario("no wait goes past the deadline", time::deadline_before_wait),
    waiting("a job is not asked for again when it may have arrived", connections::query_once),
    waiting(
        "a job whose response breaks off is not requested again",
        connections::broken_job_response,
    ),
    waiting("silence from the start is given up", time::silence),
    waiting("silence in the middle is given up", time::stall),
    waiting("the deadline ends a silence", time::deadline_in_silence),
    waiting("the deadline ends a trickle", time::deadline_in_trickle),
];
