//! Files that arrive, and files that are cut off.

use std::fs;
use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use ccfs_driver::{Error, Overwrite};
use ccfs_emulator::Fault;
use ccfs_proto::answer::AnswerError;
use ccfs_proto::{ErrorKind, FailureKind};

use crate::archive::archive_bytes;
use crate::backend::Backend;
use crate::server::{Behaviour, Framing, Own};
use crate::stage::{Bench, Played, Script, failure, holds, same, waits_are};

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

/// The server holds the rest back until the writer has something.
pub(super) fn streams(backend: &dyn Backend) -> Played {
    const LEN: usize = 24 * 1024 * 1024;
    const PIECE: usize = 1024 * 1024;
    let server_timeout = backend.server_timeout();
    let (bytes, reached) = (Arc::new(archive_bytes(LEN)), Arc::new(AtomicBool::new(false)));
    let gathered = Arc::new(AtomicBool::new(false));
    let (body, seen, in_vain) = (Arc::clone(&bytes), Arc::clone(&reached), Arc::clone(&gathered));
    let held_back = Own::new(move |stream| {
        write!(
            stream,
            "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: {}\r\n\r\n",
            body.len()
        )?;
        let (first, rest) = body.split_at(LEN / 4);
        stream.write_all(first)?;
        let begin = Instant::now();
        while !seen.load(Ordering::SeqCst) {
            if begin.elapsed() > server_timeout {
                // Reported before the connection ends, because the writer may receive the buffered bytes at its end.
                in_vain.store(true, Ordering::SeqCst);
                return Ok(());
            }
            thread::sleep(Duration::from_millis(1));
        }
        stream.write_all(rest)
    });
    let script = Script::new(backend, [Behaviour::Own(held_back)])?;
    let mut gauge = Gauge { reached: &reached, taken: 0, largest: 0 };
    let result = script.client.to_writer(script.operation(), &mut gauge);
    let (taken, largest) = (gauge.taken, gauge.largest);
    holds(
        !gathered.load(Ordering::SeqCst),
        "the writer gets bytes while the body comes",
        format_args!(
            "{} MiB had come, and the writer had none: the body is gathered in memory",
            LEN / 4 / 1024 / 1024
        ),
    )?;
    result?;
    same("bytes that the writer has", &bytes.len(), &taken)?;
    holds(
        largest <= PIECE,
        format_args!("pieces of at most {PIECE} bytes"),
        format_args!("a piece of {largest} bytes"),
    )
}

/// Counts the bytes that it receives.
struct Gauge<'a> {
    reached: &'a AtomicBool,
    taken: usize,
    largest: usize,
}

impl Write for Gauge<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.reached.store(true, Ordering::SeqCst);
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
    let cut = Behaviour::Answer {
        status: 200,
        headers: Vec::new(),
        body: large,
        framing: Framing::Length,
        cut_after: Some(40_000),
        piece: 1000,
    };
    let script = Script::new(backend, [cut, Behaviour::ok(small.clone())])?;
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
