//! Files that arrive, and files that are cut off.

use std::fs;
use std::io::{self, Write};
use std::time::Duration;

use ccfs_driver::{Error, Overwrite};
use ccfs_emulator::Fault;
use ccfs_proto::answer::AnswerError;
use ccfs_proto::{ErrorKind, FailureKind};

use crate::archive::archive_bytes;
use crate::backend::Backend;
use crate::server::{Behaviour, Framing};
use crate::stage::{Bench, Played, SHORT, Script, failure, holds, same, waits_are};

pub(super) fn job_and_file(backend: &dyn Backend) -> Played {
    let mut bench = Bench::new(backend)?;
    let bytes = bench.generate()?;
    same("the receipt's length", &(bytes.len() as u64), &bench.download()?.bytes)?;
    bench.folder.holds(Some(&bytes))
}

pub(super) fn writer(backend: &dyn Backend) -> Played {
    let mut bench = Bench::new(backend)?;
    let bytes = bench.generate()?;
    let mut taken = Vec::new();
    let receipt = bench.client.to_writer(bench.operation(), &mut taken)?;
    same("the receipt's length", &(bytes.len() as u64), &receipt.bytes)?;
    holds(
        taken == bytes,
        "the writer has the server's bytes",
        format_args!("{} bytes that differ", taken.len()),
    )
}

/// The file arrives, whatever the fault does to its transfer.
pub(super) fn intact(backend: &dyn Backend, fault: Fault) -> Played {
    let mut bench = Bench::with(backend, |builder| builder.rows(20), |_| {})?;
    let bytes = bench.generate()?;
    bench.add_fault(fault);
    bench.brings(&bytes)?;
    bench.requests_are(1)
}

pub(super) fn trailers(backend: &dyn Backend) -> Played {
    let bytes = archive_bytes(1000);
    let mut body = Vec::new();
    for (number, piece) in bytes.chunks(300).enumerate() {
        // Sizes in capitals and with leading zeros are valid.
        let size = if number == 0 {
            format!("{:X};name=value;other\r\n", piece.len())
        } else {
            format!("000{:x}\r\n", piece.len())
        };
        body.extend([size.as_bytes(), piece, b"\r\n"].concat());
    }
    body.extend_from_slice(b"0\r\nx-checksum: abc\r\nx-other: def\r\n\r\n");
    let answer = Behaviour::raw(
        &["HTTP/1.1 200 OK", "Transfer-Encoding: chunked", "Trailer: x-checksum"],
        &body,
        true,
    );
    Script::new(backend, [answer])?.brings(&bytes)
}

pub(super) fn up_to_the_end(backend: &dyn Backend) -> Played {
    let bytes = archive_bytes(100_000);
    let answer = Behaviour::raw(&["HTTP/1.1 200 OK", "connection: close"], &bytes, false);
    Script::new(backend, [answer])?.brings(&bytes)
}

pub(super) fn bytes_after_the_end(backend: &dyn Backend) -> Played {
    let bytes = archive_bytes(1000);
    let length = format!("content-length: {}", bytes.len());
    let body = [&bytes[..], b"PK and something else"].concat();
    let answer = Behaviour::raw(&["HTTP/1.1 200 OK", &length], &body, false);
    Script::new(backend, [answer])?.brings(&bytes)
}

/// The server holds the rest back until the client gives up; before that, the writer must have something.
pub(super) fn streams(backend: &dyn Backend) -> Played {
    const LEN: usize = 24 * 1024 * 1024;
    const PIECE: usize = 1024 * 1024;
    let bytes = archive_bytes(LEN);
    let held_back = Behaviour::stall(Some(LEN / 4), &bytes);
    let script = Script::with(backend, [held_back, Behaviour::ok(&bytes)], |setup| {
        setup.policy.idle_timeout = SHORT;
        setup.policy.max_retries = 0;
    })?;
    let mut gauge = Gauge::default();
    failure(script.client.to_writer(script.operation(), &mut gauge))?;
    holds(
        gauge.taken > 0,
        "the writer gets bytes while the body comes",
        format_args!(
            "{} MiB had come, and the writer had none: the body is gathered in memory",
            LEN / 4 / 1024 / 1024
        ),
    )?;
    let mut gauge = Gauge::default();
    script.client.to_writer(script.operation(), &mut gauge)?;
    same("bytes that the writer has", &bytes.len(), &gauge.taken)?;
    holds(
        gauge.largest <= PIECE,
        format_args!("pieces of at most {PIECE} bytes"),
        format_args!("a piece of {} bytes", gauge.largest),
    )
}

