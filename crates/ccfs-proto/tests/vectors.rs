//! The published vectors, stage by stage: this crate gives the same results as the vendor's client.
#![allow(clippy::unwrap_used, missing_docs)]

use ccfs_proto::auth::{AuthorizationHeader, QueryLine, VerifyError};
use ccfs_proto::time::Precision;
use ccfs_proto::{Credentials, RequestView, Signer, Timestamp, Verifier};
use serde::Deserialize;

/// The signing key is a secret, so that stage is checked by a unit test beside the signer.
#[derive(Deserialize)]
struct Vector {
    access_key: String,
    secret_key: String,
    unix_ms: i64,
    timestamp: String,
    method: String,
    path: String,
    query: Vec<(String, String)>,
    signed_headers: Vec<(String, String)>,
    body: String,
    prefix: String,
    canonical_request: String,
    authorization: String,
    authorization_blank_query_line: String,
}

impl Vector {
    /// All of them. In Miri two must do: one with parameters and milliseconds, one without.
    fn all() -> Vec<Self> {
        let lines =
            include_str!("vectors/auth-v2.jsonl").lines().step_by(if cfg!(miri) { 32 } else { 1 });
        let vectors: Vec<Self> = lines.map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(vectors.len(), if cfg!(miri) { 2 } else { 50 });
        vectors
    }

    fn credentials(&self) -> Credentials {
        Credentials::from_text(&self.access_key, self.secret_key.clone()).unwrap()
    }

    fn precision(&self) -> Precision {
        if self.timestamp.len() == "2021-08-31T09:38:50Z".len() {
            Precision::Seconds
        } else {
            Precision::Millis
        }
    }

    fn at(&self) -> Timestamp {
        Timestamp::from_unix_millis(self.unix_ms)
    }

    fn authorization(&self, dialect: QueryLine) -> &str {
        match dialect {
            QueryLine::Omit => &self.authorization,
            _ => &self.authorization_blank_query_line,
        }
    }

    /// The canonical request in either dialect: the file has the default one; without a query, the other has one more line.
    fn canonical_request(&self, dialect: QueryLine) -> String {
        if dialect == QueryLine::Omit || !self.query.is_empty() {
            return self.canonical_request.clone();
        }
        let head = format!("{}\n{}\n", self.method, self.path);
        self.canonical_request.replacen(&head, &format!("{head}\n"), 1)
    }

    fn with_view<T>(&self, then: impl FnOnce(RequestView<'_>) -> T) -> T {
        let query = pairs(&self.query);
        let headers = pairs(&self.signed_headers);
        then(RequestView {
            method: &self.method,
            path: &self.path,
            query: &query,
            headers: &headers,
            body: self.body.as_bytes(),
        })
    }
}

fn pairs(owned: &[(String, String)]) -> Vec<(&str, &str)> {
    owned.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect()
}

/// Every vector in both dialects.
fn for_each(check: impl Fn(&Vector, QueryLine, &Signer)) {
    for vector in Vector::all() {
        for dialect in QueryLine::ALL {
            let signer = Signer::new(&vector.credentials())
                .query_line(dialect)
                .precision(vector.precision());
            check(&vector, dialect, &signer);
        }
    }
}

#[test]
fn timestamps_are_written_and_read() {
    for vector in Vector::all() {
        assert_eq!(vector.at().text(vector.precision()).as_str(), vector.timestamp);
        let read = vector.timestamp.parse::<Timestamp>().unwrap();
        let expected = if vector.precision() == Precision::Seconds {
            vector.unix_ms / 1000 * 1000
        } else {
            vector.unix_ms
        };
        assert_eq!(read.unix_millis(), expected);
    }
}

#[test]
fn prefixes() {
    for_each(|vector, _, signer| {
        let steps = vector.with_view(|view| signer.explain(view, vector.at()).unwrap());
        assert_eq!(steps.prefix, vector.prefix);
        assert_eq!(steps.signed_headers, vector.prefix.rsplit('/').next().unwrap());
    });
}

#[test]
fn canonical_requests() {
    for_each(|vector, dialect, signer| {
        let steps = vector.with_view(|view| signer.explain(view, vector.at()).unwrap());
        assert_eq!(steps.canonical_request, vector.canonical_request(dialect));
    });
}

#[test]
fn authorizations() {
    for_each(|vector, dialect, signer| {
        let value = vector.with_view(|view| signer.sign(view, vector.at()).unwrap());
        assert_eq!(value.to_str().unwrap(), vector.authorization(dialect));
        assert!(value.is_sensitive());
        let steps = vector.with_view(|view| signer.explain(view, vector.at()).unwrap());
        assert_eq!(steps.authorization(), vector.authorization(dialect));
        assert!(vector.authorization(dialect).ends_with(&steps.signature));
    });
}

#[test]
fn the_verifier_takes_both_dialects_and_knows_which_it_is() {
    for_each(|vector, dialect, _| {
        let both = Verifier::new(&vector.credentials());
        let text = vector.authorization(dialect);
        let verified = vector.with_view(|view| both.verify(text, view, vector.at())).unwrap();
        assert_eq!(verified.timestamp, vector.timestamp.parse::<Timestamp>().unwrap());
        // The dialects differ only without a query.
        let told = if vector.query.is_empty() { dialect } else { QueryLine::Omit };
        assert_eq!(verified.query_line, told);

        for only in QueryLine::ALL {
            let strict = vector.with_view(|view| {
                Verifier::new(&vector.credentials()).query_line(only).verify(
                    text,
                    view,
                    vector.at(),
                )
            });
            let expected = only == dialect || !vector.query.is_empty();
            assert_eq!(strict.is_ok(), expected, "{strict:?}");
            assert!(expected || strict == Err(VerifyError::Mismatch));
        }
    });
}

#[test]
fn authorization_headers_are_taken_apart() {
    for_each(|vector, dialect, _| {
        let header = AuthorizationHeader::parse(vector.authorization(dialect)).unwrap();
        assert_eq!(header.access_key().as_str(), vector.access_key);
        assert_eq!(header.timestamp(), vector.timestamp.parse::<Timestamp>().unwrap());
        assert_eq!(header.prefix(), vector.prefix);
        let mut names: Vec<&str> =
            vector.signed_headers.iter().map(|(name, _)| name.as_str()).collect();
        names.sort_unstable();
        assert_eq!(header.signed_headers().collect::<Vec<_>>(), names);
    });
}
