//! The canonical request: what is signed, as one text.

use std::cmp::Ordering;
use std::fmt;

use super::encode::{NAME, Sink, TEXT, Writer, code_of};
use super::order::Order;

/// Headers that one signature may cover.
pub(super) const SIGNED_HEADERS_LIMIT: usize = 32;
/// Query parameters that one signature may cover.
const QUERY_LIMIT: usize = 64;

/// A request as the signature sees it: borrowed parts, nothing copied.
///
/// What stands here must be what goes over the wire, byte for byte.
///
/// - `path` is the path as sent, without the query;
/// - `query` holds raw (not encoded) keys and values, in any order, at most 64 of them;
/// - `headers` are the headers that are signed, in any order, at most 32, none twice. `host` must be among them;
/// - `body` is the whole body.
#[derive(Clone, Copy)]
pub struct RequestView<'a> {
    /// The method in capitals.
    pub method: &'a str,
    /// The path as sent, with its leading `/`.
    pub path: &'a str,
    /// Raw query parameters.
    pub query: &'a [(&'a str, &'a str)],
    /// Names and values of the headers to sign. Names may be of any case.
    pub headers: &'a [(&'a str, &'a str)],
    /// The body as sent.
    pub body: &'a [u8],
}

impl fmt::Debug for RequestView<'_> {
    /// Without values of the query and of headers, one of which may be a signature or a token, and without the body.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = |pairs: &[(&str, &str)]| {
            pairs.iter().map(|(name, _)| (*name).to_owned()).collect::<Vec<_>>()
        };
        let mut shown = f.debug_struct("RequestView");
        shown
            .field("method", &self.method)
            .field("path", &self.path)
            .field("query_keys", &names(self.query));
        shown
            .field("header_names", &names(self.headers))
            .field("body_bytes", &self.body.len())
            .finish()
    }
}

/// What stands in the canonical request when there is no query.
///
/// No public source settles which one live servers expect. See `docs/protocol.md`, "Query line dialects".
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum QueryLine {
    /// No line at all: what the vendor's demo client does.
    #[default]
    Omit,
    /// An empty line: what several ports of the current reference page do.
    Empty,
}

impl QueryLine {
    /// Both dialects, the default first.
    pub const ALL: [Self; 2] = [Self::Omit, Self::Empty];

    /// `omit` or `empty`, as settings write it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Omit => "omit",
            Self::Empty => "empty",
        }
    }
}

impl fmt::Display for QueryLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Why a request cannot be signed or verified.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ViewError {
    /// `host` is not among the headers.
    #[error("the header `host` must be signed: add it with the exact text that is sent")]
    HostNotSigned,
    /// The method or the path holds a line break, which would let two requests have one signature.
    #[error(
        "the method or the path holds a line break: pass them as they stand in the request line"
    )]
    LineBreak,
    /// A name is no header name.
    #[error(
        "signed header number {index} (from 0) has a name that HTTP does not allow: letters, digits and !#$%&'*+-.^_`|~ can stand in one"
    )]
    HeaderName {
        /// Its place, from 0.
        index: usize,
    },
    /// A name stands twice.
    #[error(
        "the header `{name}` stands twice among the signed headers, and the scheme has no rule for that: sign it once, and send it once"
    )]
    DuplicateHeader {
        /// The name in lower case.
        name: String,
    },
    /// More headers than the bound.
    #[error(
        "{count} headers are to be signed, and at most {limit} can be: sign `host`, `content-type` and `content-length`, and send the others unsigned"
    )]
    TooManyHeaders {
        /// The bound.
        limit: usize,
        /// The headers given.
        count: usize,
    },
    /// More query parameters than the bound.
    #[error(
        "the query has {count} parameters, and at most {limit} can be signed: move some into the body"
    )]
    TooManyParameters {
        /// The bound.
        limit: usize,
        /// The parameters given.
        count: usize,
    },
}

/// The headers that every operation with a body signs, in order. They are known by sight, for checking and sorting them anew each time shows
/// in the time that a signature takes. See `docs/protocol.md`, "Signed headers".
const USUAL: [&str; 3] = ["content-length", "content-type", "host"];
const USUAL_LIST: &[u8; 32] = b"content-length;content-type;host";

/// A checked request with its headers in order. No allocation.
pub(super) struct Canonical<'a> {
    view: RequestView<'a>,
    headers: Headers,
}

/// How the headers stand.
enum Headers {
    /// They are the [`USUAL`] ones, in order.
    Usual,
    /// As they are signed: in this order, by names that need no encoding.
    InOrder,
    /// Otherwise; their indices in the order of the list.
    Sorted(Order<SIGNED_HEADERS_LIMIT>),
}

