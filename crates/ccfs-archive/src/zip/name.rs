//! Checks of member names: safe to print and to use as file names on any system.

use std::sync::Arc;

use super::fault::{ZipError, ZipFault};

const LONGEST: usize = 255;
const DEVICES: [&str; 6] = ["con", "prn", "aux", "nul", "conin$", "conout$"];

/// Returns the name if it is safe: callers may use it as a file name.
pub(crate) fn check(bytes: &[u8]) -> Result<Arc<str>, ZipError> {
    match fault_of(bytes) {
        None => Ok(String::from_utf8_lossy(bytes).into()),
        Some(what) => {
            let shown = String::from_utf8_lossy(&bytes[..bytes.len().min(LONGEST)]);
            Err(ZipError {
                member: Some(shown.escape_debug().to_string().into()),
                fault: ZipFault::Name { what },
            })
        }
    }
}

fn fault_of(bytes: &[u8]) -> Option<&'static str> {
    if bytes.is_empty() {
        return Some("is empty");
    }
    if bytes.len() > LONGEST {
        return Some("is longer than 255 bytes");
    }
    let Ok(name) = std::str::from_utf8(bytes) else { return Some("is not UTF-8") };
    // A folder's name ends in a slash; no other component may be empty.
    let mut parts = name.strip_suffix('/').unwrap_or(name).split('/');
    let faults = [
        (name.contains('\0'), "contains a NUL character"),
        (name.chars().any(char::is_control), "contains a control character"),
        (name.contains('\\'), "contains a backslash"),
        (name.contains(':'), "contains a colon, as a drive does"),
        (name.starts_with('/'), "is an absolute path"),
        (parts.clone().any(|part| matches!(part, "" | "." | "..")), "leads out of its folder"),
        (parts.any(is_device), "is reserved for a device on Windows"),
    ];
    faults.into_iter().find_map(|(found, what)| found.then_some(what))
}

/// Whether a member is a folder or junk.
pub(crate) fn has_no_data(path: &str) -> bool {
    path.ends_with('/') || is_junk(path)
}

/// Whether operating systems or Office create such paths beside real files.
pub(crate) fn is_junk(path: &str) -> bool {
    let (folder, file) = path.rsplit_once('/').unwrap_or(("", path));
    folder.split('/').any(|part| part == "__MACOSX")
        || file.starts_with('.')
        || file.starts_with("~$")
        || file.eq_ignore_ascii_case("Thumbs.db")
        || file.eq_ignore_ascii_case("desktop.ini")
}

/// Windows compares the part before the first dot, ignoring case and trailing spaces.
fn is_device(part: &str) -> bool {
    let stem =
        part.split('.').next().unwrap_or_default().trim_end_matches(' ').to_ascii_lowercase();
    let numbered = |prefix| {
        let digit = stem.strip_prefix(prefix).unwrap_or_default();
        matches!(digit, "0" | "1" | "2" | "3" | "4" | "5" | "6" | "7" | "8" | "9" | "¹" | "²" | "³")
    };
    DEVICES.contains(&stem.as_str()) || numbered("com") || numbered("lpt")
}
