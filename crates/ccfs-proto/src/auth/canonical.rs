//! The canonical request: what is signed, as one text.

use std::cmp::Ordering;
use std::fmt;

/// Headers that one signature may cover.
pub(super) const SIGNED_HEADERS_LIMIT: usize = 32;
/// Query parameters that one signature may cover.
const QUERY_LIMIT: usize = 64;
/// Bytes of the canonical request that are hashed at once.
const BUFFER: usize = 1024;
/// Codes are stored four bytes at a time, of which up to three count.
const SLACK: usize = 4;

/// A request as the signature sees it: borrowed parts, nothing copied.
///
/// What stands here must be what goes over the wire, byte for byte.
///
/// - `path` is the path as sent, without the query;
/// - `query` holds raw (not encoded) keys and values, in any order;
/// - `headers` are the headers that are signed, in any order. `host` must be among them;
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
        let names = |pairs: &[(&str, &str)]| pairs.iter().map(|(name, _)| (*name).to_owned()).collect::<Vec<_>>();
        let mut shown = f.debug_struct("RequestView");
        shown.field("method", &self.method).field("path", &self.path).field("query_keys", &names(self.query));
        shown.field("header_names", &names(self.headers)).field("body_bytes", &self.body.len()).finish()
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

/// Why a request cannot be signed or verified.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ViewError {
    /// `host` is not among the headers.
    #[error("the header `host` must be signed: add it with the exact text that is sent")]
    HostNotSigned,
    /// The method or the path holds a line break, which would let two requests have one signature.
    #[error("the method or the path holds a line break: pass them as they stand in the request line")]
    LineBreak,
    /// A name is no header name.
    #[error("signed header number {index} (from 0) has a name that HTTP does not allow")]
    HeaderName {
        /// Its place, from 0.
        index: usize,
    },
    /// A name stands twice.
    #[error("the header `{name}` stands twice among the signed headers, and the scheme has no rule for that")]
    DuplicateHeader {
        /// The name in lower case.
        name: String,
    },
    /// More headers than the bound.
    #[error("{count} headers are to be signed, and at most {limit} can be")]
    TooManyHeaders {
        /// The bound.
        limit: usize,
        /// The headers given.
        count: usize,
    },
    /// More query parameters than the bound.
    #[error("the query has {count} parameters, and at most {limit} can be signed")]
    TooManyParameters {
        /// The bound.
        limit: usize,
        /// The parameters given.
        count: usize,
    },
}

/// A checked request with its headers and parameters in canonical order. No allocation.
pub(super) struct Canonical<'a> {
    view: RequestView<'a>,
    /// Indices of the headers, ordered by name.
    by_name: Order<SIGNED_HEADERS_LIMIT>,
    /// Indices of the headers, ordered by encoded line. Not the same: `x-a:` sorts after `x-a-b:`.
    by_line: Order<SIGNED_HEADERS_LIMIT>,
    /// Indices of the parameters, ordered by encoded pair.
    parameters: Order<QUERY_LIMIT>,
}

