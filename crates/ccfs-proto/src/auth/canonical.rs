//! The canonical request. See [Algorithm](crate::protocol#algorithm).

use std::cmp::Ordering;

use super::percent::{Writer, sort_keys};
use super::request::{HEADERS_LIMIT, PARAMETERS_LIMIT, QueryLine, RequestView};

/// Appends the header names to `out`: lower-case, sorted by byte, joined by `;`.
pub(super) fn write_signed_headers(headers: &[(&str, &str)], out: &mut Vec<u8>) {
    let start = out.len();
    let mut indices = [0; HEADERS_LIMIT];
    let by_name = sort(headers, &mut indices, |a, b| lower(a.0).cmp(lower(b.0)));
    for (position, (name, _)) in by_name.enumerate() {
        if position > 0 {
            out.push(b';');
        }
        out.extend_from_slice(name.as_bytes());
    }
    out[start..].make_ascii_lowercase();
}

/// Writes the canonical request. `signed_headers` is the list in the header.
pub(super) fn write_canonical(
    request: RequestView<'_>,
    signed_headers: &[u8],
    query_line: QueryLine,
    writer: &mut Writer<impl FnMut(&[u8])>,
) {
    let RequestView { method, path, query, headers, body } = request;
    let unchanged = |byte| byte;
    for line in [method, path] {
        writer.put(line.as_bytes());
        writer.put(b"\n");
    }

    let mut indices = [0; PARAMETERS_LIMIT];
    let parameters = sort(query, &mut indices, |a, b| parameter_keys(*a).cmp(parameter_keys(*b)));
    for (position, (key, value)) in parameters.enumerate() {
        if position > 0 {
            writer.put(b"&");
        }
        writer.encode(key.as_bytes(), unchanged);
        writer.put(b"=");
        writer.encode(value.as_bytes(), unchanged);
    }
    if !query.is_empty() || query_line == QueryLine::Empty {
        writer.put(b"\n");
    }

    writer.put(signed_headers);
    writer.put(b"\n");
    // This is not the order of the names: `x-a:` sorts after `x-a-b:`.
    let mut indices = [0; HEADERS_LIMIT];
    let by_line = sort(headers, &mut indices, |a, b| line_keys(a.0).cmp(line_keys(b.0)));
    for (name, value) in by_line {
        writer.encode(name.as_bytes(), |byte| byte.to_ascii_lowercase());
        writer.put(b":");
        writer.encode(trim(value), unchanged);
        writer.put(b"\n");
    }

    writer.encode(body, unchanged);
}

/// Returns `items` in the order of `compare`. `indices` is scratch space, so that sorting does not
/// allocate.
fn sort<'a, T>(
    items: &'a [T],
    indices: &'a mut [u8],
    compare: impl Fn(&T, &T) -> Ordering,
) -> impl Iterator<Item = &'a T> {
    let indices = &mut indices[..items.len()];
    for (position, index) in (0..).zip(indices.iter_mut()) {
        *index = position;
    }
    indices.sort_unstable_by(|a, b| compare(&items[usize::from(*a)], &items[usize::from(*b)]));
    indices.iter().map(|index| &items[usize::from(*index)])
}

fn lower(name: &str) -> impl Iterator<Item = u8> {
    name.bytes().map(|byte| byte.to_ascii_lowercase())
}

/// Returns the sort keys of `enc(lower(name)) ":"`. Names differ, so values do not matter.
fn line_keys(name: &str) -> impl Iterator<Item = u32> {
    sort_keys(lower(name)).chain([separator(b':')])
}

/// Returns the sort keys of `enc(key) "=" enc(value)`.
fn parameter_keys((key, value): (&str, &str)) -> impl Iterator<Item = u32> {
    sort_keys(key.bytes()).chain([separator(b'=')]).chain(sort_keys(value.bytes()))
}

/// Returns the sort key of a byte that is not encoded.
const fn separator(byte: u8) -> u32 {
    u32::from_be_bytes([byte, 0, 0, 1])
}

/// Removes what Java's `String.trim` removes: control characters and spaces at both ends.
fn trim(value: &str) -> &[u8] {
    let mut bytes = value.as_bytes();
    while let [(..=b' '), rest @ ..] | [rest @ .., (..=b' ')] = bytes {
        bytes = rest;
    }
    bytes
}
