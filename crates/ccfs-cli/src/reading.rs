//! Files of settings, keys and bodies: read completely, within a limit, and without a copy of a key in freed memory.

use std::fs;
use std::io::{self, Read};
use std::mem;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use zeroize::Zeroizing;

use crate::failure::Failure;

/// Bytes of a key file, a CA file or a configuration file that are read.
const FILE_LIMIT: u64 = 4 * 1024 * 1024;

static STDIN_IS_READ: AtomicBool = AtomicBool::new(false);

/// Reads a file that may hold a key, or stdin for `-`, up to a bound.
pub(crate) fn read_secret(path: &Path, what: &str) -> Result<Zeroizing<Vec<u8>>, Failure> {
    read_wiping(path, what, FILE_LIMIT)
}

/// The same without a key, and with a bound of the caller's, in bytes.
pub(crate) fn read_within(path: &Path, what: &str, limit: u64) -> Result<Vec<u8>, Failure> {
    Ok(mem::take(&mut *read_wiping(path, what, limit)?))
}

fn read_wiping(path: &Path, what: &str, limit: u64) -> Result<Zeroizing<Vec<u8>>, Failure> {
    let cannot = |error: io::Error| {
        Failure::usage(format_args!("the {what} {} cannot be read: {error}", path.display()))
    };
    let bytes = if path == Path::new("-") {
        if STDIN_IS_READ.swap(true, Ordering::Relaxed) {
            return Err(Failure::usage(format_args!(
                "the {what} cannot come from stdin, because another file does: only one can be -"
            )));
        }
        all_of(io::stdin().lock().take(limit + 1))
    } else {
        all_of(fs::File::open(path).map_err(cannot)?.take(limit + 1))
    };
    let bytes = bytes.map_err(cannot)?;
    if bytes.len() as u64 > limit {
        return Err(Failure::usage(format_args!(
            "the {what} {} is larger than the limit of {limit} bytes",
            path.display()
        )));
    }
    Ok(bytes)
}

/// Reads to the end. Unlike `read_to_end`, it zeroes the old buffer when the buffer grows.
fn all_of(mut from: impl Read) -> io::Result<Zeroizing<Vec<u8>>> {
    let (mut bytes, mut len) = (Zeroizing::new(vec![0; 8 * 1024]), 0);
    loop {
        if len == bytes.len() {
            let mut larger = Zeroizing::new(vec![0; 2 * len]);
            larger[..len].copy_from_slice(&bytes);
            bytes = larger;
        }
        match from.read(&mut bytes[len..]) {
            Ok(0) => break,
            Ok(more) => len += more,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    bytes.truncate(len);
    Ok(bytes)
}

/// Returns a warning if other users can read a file with a secret.
#[cfg(unix)]
pub(crate) fn open_to_others(path: &Path) -> Option<String> {
    use std::os::unix::fs::PermissionsExt;

    let metadata = std::fs::metadata(path).ok().filter(std::fs::Metadata::is_file)?;
    let mode = metadata.permissions().mode() & 0o777;
    let path = path.display();
    (mode & 0o077 != 0).then(|| {
        format!(
            "{path} is accessible to its group or to others (mode {mode:03o}); run chmod 600 {path}"
        )
    })
}

#[cfg(not(unix))]
pub(crate) fn open_to_others(_: &Path) -> Option<String> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Gives as much at once as its number says; 0 is an interruption.
    struct Pieces<'a>(&'a [u8], Vec<usize>);

    impl Read for Pieces<'_> {
        fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
            let piece = match self.1.pop() {
                Some(0) => return Err(io::ErrorKind::Interrupted.into()),
                piece => piece.unwrap_or(usize::MAX).min(self.0.len()).min(into.len()),
            };
            into[..piece].copy_from_slice(&self.0[..piece]);
            self.0 = &self.0[piece..];
            Ok(piece)
        }
    }

    #[test]
    fn all_bytes_are_read_in_any_pieces() {
        for len in [0, 1, 8 * 1024 - 1, 8 * 1024, 8 * 1024 + 1, 16 * 1024, 100_000] {
            let bytes: Vec<u8> =
                (0..len).map(|at| u8::try_from(at % 251).unwrap_or_default()).collect();
            for pieces in [vec![], vec![0, 1, 0, 7000, 1, 8192, 0, 3]] {
                assert!(all_of(Pieces(&bytes, pieces)).is_ok_and(|read| *read == bytes), "{len}");
            }
        }
    }
}
