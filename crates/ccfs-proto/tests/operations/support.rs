//! What the tests share.

use std::borrow::Cow;

use ccfs_proto::operation::{CallError, FieldError, FieldProblem, OperationRequest};
use ccfs_proto::{LocalTime, Operation};

pub(super) const BASE: &str = "/CCFS/resource/ccfs/";
pub(super) const CALLBACK: &str = "https://10.9.8.7:9443/callback";
pub(super) const INDEX_FILE: &str = "20230406_9239cb50a8384bb0ab503441bf089446.zip";

pub(super) fn time(text: &str) -> LocalTime {
    text.parse().unwrap()
}

/// What the operation sends must be a signed `POST` to `interface` with exactly this query and body.
#[track_caller]
pub(super) fn sends(
    operation: &impl Operation,
    interface: &str,
    query: &[(&str, &str)],
    body: &str,
) {
    let request = operation.request().unwrap();
    assert_eq!(operation.interface(), interface);
    assert_eq!((request.method.as_str(), request.signed), ("POST", true));
    assert_eq!(request.path, format!("{BASE}{interface}"));
    assert_eq!(parameters(&request), query);
    assert_eq!(std::str::from_utf8(&request.body).unwrap(), body);
}

pub(super) fn parameters(request: &OperationRequest) -> Vec<(&str, &str)> {
    request.query.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect()
}

#[track_caller]
pub(super) fn refused(operation: &impl Operation) -> (&'static str, FieldProblem) {
    parts(operation.request().unwrap_err())
}

/// The name and the problem of a field of the table.
pub(super) fn parts(error: FieldError) -> (&'static str, FieldProblem) {
    let Cow::Borrowed(field) = error.field else { panic!("{error}") };
    (field, error.problem)
}

pub(super) fn pairs<'a>(
    fields: impl IntoIterator<Item = (&'a str, &'a str)>,
) -> Vec<(String, String)> {
    fields.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

/// The field error of a call that could not be made.
pub(super) fn field_error(error: CallError) -> Option<FieldError> {
    match error {
        CallError::Field(error) => Some(error),
        _ => None,
    }
}

/// The header of a WAV file: `RIFF`, `WAVE`, and the chunks that are given.
pub(super) fn wav_of(chunks: &[(&[u8; 4], &[u8])]) -> Vec<u8> {
    let mut inside = b"WAVE".to_vec();
    for (name, content) in chunks {
        inside.extend_from_slice(*name);
        inside.extend_from_slice(&u32::try_from(content.len()).unwrap().to_le_bytes());
        inside.extend_from_slice(content);
        if content.len() % 2 == 1 {
            inside.push(0);
        }
    }
    [b"RIFF".as_slice(), &u32::try_from(inside.len()).unwrap().to_le_bytes(), &inside].concat()
}

/// The content of a `fmt ` chunk.
pub(super) fn format(tag: u16, channels: u16, hertz: u32, bits: u16) -> Vec<u8> {
    let block = channels.wrapping_mul(bits) / 8;
    let mut chunk = [tag.to_le_bytes(), channels.to_le_bytes()].concat();
    chunk.extend_from_slice(&hertz.to_le_bytes());
    chunk.extend_from_slice(&hertz.wrapping_mul(block.into()).to_le_bytes());
    chunk.extend_from_slice(&block.to_le_bytes());
    chunk.extend_from_slice(&bits.to_le_bytes());
    chunk
}

/// A WAV file that the server accepts, with these samples.
pub(super) fn wav(samples: &[u8]) -> Vec<u8> {
    wav_of(&[(b"fmt ", &format(1, 1, 8000, 8)), (b"data", samples)])
}