impl<'a> Canonical<'a> {
    pub(super) fn new(view: RequestView<'a>) -> Result<Self, ViewError> {
        let (headers, query) = (view.headers, view.query);
        if view.method.contains('\n') || view.path.contains('\n') {
            return Err(ViewError::LineBreak);
        }
        if headers.len() > SIGNED_HEADERS_LIMIT {
            return Err(ViewError::TooManyHeaders { limit: SIGNED_HEADERS_LIMIT, count: headers.len() });
        }
        if query.len() > QUERY_LIMIT {
            return Err(ViewError::TooManyParameters { limit: QUERY_LIMIT, count: query.len() });
        }
        if let Some(index) = headers.iter().position(|(name, _)| !is_header_name(name)) {
            return Err(ViewError::HeaderName { index });
        }
        let by_name = Order::sorted(headers.len(), |a, b| lower(headers[a].0).cmp(lower(headers[b].0)));
        for pair in by_name.as_slice().windows(2) {
            let (a, b) = (headers[usize::from(pair[0])].0, headers[usize::from(pair[1])].0);
            if a.eq_ignore_ascii_case(b) {
                return Err(ViewError::DuplicateHeader { name: a.to_ascii_lowercase() });
            }
        }
        if !headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("host")) {
            return Err(ViewError::HostNotSigned);
        }
        Ok(Self {
            view,
            by_name,
            by_line: Order::sorted(headers.len(), |a, b| by_line(headers[a].0, headers[b].0)),
            parameters: Order::sorted(query.len(), |a, b| pair(query[a]).cmp(pair(query[b]))),
        })
    }

    /// Bytes that [`Self::write_signed_headers`] writes.
    pub(super) fn signed_headers_len(&self) -> usize {
        let names: usize = self.view.headers.iter().map(|(name, _)| name.len()).sum();
        names + self.view.headers.len() - 1
    }

    /// The names, lower-case, sorted by byte, joined by `;`.
    pub(super) fn write_signed_headers(&self, out: &mut Vec<u8>) {
        for (nth, &index) in self.by_name.as_slice().iter().enumerate() {
            if nth > 0 {
                out.push(b';');
            }
            out.extend(lower(self.view.headers[usize::from(index)].0));
        }
    }

    /// The canonical request, in pieces. `signed_headers` is the list as the header has it.
    pub(super) fn write(&self, signed_headers: &str, dialect: QueryLine, sink: impl FnMut(&[u8])) {
        let mut out = Writer::new(sink);
        out.put(self.view.method.as_bytes());
        out.put(b"\n");
        out.put(self.view.path.as_bytes());
        out.put(b"\n");
        for (nth, &index) in self.parameters.as_slice().iter().enumerate() {
            if nth > 0 {
                out.put(b"&");
            }
            let (key, value) = self.view.query[usize::from(index)];
            out.put_encoded(key.as_bytes());
            out.put(b"=");
            out.put_encoded(value.as_bytes());
        }
        if !self.view.query.is_empty() || dialect == QueryLine::Empty {
            out.put(b"\n");
        }
        out.put(signed_headers.as_bytes());
        out.put(b"\n");
        for &index in self.by_line.as_slice() {
            let (name, value) = self.view.headers[usize::from(index)];
            out.put_encoded_name(name);
            out.put(b":");
            out.put_encoded(trim(value).as_bytes());
            out.put(b"\n");
        }
        out.put_encoded(self.view.body);
        out.flush();
    }
}

/// Up to `N` indices in an order, on the stack.
struct Order<const N: usize> {
    indices: [u8; N],
    len: usize,
}

impl<const N: usize> Order<N> {
    /// The indices below `len`, which is at most `N`, sorted.
    fn sorted(len: usize, mut compare: impl FnMut(usize, usize) -> Ordering) -> Self {
        const { assert!(N <= 256, "indices are bytes") };
        #[allow(clippy::cast_possible_truncation)] // See the assertion.
        let mut order = Self { indices: std::array::from_fn(|at| at as u8), len };
        order.indices[..len].sort_unstable_by(|&a, &b| compare(a.into(), b.into()));
        order
    }

    fn as_slice(&self) -> &[u8] {
        &self.indices[..self.len]
    }
}

/// The letters, digits and marks of an HTTP token.
pub(super) fn is_header_name(name: &str) -> bool {
    const MARKS: [bool; 256] = {
        let mut table = [false; 256];
        let mut at = 0;
        while at < 256 {
            #[allow(clippy::cast_possible_truncation)] // `at` is below 256.
            let byte = at as u8;
            table[at] = byte.is_ascii_alphanumeric()
                || matches!(byte, b'!' | b'#' | b'$' | b'%' | b'&' | b'\'' | b'*' | b'+' | b'-' | b'.' | b'^' | b'_' | b'`' | b'|' | b'~');
            at += 1;
        }
        table
    };
    !name.is_empty() && name.bytes().all(|b| MARKS[usize::from(b)])
}

