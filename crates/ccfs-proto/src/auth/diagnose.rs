//! Why a signature does not match: the known mistakes, tried one at a time.

use std::fmt;

use super::canonical::{QueryLine, RequestView};

/// A mistake that explains a signature which does not match.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Difference {
    /// Signed in the other query line dialect than those accepted.
    QueryLine(QueryLine),
    /// `host` was signed without the port that was sent.
    HostWithoutPort,
    /// `content-type` was signed with, or without, the blank after the semicolon.
    ContentTypeBlank,
    /// The body was signed without its last line end.
    BodyLineEnd,
    /// The body was not signed at all (as an empty one).
    BodyLeftOut,
    /// The path was signed without the prefix that a gateway adds.
    PathPrefix,
    /// Another method was signed, mostly `POST` for `GET` or the reverse.
    Method,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::QueryLine(QueryLine::Omit) => "the signer leaves the query line out when there is no query",
            Self::QueryLine(QueryLine::Empty) => "the signer writes an empty query line when there is no query",
            Self::HostWithoutPort => "`host` was signed without the port that was sent",
            Self::ContentTypeBlank => {
                "`content-type` differs in the blank after the semicolon: it must be byte-identical in the signature and on the wire"
            }
            Self::BodyLineEnd => "the body was signed without its last line end",
            Self::BodyLeftOut => "the body was left out of the signature",
            Self::PathPrefix => "the path was signed without the prefix before /CCFS",
            Self::Method => "another method was signed than the one sent",
        })
    }
}

/// The first mistake with which `matches` says yes. `accepted` are the dialects that were tried already.
pub(super) fn diagnose(
    received: RequestView<'_>,
    accepted: &[QueryLine],
    matches: impl Fn(RequestView<'_>, QueryLine) -> bool,
) -> Option<Difference> {
    let any_dialect =
        |view: RequestView<'_>| QueryLine::ALL.iter().any(|&dialect| matches(view, dialect));
    if accepted.iter().any(|&dialect| matches(received, dialect)) {
        return None;
    }
    if let Some(&other) = QueryLine::ALL.iter().find(|&&dialect| matches(received, dialect)) {
        return Some(Difference::QueryLine(other));
    }
    let with_header = |name: &str, change: &dyn Fn(&str) -> String| {
        let changed: Vec<(&str, String)> = received
            .headers
            .iter()
            .map(|&(given, value)| {
                (
                    given,
                    if given.eq_ignore_ascii_case(name) { change(value) } else { value.to_owned() },
                )
            })
            .collect();
        let headers: Vec<(&str, &str)> =
            changed.iter().map(|(name, value)| (*name, value.as_str())).collect();
        any_dialect(RequestView { headers: &headers, ..received })
    };
    if with_header("host", &|value| without_port(value).to_owned()) {
        return Some(Difference::HostWithoutPort);
    }
    if with_header("content-type", &|value| value.replace("; ", ";"))
        || with_header("content-type", &|value| value.replace(';', "; "))
    {
        return Some(Difference::ContentTypeBlank);
    }
    let trimmed = received.body.trim_ascii_end();
    if trimmed.len() < received.body.len() && any_dialect(RequestView { body: trimmed, ..received })
    {
        return Some(Difference::BodyLineEnd);
    }
    if !received.body.is_empty() && any_dialect(RequestView { body: b"", ..received }) {
        return Some(Difference::BodyLeftOut);
    }
    let behind_prefix =
        received.path.find("/CCFS/").filter(|&at| at > 0).map(|at| &received.path[at..]);
    if behind_prefix.is_some_and(|path| any_dialect(RequestView { path, ..received })) {
        return Some(Difference::PathPrefix);
    }
    let other_method = ["POST", "GET", "PUT", "DELETE"]
        .into_iter()
        .any(|method| method != received.method && any_dialect(RequestView { method, ..received }));
    other_method.then_some(Difference::Method)
}

/// `host` of `host:port`; an IPv6 address keeps its brackets.
fn without_port(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) && !name.ends_with(':') => {
            name
        }
        _ => host,
    }
}
