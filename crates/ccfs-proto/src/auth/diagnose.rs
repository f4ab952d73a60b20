//! Finds out why a signature does not match, by trying the known mistakes one at a time.

use std::fmt;

use super::header::AuthorizationHeader;
use super::request::{QueryLine, RequestView};
use super::verify::{Verifier, VerifyError};

/// A mistake that explains why a signature does not match.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Difference {
    /// The signer used this query line dialect, which the verifier does not accept.
    QueryLine(QueryLine),
    /// `host` was signed without the port that was sent.
    HostWithoutPort,
    /// `content-type` was signed with, or without, the space after the semicolon.
    ContentTypeBlank,
    /// The body was signed without its trailing line break.
    BodyLineEnd,
    /// The body was signed as empty.
    BodyLeftOut,
    /// The path was signed without the prefix that a gateway adds.
    PathPrefix,
    /// Another method was signed, for example `POST` instead of `GET`.
    Method,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::QueryLine(QueryLine::Omit) => "the signer omits the query line of an empty query",
            Self::QueryLine(QueryLine::Empty) => "the signer writes a line for an empty query",
            Self::HostWithoutPort => "`host` was signed without the port that was sent",
            Self::ContentTypeBlank => "`content-type` was signed with other spaces than sent",
            Self::BodyLineEnd => "the body was signed without its trailing line break",
            Self::BodyLeftOut => "the body was not signed",
            Self::PathPrefix => "the path was signed without the prefix before /CCFS",
            Self::Method => "another method was signed than the one sent",
        })
    }
}

impl Verifier {
    /// Finds the mistake that explains why a signature does not match, for debugging.
    ///
    /// Returns `None` if the signature is valid or no known mistake explains it; then the secret
    /// keys differ, most likely. Do not expose the result to callers: it is an oracle.
    ///
    /// # Errors
    ///
    /// As for [`verify`](Self::verify), except that the signature may be wrong or old.
    pub fn diagnose(
        &self,
        authorization: &str,
        request: RequestView<'_>,
    ) -> Result<Option<Difference>, VerifyError> {
        let header = AuthorizationHeader::parse(authorization)?;
        let headers = self.signed_headers(&header, request)?;
        let received = RequestView { headers: &headers, ..request };
        let matches = |view: RequestView<'_>, dialect| {
            view.check().is_ok_and(|view| self.matches(&header, view, dialect))
        };
        if self.dialects.iter().any(|&dialect| matches(received, dialect)) {
            return Ok(None);
        }
        let signed = |view: RequestView<'_>| {
            QueryLine::ALL.into_iter().find(|&dialect| matches(view, dialect))
        };
        if let Some(other) = signed(received) {
            return Ok(Some(Difference::QueryLine(other)));
        }
        let value =
            |name| received.headers.iter().find(|header| is(header.0, name)).map(|header| header.1);
        let (host, content_type) = (value("host"), value("content-type").unwrap_or_default());
        let headers = [
            (Difference::HostWithoutPort, "host", host.map_or("", without_port).to_owned()),
            (Difference::ContentTypeBlank, "content-type", content_type.replace("; ", ";")),
            (Difference::ContentTypeBlank, "content-type", content_type.replace(';', "; ")),
        ];
        for (difference, changed, value) in &headers {
            let change =
                |&(name, sent)| (name, if is(name, changed) { value.as_str() } else { sent });
            let headers: Vec<_> = received.headers.iter().map(change).collect();
            if signed(RequestView { headers: &headers, ..received }).is_some() {
                return Ok(Some(*difference));
            }
        }
        let prefix = received.path.find("/CCFS/").unwrap_or_default();
        let views = [
            (
                Difference::BodyLineEnd,
                RequestView { body: received.body.trim_ascii_end(), ..received },
            ),
            (Difference::BodyLeftOut, RequestView { body: b"", ..received }),
            (Difference::PathPrefix, RequestView { path: &received.path[prefix..], ..received }),
        ];
        let methods = ["POST", "GET", "PUT", "DELETE"]
            .map(|method| (Difference::Method, RequestView { method, ..received }));
        let mut views = views.into_iter().chain(methods);
        Ok(views.find(|(_, view)| signed(*view).is_some()).map(|(difference, _)| difference))
    }
}

fn is(name: &str, other: &str) -> bool {
    name.eq_ignore_ascii_case(other)
}

/// Returns `host` of `host:port`. An IPv6 address keeps its brackets.
fn without_port(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) && !name.ends_with(':') => {
            name
        }
        _ => host,
    }
}
