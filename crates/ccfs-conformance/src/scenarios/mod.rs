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

type Play = fn(&dyn Backend) -> Played;

/// Behaviours of a server by their names, and how a client must handle each.
pub(crate) const SCENARIOS: &[(&str, Play)] = &[
    ("a job is started and its file comes to disk", files::job_and_file),
    ("a file goes into a writer", files::writer),
    ("a file comes one byte at a time", |it| files::intact(it, Fault::ByteByByte)),
    ("a file comes slowly", |it| files::intact(it, Fault::Slow(Duration::from_millis(1)))),
    ("a file comes in chunks, without a length", |it| files::intact(it, Fault::Chunked)),
    ("a file comes in chunks with extensions and trailers", files::trailers),
    ("a file comes without a length, up to the end of the connection", files::up_to_the_end),
    ("a file comes under another content type", |it| files::intact(it, Fault::WrongType)),
    ("bytes after the declared length are not the file's", files::bytes_after_the_end),
    ("a large file goes to the writer while it comes", files::streams),
    ("a file that is there is left alone, and nothing is sent", files::existing_file),
    ("a file that is there is replaced on demand, at once", files::replaced_file),
    ("a second attempt begins the file again", files::rewinds),
    ("a cut body is tried again, and the file is right", files::cut_then_right),
    ("a body that is always cut leaves no file", |it| files::broken(it, Fault::CutAfter(1000))),
    ("chunks without their end leave no file", files::cut_chunks),
    ("a length that is too large leaves no file", |it| files::broken(it, Fault::WrongLength)),
    ("half an archive leaves no file", |it| files::broken(it, Fault::TruncatedZip)),
    ("a cut body into a writer says what it has", files::cut_into_writer),
    ("what is sent is what was signed", wire::as_signed),
    ("a path prefix is signed and sent", wire::path_prefix),
    ("no header is added", wire::no_added_headers),
    ("nothing is unpacked", wire::nothing_is_unpacked),
    ("both query line dialects are accepted as set", wire::dialects),
    ("every attempt is signed again", wire::signed_again),
    ("a redirect is not followed", wire::redirect),
    ("an interim answer is passed over", wire::interim),
    ("what is not HTTP is reported, and not retried", wire::babble),
    (
        "every documented result code is reported, only flow control is retried",
        refusals::result_codes,
    ),
    ("a JSON error under an octet-stream type is an error", refusals::missing_file),
    ("a wrong key is a 401 and is sent once", refusals::wrong_key),
    ("a 401 is sent once, whatever follows", refusals::unauthorized),
    ("a locked address is a 403 and is sent once", refusals::locked),
    ("a wrong clock is corrected once, and the next call knows", refusals::wrong_clock),
    ("a wrong key with a wrong clock ends after one correction", refusals::wrong_key_and_clock),
    ("503 is waited out as Retry-After says", refusals::busy),
    ("429 is waited out as Retry-After says", refusals::too_many),
    ("flow control is waited out", refusals::flow_control),
    ("a gateway's page is reported as one", |it| refusals::garbage(it, Fault::Html(200))),
    ("a gateway's refusal is reported as one", refusals::bad_gateway),
    ("garbage is reported", |it| refusals::garbage(it, Fault::Garbage)),
    ("an empty answer is reported", refusals::empty),
    ("a request that breaks a rule is not sent", refusals::bad_request),
    ("no server listens", connections::no_server),
    ("a closed connection is tried again", connections::closed),
    ("a job is not asked for again when its kept connection breaks", connections::kept_and_broken),
    ("a kept connection that the server closed costs no call", connections::kept_and_closed),
    ("a download that is given up leaves nothing, and the next call works", connections::cancelled),
    ("a server with an IPv6 address is reached", connections::ipv6),
    ("a certificate of an unknown CA is refused", connections::unknown_ca),
    ("no wait goes past the deadline", time::deadline_before_wait),
    ("a job is not asked for again when it may have arrived", connections::query_once),
    ("a job whose response breaks off is not requested again", connections::broken_job_response),
    ("silence from the start is given up", |it| time::silence(it, None)),
    ("silence in the middle is given up", |it| time::silence(it, Some(5000))),
    ("the deadline ends a silence", |it| time::deadline_in_silence(it, None)),
    ("the deadline ends a silence in the middle", |it| time::deadline_in_silence(it, Some(5000))),
    ("the deadline ends a trickle", time::deadline_in_trickle),
];
