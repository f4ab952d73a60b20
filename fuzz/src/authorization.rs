//! The `Authorization` header as a text.

use ccfs_proto::Timestamp;
use ccfs_proto::auth::{AccessKey, AuthorizationHeader};
use ccfs_proto::time::Precision;

use crate::tape::text;

/// The bytes are a header's value.
///
/// The parser accepts exactly the values that keep to the rules, which are implemented here a second time, and a value can be rebuilt from its parts.
pub fn authorization(input: &[u8]) {
    let value = text(input);
    let parts = expected(value);
    let Ok(header) = AuthorizationHeader::parse(value) else {
        assert_eq!(parts, None, "refused");
        return;
    };
    let Parts { access_key, timestamp, list, signature } = parts.expect("what the rules take");
    assert_eq!(header.access_key().as_str(), access_key);
    assert_eq!(timestamp.parse::<Timestamp>(), Ok(header.timestamp()));
    assert_eq!(header.signed_headers().collect::<Vec<_>>(), list);

    let precision = if timestamp.len() == 24 { Precision::Millis } else { Precision::Seconds };
    let timestamp = header.timestamp().text(precision);
    let prefix =
        ["auth-v2", header.access_key().as_str(), timestamp.as_str(), &list.join(";")].join("/");
    assert_eq!(header.prefix(), prefix);
    assert_eq!([&prefix, signature].join("/"), value);
    assert!(
        prefix.contains(signature) || !format!("{header:?}").contains(signature),
        "a signature is shown"
    );
}

#[derive(Debug, PartialEq)]
struct Parts<'a> {
    access_key: &'a str,
    timestamp: &'a str,
    list: Vec<&'a str>,
    signature: &'a str,
}

fn expected(value: &str) -> Option<Parts<'_>> {
    let [scheme, access_key, timestamp, list, signature] = value.split('/').collect::<Vec<_>>()[..]
    else {
        return None;
    };
    let list: Vec<&str> = list.split(';').collect();
    let is_name = |name: &str| {
        let allowed =
            |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"!#$%&'*+-.^_`|~".contains(&b);
        !name.is_empty() && name.bytes().all(allowed)
    };
    let once = |name: &str| list.iter().filter(|other| **other == name).count() == 1;
    let names = list.len() <= 32
        && list.iter().all(|name| is_name(name) && once(name))
        && list.contains(&"host");
    let signed = signature.len() == 64
        && signature.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
    let key = AccessKey::new(access_key).is_ok();
    let time = timestamp.parse::<Timestamp>().is_ok();
    (value.len() <= 4096 && scheme == "auth-v2" && key && time && names && signed)
        .then_some(Parts { access_key, timestamp, list, signature })
}
