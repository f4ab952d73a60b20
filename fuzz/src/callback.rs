//! Callbacks.

use ccfs_proto::callback::{Callback, CallbackError};
use ccfs_proto::{IndexFileName, ResponseId};
use serde_json::Value;

const NAME_KEYS: [&str; 5] = [
    "agentSkillInfoFileName",
    "agentOprSkillFileName",
    "agentOprInfoFileName",
    "billFileName",
    "fileName",
];

/// The bytes are a callback's body.
///
/// Checks that an accepted callback has the values of the JSON, and that each body generated from it is parsed to the same callback.
pub fn callback(input: &[u8]) {
    let callback = match Callback::parse(input) {
        Ok(callback) => callback,
        Err(error) => {
            assert_eq!(input.len() > 64 * 1024, matches!(error, CallbackError::TooLarge));
            assert!(!error.to_string().is_empty());
            return;
        }
    };
    let json: Value = serde_json::from_slice(input.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(input))
        .expect("an accepted body is JSON");
    let texts = &json["msgBody"];
    let text = |key: &str| texts[key].as_str().filter(|text| !text.is_empty());
    assert_eq!(
        text("responseId").and_then(|id| ResponseId::from_server(id).ok()),
        Some(callback.response_id)
    );
    let mut names = NAME_KEYS.iter().filter_map(|key| text(key)).peekable();
    assert!(names.peek().is_some() && names.all(|name| name == callback.file_name.as_str()));
    assert!(callback.file_name.response_id().is_none_or(|id| id == callback.response_id));
    match &texts["accountId"] {
        // A number counts with the digits that it is written with.
        Value::Number(number) if number.is_i64() || number.is_u64() => {
            assert_eq!(callback.account_id, Some(number.to_string()));
        }
        Value::Number(_) => assert!(callback.account_id.is_some()),
        _ => assert_eq!(callback.account_id.as_deref(), text("accountId")),
    }
    assert_eq!(
        IndexFileName::lenient(callback.file_name.as_str()).as_ref(),
        Ok(&callback.file_name)
    );

    for key in NAME_KEYS {
        assert_eq!(Callback::parse(&callback.to_body(key)).as_ref(), Ok(&callback));
    }
}