impl<'a> Canonical<'a> {
    #[inline(always)]
    #[allow(clippy::inline_always)] // Measured.
    pub(super) fn new(view: RequestView<'a>) -> Result<Self, ViewError> {
        // Most are `POST`, which needs no looking.
        if (view.method != "POST" && has_line_break(view.method)) || has_line_break(view.path) {
            return Err(ViewError::LineBreak);
        }
        let usual = view.headers.len() == USUAL.len()
            && view.headers.iter().zip(USUAL).all(|((name, _), usual)| *name == usual);
        let headers = if usual { Headers::Usual } else { Headers::sort(view.headers)? };
        if view.query.len() > QUERY_LIMIT {
            return Err(ViewError::TooManyParameters {
                limit: QUERY_LIMIT,
                count: view.query.len(),
            });
        }
        Ok(Self { view, headers })
    }

    /// Bytes that [`Self::write_signed_headers`] writes.
    pub(super) fn signed_headers_len(&self) -> usize {
        if let Headers::Usual = self.headers {
            return USUAL_LIST.len();
        }
        let names: usize = self.view.headers.iter().map(|(name, _)| name.len()).sum();
        names + self.view.headers.len() - 1
    }

    /// The names, lower-case, sorted by byte, joined by `;`.
    #[inline]
    pub(super) fn write_signed_headers(&self, out: &mut Vec<u8>) {
        if let Headers::Usual = self.headers {
            out.extend_from_slice(USUAL_LIST);
        } else {
            self.write_other_list(out);
        }
    }

    #[inline(never)]
    fn write_other_list(&self, out: &mut Vec<u8>) {
        let (start, in_order) = (out.len(), Order::of(self.view.headers.len()));
        let order = if let Headers::Sorted(by_name) = &self.headers { by_name } else { &in_order };
        for (nth, &index) in order.as_slice().iter().enumerate() {
            if nth > 0 {
                out.push(b';');
            }
            out.extend_from_slice(self.view.headers[usize::from(index)].0.as_bytes());
        }
        out[start..].make_ascii_lowercase();
    }

    /// The canonical request. `signed_headers` is the list as the header has it.
    #[inline(always)]
    #[allow(clippy::inline_always)] // Measured.
    pub(super) fn write<S: Sink>(
        &self,
        signed_headers: &[u8],
        dialect: QueryLine,
        out: &mut Writer<'_, S>,
    ) {
        let (headers, query) = (self.view.headers, self.view.query);
        out.put(self.view.method.as_bytes());
        out.put_byte(b'\n');
        out.put(self.view.path.as_bytes());
        out.put_byte(b'\n');
        let parameters =
            Order::<QUERY_LIMIT>::of(query.len()).sorted(|a, b| pair(query[a]).cmp(pair(query[b])));
        for (nth, &index) in parameters.as_slice().iter().enumerate() {
            if nth > 0 {
                out.put_byte(b'&');
            }
            let (key, value) = query[usize::from(index)];
            out.put_codes(&TEXT, key.as_bytes());
            out.put_byte(b'=');
            out.put_codes(&TEXT, value.as_bytes());
        }
        if !query.is_empty() || dialect == QueryLine::Empty {
            out.put_byte(b'\n');
        }
        match (&self.headers, headers) {
            (Headers::Usual, [(_, length), (_, kind), (_, host)]) => {
                out.put(signed_headers);
                out.put(b"\ncontent-length:");
                out.put_codes(&TEXT, trim(length));
                out.put(b"\ncontent-type:");
                out.put_codes(&TEXT, trim(kind));
                out.put(b"\nhost:");
                out.put_codes(&TEXT, trim(host));
                out.put_byte(b'\n');
            }
            _ => self.write_headers(signed_headers, out),
        }
        out.put_codes(&TEXT, self.view.body);
    }

    /// The list and a line for each header.
    #[inline(never)]
    fn write_headers<S: Sink>(&self, signed_headers: &[u8], out: &mut Writer<'_, S>) {
        let headers = self.view.headers;
        out.put(signed_headers);
        out.put_byte(b'\n');
        if let Headers::Sorted(by_name) = self.headers {
            // Not the same order: `x-a:` sorts after `x-a-b:`.
            for &index in by_name.sorted(|a, b| by_line(headers[a].0, headers[b].0)).as_slice() {
                let (name, value) = headers[usize::from(index)];
                out.put_codes(&NAME, name.as_bytes());
                write_value(value, out);
            }
        } else {
            for (name, value) in headers {
                out.put(name.as_bytes());
                write_value(value, out);
            }
        }
    }
}

