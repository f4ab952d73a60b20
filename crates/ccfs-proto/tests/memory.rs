//! Memory of parsing a server's JSON, for any content: a small multiple of its size.
#![allow(clippy::unwrap_used, missing_docs)]

use std::fmt::Write as _;

use allocation_counter::measure;
use bytes::Bytes;
use ccfs_proto::answer::{Classified, Expected};
use ccfs_proto::callback::Callback;
use ccfs_proto::operation::{INTERFACES, Received};
use ccfs_proto::{AnyOperation, Classifier, Envelope, Operation};
use http::{HeaderMap, StatusCode};

const MIB: usize = 1024 * 1024;
/// Bytes of memory for a byte of JSON, while an envelope is read: the data's text, a text with escapes that is put together while its
/// buffer grows, and what becomes of it. Trees took 98.
const PER_BYTE: u64 = 4;
/// The same with the classifier, whose buffer grows as the body comes.
const PER_BYTE_IN_CHUNKS: u64 = 5;
/// And this much whatever the length.
const MORE: u64 = 4096;

/// JSON of about that many bytes, of every form that is dear as a tree.
fn forms(len: usize) -> Vec<(&'static str, String)> {
    let list =
        |item: &str| format!("[{}{item}]", format!("{item},").repeat(len / (item.len() + 1)));
    let deep = |depth: usize| [vec![b'['; depth], vec![b']'; depth]].concat();
    let mut keys = String::from("{");
    for key in 0..len / 11 {
        write!(keys, "\"{key:06x}\":0,").unwrap();
    }
    keys.push_str("\"\":0}");
    vec![
        ("numbers", list("0")),
        ("empty lists", list("[]")),
        ("small objects", list("{\"\":0}")),
        ("empty texts", list("\"\"")),
        ("texts", list("\"a\"")),
        ("fractions", list("1e9")),
        ("nested as deeply as it may be", list(std::str::from_utf8(&deep(100)).unwrap())),
        ("nested without end", String::from_utf8(deep(len / 2)).unwrap()),
        ("one text", format!("\"{}\"", "a".repeat(len))),
        (
            "one text of characters that are shown escaped",
            format!("\"{}\"", "\u{ffff}".repeat(len / 3)),
        ),
        ("one text of escapes", format!("\"{}\"", "\\n".repeat(len / 2))),
        ("keys", keys),
        ("one key", format!("{{{}\"a\":0}}", "\"a\":0,".repeat(len / 6))),
        ("one number", "1".repeat(len)),
    ]
}

/// Envelopes with that JSON in every place.
fn envelopes(json: &str) -> Vec<(&'static str, String)> {
    vec![
        ("as data", format!(r#"{{"resultCode":"0","resultData":{json}}}"#)),
        (
            "in a field of the data",
            format!(
                r#"{{"resultCode":"0","resultData":{{"more":{json},"responseId":"1","url":{json}}}}}"#
            ),
        ),
        ("as a code", format!(r#"{{"resultCode":{json}}}"#)),
        ("as a description", format!(r#"{{"resultCode":"0","resultDesc":{json}}}"#)),
        ("in a field that no envelope has", format!(r#"{{"resultCode":"0","more":{json}}}"#)),
        ("as the older response", format!(r#"{{"resultCode":"0","response":{json}}}"#)),
        (
            "in the older response",
            format!(r#"{{"response":{{"resultCode":"0","more":{json},"resultMsg":{json}}}}}"#),
        ),
    ]
}

fn within(bound: u64, used: u64, json: usize, what: &str, place: &str) {
    assert!(
        used <= bound * json as u64 + MORE,
        "{what} {place}: {used} bytes of memory for {json} of JSON"
    );
}

/// What reading one envelope takes, and that the classifier, which gets it in chunks, comes to the same.
fn check(what: &str, place: &str, body: &str) {
    let (mut read, mut told) = (None, None);
    let used = measure(|| read = Some(Envelope::parse_within(body.as_bytes(), body.len())));
    within(PER_BYTE, used.bytes_max, body.len(), what, place);

    let chunks: Vec<_> = body.as_bytes().chunks(16 * 1024).map(Bytes::copy_from_slice).collect();
    let used = measure(|| {
        let mut classifier = Classifier::new(StatusCode::OK, &HeaderMap::new(), Expected::Envelope)
            .envelope_limit(body.len())
            .file_limit(0);
        for chunk in &chunks {
            let _ = classifier.push(chunk.clone()).unwrap();
        }
        told = classifier.finish().ok();
    });
    within(PER_BYTE_IN_CHUNKS, used.bytes_max, body.len(), what, place);
    assert_eq!(told, read.unwrap().ok().map(Classified::Envelope), "{what} {place}");
}

#[test]
#[cfg_attr(miri, ignore = "what is counted is what the system's allocator is asked for")]
fn an_envelope_takes_a_small_multiple_of_its_own_size() {
    for (what, json) in forms(20 * 1024) {
        for (place, body) in envelopes(&json) {
            check(what, place, &body);
        }
    }
}

#[test]
#[cfg_attr(miri, ignore = "what is counted is what the system's allocator is asked for")]
fn so_does_one_as_large_as_an_exchange_takes_by_default() {
    for (what, json) in forms(MIB - 200).into_iter().step_by(2) {
        check(what, "as data", &envelopes(&json)[0].1);
    }
}

#[test]
#[cfg_attr(miri, ignore = "what is counted is what the system's allocator is asked for")]
fn answers_take_no_more_than_their_envelope() {
    let fields = |interface: &ccfs_proto::operation::Interface| {
        let value = |form: &str| match form {
            "yyyy-MM-dd HH:mm:ss" => "2023-04-06 00:00:00",
            "call or record or call_record" => "call",
            url if url.contains("URL") => "https://r/",
            _ => "1",
        };
        let needed = interface.fields.iter().filter(|field| field.required);
        needed
            .map(|field| (field.name.to_owned(), value(&field.form.to_string()).to_owned()))
            .collect::<Vec<_>>()
    };
    for interface in INTERFACES.iter().filter(|interface| interface.expected == Expected::Envelope)
    {
        let operation = if interface.name == "ivr/uploadFile" {
            AnyOperation::from_fields(
                interface.name,
                [("vdnId".to_owned(), "1".to_owned())],
                Some(Bytes::new()),
            )
            .unwrap()
        } else {
            AnyOperation::from_fields(interface.name, fields(interface), None).unwrap()
        };
        for (what, json) in forms(20 * 1024) {
            let body = format!(
                r#"{{"resultCode":"0","resultData":{{"fileName":"a","locationId":{json},"responseId":{json},"token":{json}}}}}"#
            );
            let Ok(envelope) = Envelope::parse_within(body.as_bytes(), body.len()) else {
                continue;
            };
            let used = measure(|| drop(operation.answer(Received::Envelope(envelope)))).bytes_max;
            within(PER_BYTE, used, body.len(), what, interface.name);
        }
    }
}

#[test]
#[cfg_attr(miri, ignore = "what is counted is what the system's allocator is asked for")]
fn a_callback_takes_a_small_multiple_of_its_own_size() {
    for (what, json) in forms(60 * 1024) {
        for body in [
            format!(r#"{{"msgBody":{{"responseId":{json}}}}}"#),
            format!(r#"{{"msgBody":{json}}}"#),
            format!(r#"{{"more":{json}}}"#),
        ] {
            let used = measure(|| drop(Callback::parse(body.as_bytes()))).bytes_max;
            within(PER_BYTE, used, body.len(), what, "in a callback");
        }
    }
}