/// Counts the bytes that it receives.
#[derive(Default)]
struct Gauge {
    taken: usize,
    largest: usize,
}

impl Write for Gauge {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.taken += bytes.len();
        self.largest = self.largest.max(bytes.len());
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

pub(super) fn existing_file(backend: &dyn Backend) -> Played {
    let mut bench = Bench::new(backend)?;
    bench.generate()?;
    fs::write(bench.folder.path(), b"mine")?;
    let result = bench.download();
    let refused = matches!(result, Err(Error::File(_)));
    holds(refused, "an error that says that the file is there", format_args!("{result:?}"))?;
    bench.folder.holds(Some(b"mine"))?;
    bench.requests_are(0)
}

pub(super) fn replaced_file(backend: &dyn Backend) -> Played {
    let mut bench = Bench::new(backend)?;
    let bytes = bench.generate()?;
    fs::write(bench.folder.path(), b"old")?;
    let replace =
        || bench.client.to_file(bench.operation(), &bench.folder.path(), Overwrite::Replace);
    bench.add_fault(Fault::Garbage.times(1));
    failure(replace())?;
    bench.folder.holds(Some(b"old"))?;
    replace()?;
    bench.folder.holds(Some(&bytes))
}

/// The first attempt brings more bytes, and others, than the second.
pub(super) fn rewinds(backend: &dyn Backend) -> Played {
    let (large, small) = (archive_bytes(50_000), archive_bytes(1000));
    let cut = Behaviour::answer(200, &[], &large, Framing::Length, Some(40_000), 1000);
    let script = Script::new(backend, [cut, Behaviour::ok(&small)])?;
    let receipt = script.download()?;
    same("the receipt's length", &(small.len() as u64), &receipt.bytes)?;
    script.folder.holds(Some(&small))
}

pub(super) fn cut_then_right(backend: &dyn Backend) -> Played {
    let mut bench = Bench::new(backend)?;
    let bytes = bench.generate()?;
    bench.add_fault(Fault::CutAfter(1000).times(2));
    bench.brings(&bytes)?;
    bench.requests_are(3)?;
    waits_are(&bench.setup.clock, &[Duration::from_millis(500), Duration::from_secs(1)])
}

/// With this fault, every attempt breaks off.
pub(super) fn broken(backend: &dyn Backend, fault: Fault) -> Played {
    let mut bench = Bench::new(backend)?;
    bench.generate()?;
    bench.add_fault(fault);
    bench.fails("a body that broke off", is_broken_body, 4)
}

fn is_broken_body(kind: &ErrorKind) -> bool {
    match kind {
        ErrorKind::Transport(failure) => failure.kind() == FailureKind::BodyBroken,
        other => matches!(other, ErrorKind::Answer(AnswerError::Truncated { .. })),
    }
}

/// The complete archive arrives, but not the end of its chunks.
pub(super) fn cut_chunks(backend: &dyn Backend) -> Played {
    let bytes = archive_bytes(1000);
    let body = [format!("{:x}\r\n", bytes.len()).as_bytes(), &bytes, b"\r\n"].concat();
    let answer = Behaviour::raw(&["HTTP/1.1 200 OK", "transfer-encoding: chunked"], &body, false);
    let script = Script::new(backend, vec![answer; 4])?;
    script.fails("a body that broke off", is_broken_body, 4)
}

pub(super) fn cut_into_writer(backend: &dyn Backend) -> Played {
    let mut bench = Bench::new(backend)?;
    let bytes = bench.generate()?;
    bench.add_fault(Fault::CutAfter(1000));
    let mut taken = Vec::new();
    let error = failure(bench.client.to_writer(bench.operation(), &mut taken))?;
    let told = matches!(error.kind, ErrorKind::Interrupted { handed_over, .. } if handed_over == taken.len() as u64);
    holds(told, format_args!("an interruption after {} bytes", taken.len()), &error)?;
    holds(
        bytes.starts_with(&taken) && !taken.is_empty(),
        "the file's beginning in the writer",
        format_args!("{} bytes", taken.len()),
    )?;
    // Bytes that were passed to the writer cannot be withdrawn.
    bench.requests_are(1)
}