/// What Java's `String.trim` takes off: everything up to the blank.
fn trim(value: &str) -> &str {
    value.trim_matches(|c: char| c <= ' ')
}

fn lower(name: &str) -> impl Iterator<Item = u8> + '_ {
    name.bytes().map(|b| b.to_ascii_lowercase())
}

/// Compares two headers by their canonical lines. Names differ, and `:` is in no encoded name, so the values never come to count.
fn by_line(a: &str, b: &str) -> Ordering {
    let codes = |name| encoded(lower(name)).chain([b':']);
    codes(a).cmp(codes(b))
}

/// A parameter's canonical text, byte by byte, for comparing.
fn pair<'a>((key, value): (&'a str, &'a str)) -> impl Iterator<Item = u8> + 'a {
    encoded(key.bytes()).chain([b'=']).chain(encoded(value.bytes()))
}

fn encoded(bytes: impl Iterator<Item = u8>) -> impl Iterator<Item = u8> {
    bytes.flat_map(|byte| {
        let [a, b, c, len] = CODES[usize::from(byte)];
        [a, b, c].into_iter().take(len.into())
    })
}

/// Gathers the text in a buffer on the stack and gives it on in large pieces: hashing many small ones costs more than the hashing.
struct Writer<S> {
    buffer: [u8; BUFFER + SLACK],
    len: usize,
    sink: S,
}

impl<S: FnMut(&[u8])> Writer<S> {
    fn new(sink: S) -> Self {
        Self { buffer: [0; BUFFER + SLACK], len: 0, sink }
    }

    fn flush(&mut self) {
        (self.sink)(&self.buffer[..self.len]);
        self.len = 0;
    }

    fn put(&mut self, bytes: &[u8]) {
        if bytes.len() > BUFFER - self.len {
            self.flush();
        }
        if bytes.len() > BUFFER {
            return (self.sink)(bytes);
        }
        self.buffer[self.len..self.len + bytes.len()].copy_from_slice(bytes);
        self.len += bytes.len();
    }

    /// Percent-encodes everything but letters, digits and `-._~`, in capitals.
    fn put_encoded(&mut self, bytes: &[u8]) {
        self.put_codes(bytes, |byte| byte);
    }

    fn put_encoded_name(&mut self, name: &str) {
        self.put_codes(name.as_bytes(), |byte| byte.to_ascii_lowercase());
    }

    fn put_codes(&mut self, mut bytes: &[u8], change: impl Fn(u8) -> u8) {
        while !bytes.is_empty() {
            let room = (BUFFER - self.len) / 3;
            if room == 0 {
                self.flush();
                continue;
            }
            let (now, rest) = bytes.split_at(room.min(bytes.len()));
            let mut len = self.len;
            for &byte in now {
                let code = CODES[usize::from(change(byte))];
                self.buffer[len..len + 4].copy_from_slice(&code);
                len += usize::from(code[3]);
            }
            self.len = len;
            bytes = rest;
        }
    }
}

/// `text` percent-encoded as the canonical request does it, which is also how it may stand in a query.
pub(crate) fn percent_encode(text: &str) -> String {
    encoded(text.bytes()).map(char::from).collect()
}

/// For every byte its code and, last, the code's length: itself, or `%XX`.
static CODES: [[u8; 4]; 256] = codes();

const fn codes() -> [[u8; 4]; 256] {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    let mut table = [[0; 4]; 256];
    let mut at = 0;
    while at < 256 {
        #[allow(clippy::cast_possible_truncation)] // `at` is below 256.
        let byte = at as u8;
        table[at] = if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            [byte, 0, 0, 1]
        } else {
            [b'%', HEX[at >> 4], HEX[at & 15], 3]
        };
        at += 1;
    }
    table
}
