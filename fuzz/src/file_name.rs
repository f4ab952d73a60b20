//! Names of index files, and ids.

use ccfs_proto::operation::FileNameError;
use ccfs_proto::{IndexFileName, ResponseId};

use crate::calendar::{digits, is_day};
use crate::tape::text;

/// The bytes are a text: a file name, and an ID as in a response or in a file name.
///
/// Strict and lenient parsing accept exactly what the rules, implemented here a second time, allow; errors name an invalid part.
pub fn file_name(input: &[u8]) {
    let text = text(input);
    let strict = text.parse::<IndexFileName>();
    let lenient = IndexFileName::lenient(text);
    match (&strict, expected(text)) {
        (Ok(name), Some((year, month, day, id))) => {
            assert_eq!(name.as_str(), text);
            let read = name.day().expect("a strict name has a day");
            assert_eq!(
                (u32::from(read.year()), u32::from(read.month()), u32::from(read.day())),
                (year, month, day)
            );
            let id: ResponseId = id.parse().expect("32 digits");
            assert_eq!(name.response_id(), Some(id));
            assert_eq!(*name, IndexFileName::new(read, id));
            assert_eq!(lenient.as_ref(), Ok(name));
        }
        (Err(_), None) => {}
        (ours, rule) => panic!("{ours:?}, and the rule says {rule:?}"),
    }
    match &lenient {
        Ok(name) => {
            assert!(is_lenient(text));
            assert_eq!(name.as_str(), text);
            assert_eq!(name.day().is_some(), strict.is_ok());
            assert_eq!(name.response_id().is_some(), strict.is_ok());
        }
        Err(error) => {
            assert!(!is_lenient(text));
            match *error {
                FileNameError::Length { len } => {
                    assert!(len == text.len() && (len == 0 || len > 49))
                }
                FileNameError::Character { at } => assert!(!is_allowed(text.as_bytes()[at])),
                FileNameError::Dots => assert!(text.bytes().all(|b| b == b'.')),
                other => panic!("{other:?}"),
            }
        }
    }
    id(text);
}

fn id(text: &str) {
    let bare: String = text.chars().filter(|&c| c != '-').map(|c| c.to_ascii_lowercase()).collect();
    match ResponseId::from_server(text) {
        Ok(id) => {
            assert_eq!(id.as_str(), bare);
            assert_eq!(bare.parse(), Ok(id));
        }
        Err(_) => assert!(!is_id(&bare)),
    }
    assert_eq!(text.parse::<ResponseId>().is_ok(), is_id(text));
}

/// The rule of strict names: year, month, day and id of one.
fn expected(text: &str) -> Option<(u32, u32, u32, &str)> {
    let (date, rest) = text.split_at_checked(8)?;
    let (separator, rest) = rest.split_at_checked(1)?;
    let (id, suffix) = rest.split_at_checked(32)?;
    let (year, month, day) =
        (digits(date.get(..4)?)?, digits(date.get(4..6)?)?, digits(date.get(6..)?)?);
    (separator == "_" && suffix == ".zip" && is_id(id) && is_day(year, month, day))
        .then_some((year, month, day, id))
}

/// The rule of the server.
fn is_lenient(text: &str) -> bool {
    (1..=49).contains(&text.len())
        && text.bytes().all(is_allowed)
        && text.bytes().any(|b| b != b'.')
}

fn is_allowed(byte: u8) -> bool {
    matches!(byte, b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'.' | b'-' | b'_')
}

fn is_id(text: &str) -> bool {
    text.len() == 32 && text.chars().all(|c| matches!(c, '0'..='9' | 'a'..='f'))
}
