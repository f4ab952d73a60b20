//! Random requests, and auth-v2 written down plainly a second time.

use std::collections::BTreeSet;
use std::fmt::Write;

use ccfs_proto::auth::QueryLine;
use ccfs_proto::{Credentials, RequestView};
use proptest::prelude::*;
use sha2::{Digest, Sha256};

use super::sized;

pub(crate) const ACCESS_KEY: &str = "4y0ycv90hl4ap9zc4";
pub(crate) const SECRET_KEY: &str = "nlXwsoKh-секрет-密钥";

pub(crate) fn credentials() -> Credentials {
    Credentials::from_text(ACCESS_KEY, SECRET_KEY.to_owned()).unwrap()
}

/// A request that owns its parts.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Request {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) query: Vec<(String, String)>,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Request {
    pub(crate) fn with_view<T>(&self, then: impl FnOnce(RequestView<'_>) -> T) -> T {
        let query: Vec<_> =
            self.query.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
        let headers: Vec<_> =
            self.headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        then(RequestView {
            method: &self.method,
            path: &self.path,
            query: &query,
            headers: &headers,
            body: &self.body,
        })
    }
}

/// Requests with everything that HTTP lets through, and more.
pub(crate) fn requests() -> impl Strategy<Value = Request> {
    let method = prop_oneof![Just("POST".to_owned()), Just("GET".to_owned()), "[A-Z]{1,8}"];
    let pair = (text(8), text(12));
    let extra = ("[A-Za-z][A-Za-z0-9_.-]{0,6}", "[ -~\té技😀]{0,20}");
    (
        method,
        "/[!-~]{0,40}",
        prop::collection::vec(pair, 0..sized(6, 3)),
        prop::collection::vec(extra, 0..sized(6, 3)),
        "[a-z0-9.]{1,12}(:[0-9]{2,5})?",
        prop::collection::vec(any::<u8>(), 0..sized(300, 30)),
        (any::<prop::sample::Index>(), prop::bool::weighted(0.3), "[ -~\t]{0,12}"),
    )
        .prop_map(|(method, path, query, extra, host, body, (at, usual, value))| {
            if usual {
                let headers = [
                    ("content-length", body.len().to_string()),
                    ("content-type", value),
                    ("host", host),
                ];
                return Request {
                    method,
                    path,
                    query,
                    headers: headers.map(|(name, value)| (name.to_owned(), value)).into(),
                    body,
                };
            }
            let mut names = BTreeSet::from(["host".to_owned()]);
            let mut headers: Vec<_> = extra
                .into_iter()
                .filter(|(name, _)| names.insert(name.to_ascii_lowercase()))
                .collect();
            headers.insert(at.index(headers.len() + 1), ("Host".to_owned(), host));
            Request { method, path, query, headers, body }
        })
}

/// Texts of few but troublesome characters.
fn text(longest: usize) -> impl Strategy<Value = String> {
    prop::collection::vec(
        prop_oneof![4 => prop::char::range(' ', '~'), 1 => any::<char>()],
        0..longest,
    )
    .prop_map(|characters| characters.into_iter().collect())
}

/// The names in the header list.
pub(crate) fn plain_list(request: &Request) -> String {
    let mut names: Vec<_> =
        request.headers.iter().map(|(name, _)| name.to_ascii_lowercase()).collect();
    names.sort();
    names.join(";")
}

/// The canonical request, without regard for speed.
pub(crate) fn plain_canonical(request: &Request, dialect: QueryLine) -> String {
    let mut pairs: Vec<String> = request
        .query
        .iter()
        .map(|(key, value)| format!("{}={}", encode(key.as_bytes()), encode(value.as_bytes())))
        .collect();
    pairs.sort();
    let query_line = match (pairs.is_empty(), dialect) {
        (true, QueryLine::Omit) => String::new(),
        _ => format!("{}\n", pairs.join("&")),
    };
    let mut lines: Vec<String> = request
        .headers
        .iter()
        .map(|(name, value)| {
            format!(
                "{}:{}\n",
                encode(name.to_ascii_lowercase().as_bytes()),
                encode(plain_trim(value).as_bytes())
            )
        })
        .collect();
    // The line end sorts before everything, as the end of a line does.
    lines.sort();
    format!(
        "{}\n{}\n{query_line}{}\n{}{}",
        request.method,
        request.path,
        plain_list(request),
        lines.concat(),
        encode(&request.body)
    )
}

/// The header, without regard for speed, and without the crates that the signer uses for it.
pub(crate) fn plain_authorization(
    request: &Request,
    timestamp: &str,
    dialect: QueryLine,
) -> String {
    let prefix = format!("auth-v2/{ACCESS_KEY}/{timestamp}/{}", plain_list(request));
    let signing_key = hmac_hex(SECRET_KEY.as_bytes(), prefix.as_bytes());
    let signature = hmac_hex(signing_key.as_bytes(), plain_canonical(request, dialect).as_bytes());
    format!("{prefix}/{signature}")
}

pub(crate) fn plain_trim(value: &str) -> &str {
    value.trim_matches(|c| u32::from(c) <= 0x20)
}

fn encode(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, &byte| {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                text.push(char::from(byte));
            }
            _ => write!(text, "%{byte:02X}").unwrap(),
        }
        text
    })
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").unwrap();
        text
    })
}

/// HMAC as RFC 2104 defines it.
pub(crate) fn hmac_hex(key: &[u8], message: &[u8]) -> String {
    let mut block = [0_u8; 64];
    if key.len() > block.len() {
        block[..32].copy_from_slice(&Sha256::digest(key));
    } else {
        block[..key.len()].copy_from_slice(key);
    }
    let inner =
        Sha256::new().chain_update(block.map(|b| b ^ 0x36)).chain_update(message).finalize();
    let outer = Sha256::new().chain_update(block.map(|b| b ^ 0x5C)).chain_update(inner).finalize();
    hex(&outer)
}
