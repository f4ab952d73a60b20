use std::fmt;

/// Maximum number of headers that one signature covers.
pub(super) const HEADERS_LIMIT: usize = 32;
/// Maximum number of query parameters that one signature covers.
pub(super) const PARAMETERS_LIMIT: usize = 64;

/// The parts of a request that are signed, borrowed.
///
/// Each part must be what is sent, byte for byte; the query is given before its percent-encoding.
#[derive(Clone, Copy)]
pub struct RequestView<'a> {
    /// Method in upper case.
    pub method: &'a str,
    /// Path as sent, with its leading `/` and without the query.
    pub path: &'a str,
    /// Decoded keys and values of the query in any order, at most 64.
    /// [`decode_query`](super::decode_query) splits the query of a received request.
    pub query: &'a [(&'a str, &'a str)],
    /// Names (in any case) and values of the headers to sign, in any order, at most 32.
    /// `host` must be one of them, and no name may occur twice.
    pub headers: &'a [(&'a str, &'a str)],
    /// The whole body.
    pub body: &'a [u8],
}

impl<'a> fmt::Debug for RequestView<'a> {
    /// Omits the body and the values of headers and parameters, which may be secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = |pairs: &[(&'a str, _)]| pairs.iter().map(|pair| pair.0).collect::<Vec<_>>();
        f.debug_struct("RequestView")
            .field("method", &self.method)
            .field("path", &self.path)
            .field("query_keys", &names(self.query))
            .field("header_names", &names(self.headers))
            .field("body_bytes", &self.body.len())
            .finish()
    }
}

impl RequestView<'_> {
    /// Checks that the request can be signed.
    pub(crate) fn check(self) -> Result<Self, ViewError> {
        if self.method.contains('\n') || self.path.contains('\n') {
            return Err(ViewError::LineBreak);
        }
        let headers = self.headers;
        if headers.len() > HEADERS_LIMIT {
            return Err(ViewError::TooManyHeaders { count: headers.len() });
        }
        for (index, (name, _)) in headers.iter().enumerate() {
            if !is_header_name(name) {
                return Err(ViewError::HeaderName { index });
            }
            if headers[..index].iter().any(|(other, _)| other.eq_ignore_ascii_case(name)) {
                return Err(ViewError::DuplicateHeader { name: name.to_ascii_lowercase() });
            }
        }
        if !headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("host")) {
            return Err(ViewError::HostNotSigned);
        }
        if self.query.len() > PARAMETERS_LIMIT {
            return Err(ViewError::TooManyParameters { count: self.query.len() });
        }
        Ok(self)
    }
}

/// Returns whether `name` is an HTTP token (RFC 9110, section 5.6.2).
pub(super) fn is_header_name(name: &str) -> bool {
    let is_token = |b: u8| b.is_ascii_alphanumeric() || b"-!#$%&'*+.^_`|~".contains(&b);
    !name.is_empty() && name.bytes().all(is_token)
}

/// How the canonical request represents an absent query.
///
/// No public source says which one live servers expect.
/// See [Query line dialects](crate::protocol#query-line-dialects).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum QueryLine {
    /// No line, as the vendor's demo client does.
    #[default]
    Omit,
    /// An empty line, as several ports of the interface reference do.
    Empty,
}

impl QueryLine {
    /// Both dialects, the default first.
    pub const ALL: [Self; 2] = [Self::Omit, Self::Empty];

    /// Returns `omit` or `empty`, the words used in settings.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Omit => "omit",
            Self::Empty => "empty",
        }
    }
}

/// A request cannot be signed or verified.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ViewError {
    /// `host` is not among the headers.
    #[error("header `host` is not signed; add it with the exact text that is sent")]
    HostNotSigned,
    /// The method or the path contains a line break, which would make signatures ambiguous.
    #[error("method or path contains a line break; pass both as they are in the request line")]
    LineBreak,
    /// A header name is not an HTTP token.
    #[error("name of signed header {index} is malformed; use letters, digits and -")]
    HeaderName {
        /// Index of the header, from 0.
        index: usize,
    },
    /// A header name occurs twice.
    #[error("header `{name}` is signed twice; send it once and sign it once")]
    DuplicateHeader {
        /// Name in lower case.
        name: String,
    },
    /// More than 32 headers.
    #[error("{count} headers to sign, limit {HEADERS_LIMIT}; leave optional headers unsigned")]
    TooManyHeaders {
        /// Number of headers given.
        count: usize,
    },
    /// More than 64 query parameters.
    #[error("query has {count} parameters, limit {PARAMETERS_LIMIT}; move some into the body")]
    TooManyParameters {
        /// Number of parameters given.
        count: usize,
    },
}
