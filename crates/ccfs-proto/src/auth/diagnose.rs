//! Finds out why a signature does not match, by trying the known mistakes one at a time.

use std::fmt;

use super::request::{QueryLine, RequestView};

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

/// Returns the first mistake for which `matches` returns true. The verifier accepts the dialects in
/// `accepted`.
pub(super) fn diagnose(
    received: RequestView<'_>,
    accepted: &[QueryLine],
    matches: impl Fn(RequestView<'_>, QueryLine) -> bool,
) -> Option<Difference> {
    if accepted.iter().any(|&dialect| matches(received, dialect)) {
        return None;
    }
    if let Some(&other) = QueryLine::ALL.iter().find(|&&dialect| matches(received, dialect)) {
        return Some(Difference::QueryLine(other));
    }
    let signed =
        |view: RequestView<'_>| QueryLine::ALL.iter().any(|&dialect| matches(view, dialect));
    let signed_with_header = |name: &str, change: &dyn Fn(&str) -> String| {
        let Some(index) =
            received.headers.iter().position(|header| header.0.eq_ignore_ascii_case(name))
        else {
            return false;
        };
        let value = change(received.headers[index].1);
        let mut headers = received.headers.to_vec();
        headers[index].1 = &value;
        signed(RequestView { headers: &headers, ..received })
    };
    if signed_with_header("host", &|value| without_port(value).to_owned()) {
        return Some(Difference::HostWithoutPort);
    }
    if signed_with_header("content-type", &|value| value.replace("; ", ";"))
        || signed_with_header("content-type", &|value| value.replace(';', "; "))
    {
        return Some(Difference::ContentTypeBlank);
    }
    if signed(RequestView { body: received.body.trim_ascii_end(), ..received }) {
        return Some(Difference::BodyLineEnd);
    }
    if signed(RequestView { body: b"", ..received }) {
        return Some(Difference::BodyLeftOut);
    }
    let prefix = received.path.find("/CCFS/").unwrap_or_default();
    if signed(RequestView { path: &received.path[prefix..], ..received }) {
        return Some(Difference::PathPrefix);
    }
    ["POST", "GET", "PUT", "DELETE"]
        .into_iter()
        .any(|method| signed(RequestView { method, ..received }))
        .then_some(Difference::Method)
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