impl Headers {
    /// Checks the names, and finds their order.
    #[inline(never)]
    fn sort(headers: &[(&str, &str)]) -> Result<Self, ViewError> {
        if headers.len() > SIGNED_HEADERS_LIMIT {
            return Err(ViewError::TooManyHeaders {
                limit: SIGNED_HEADERS_LIMIT,
                count: headers.len(),
            });
        }
        let classes = headers.iter().fold(TOKEN | PLAIN, |all, (name, _)| all & classes(name));
        if classes & TOKEN == 0 {
            let index =
                headers.iter().position(|(name, _)| !is_header_name(name)).unwrap_or_default();
            return Err(ViewError::HeaderName { index });
        }
        if !headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("host")) {
            return Err(ViewError::HostNotSigned);
        }
        if classes & PLAIN != 0 && ascend(headers) {
            return Ok(Self::InOrder);
        }
        let mut duplicate = None;
        let by_name = Order::of(headers.len()).sorted(|a, b| {
            let order = by_name(headers[a].0, headers[b].0);
            if order.is_eq() {
                duplicate = Some(a);
            }
            order
        });
        match duplicate {
            Some(index) => {
                Err(ViewError::DuplicateHeader { name: headers[index].0.to_ascii_lowercase() })
            }
            None => Ok(Self::Sorted(by_name)),
        }
    }
}

fn write_value<S: Sink>(value: &str, out: &mut Writer<'_, S>) {
    out.put_byte(b':');
    out.put_codes(&TEXT, trim(value));
    out.put_byte(b'\n');
}

/// The letters, digits and marks of an HTTP token.
pub(super) fn is_header_name(name: &str) -> bool {
    classes(name) & TOKEN != 0
}

/// Whether plain names are signed in this order, both in the list and in the lines: each comes after the one before it and does not begin
/// with it. So clients mostly have them, and it saves the sorting.
fn ascend(headers: &[(&str, &str)]) -> bool {
    headers.windows(2).all(|pair| pair[0].0 < pair[1].0 && !pair[1].0.starts_with(pair[0].0))
}

/// A byte that may stand in a header's name.
const TOKEN: u8 = 1;
/// One of them that is signed as it stands.
const PLAIN: u8 = 2;

/// What all bytes of a name are. Without any it is none.
fn classes(name: &str) -> u8 {
    const CLASSES: [u8; 256] = {
        let mut table = [0; 256];
        let mut at = 0;
        while at < 256 {
            #[allow(clippy::cast_possible_truncation)] // `at` is below 256.
            let byte = at as u8;
            table[at] = match byte {
                b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => TOKEN | PLAIN,
                b'A'..=b'Z'
                | b'!'
                | b'#'
                | b'$'
                | b'%'
                | b'&'
                | b'\''
                | b'*'
                | b'+'
                | b'^'
                | b'`'
                | b'|' => TOKEN,
                _ => 0,
            };
            at += 1;
        }
        table
    };
    let all = if name.is_empty() { 0 } else { TOKEN | PLAIN };
    name.bytes().fold(all, |all, byte| all & CLASSES[usize::from(byte)])
}

/// Looks at sixteen bytes at a time, the last of them twice where they do not come out even.
fn has_line_break(text: &str) -> bool {
    let any = |bytes: &[u8; 16]| {
        bytes.iter().fold(0, |found, byte| found | u8::from(*byte == b'\n')) != 0
    };
    let bytes = text.as_bytes();
    match bytes.last_chunk() {
        Some(last) => bytes.as_chunks().0.iter().any(any) | any(last),
        None => bytes.contains(&b'\n'),
    }
}

/// What Java's `String.trim` takes off: everything up to the blank.
fn trim(value: &str) -> &[u8] {
    let mut bytes = value.as_bytes();
    while let [..=b' ', rest @ ..] | [rest @ .., ..=b' '] = bytes {
        bytes = rest;
    }
    bytes
}

/// Compares two names in lower case.
fn by_name(a: &str, b: &str) -> Ordering {
    let same = same(a, b);
    let at = |name: &str| name.as_bytes().get(same).map(u8::to_ascii_lowercase);
    at(a).cmp(&at(b))
}

/// How many bytes two names have in common, in lower case.
fn same(a: &str, b: &str) -> usize {
    let differ = |(a, b): (u8, u8)| a != b && !a.eq_ignore_ascii_case(&b);
    a.bytes().zip(b.bytes()).position(differ).unwrap_or(a.len().min(b.len()))
}

/// Compares two headers by their canonical lines. Names differ, and `:` is in no encoded name, so the values never come to count.
fn by_line(a: &str, b: &str) -> Ordering {
    let same = same(a, b);
    let code =
        |name: &str| name.as_bytes().get(same).map_or(COLON, |byte| NAME[usize::from(*byte)]);
    code(a).cmp(&code(b))
}

/// What stands behind a name.
const COLON: [u8; 4] = [b':', 0, 0, 1];

/// A parameter's canonical text, byte by byte, for comparing.
fn pair<'a>((key, value): (&'a str, &'a str)) -> impl Iterator<Item = u8> + 'a {
    encoded(key.bytes()).chain([b'=']).chain(encoded(value.bytes()))
}

fn encoded(bytes: impl Iterator<Item = u8>) -> impl Iterator<Item = u8> {
    bytes.flat_map(code_of)
}

/// `text` percent-encoded as the canonical request does it, which is also how it may stand in a query.
pub(crate) fn percent_encode(text: &str) -> String {
    encoded(text.bytes()).map(char::from).collect()
}
