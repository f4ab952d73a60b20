//! Envelopes.

use ccfs_proto::Envelope;
use ccfs_proto::answer::EnvelopeError;
use serde_json::Value;

/// Bytes of memory for a byte of JSON: the bound of the core's own test.
pub(crate) const MEMORY_PER_BYTE: u64 = 4;
/// And this much whatever the length.
const MEMORY: u64 = 4096;

/// The bytes are a server's JSON.
///
/// Checks that an accepted body is an object with the values of the envelope, that the envelope's JSON is parsed to the same envelope, and
/// that the memory is at most a multiple of the input.
pub fn envelope(input: &[u8]) {
    let mut parsed = Err(EnvelopeError::NoResultCode);
    let memory = allocation_counter::measure(|| parsed = Envelope::parse(input));
    let bound = MEMORY + MEMORY_PER_BYTE * input.len() as u64;
    assert!(
        memory.bytes_max <= bound,
        "{} bytes of memory for {} of JSON",
        memory.bytes_max,
        input.len()
    );

    assert_eq!(Envelope::parse_within(input, input.len()), parsed);
    if let Some(limit) = input.len().checked_sub(1) {
        assert_eq!(Envelope::parse_within(input, limit), Err(EnvelopeError::TooLarge { limit }));
    }
    let Ok(envelope) = parsed else { return };
    // Values of unknown fields are skipped without parsing, such as numbers out of range. For bytes that are not UTF-8, only the
    // result is checked below.
    let json = serde_json::from_slice(input.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(input));
    let json = json.unwrap_or(Value::Null);
    // Derived readers take an array of the fields' values, in their order, for an object; nothing is held of what that says.
    if json.is_object() && !json["response"].is_array() {
        says(&json, &envelope);
    }

    let written = envelope.to_body();
    let again = Envelope::parse(&written).expect("the envelope's JSON is valid");
    assert_eq!(again.code(), envelope.code());
    assert_eq!(again.description(), envelope.description());
    assert_eq!(again.data(), envelope.data());
    says(&serde_json::from_slice(&written).expect("JSON"), &again);
}

/// Checks that an envelope has the values of the JSON, read field by field.
fn says(json: &Value, envelope: &Envelope) {
    let json = json.as_object().expect("an envelope is an object");
    let old = json.get("response").and_then(Value::as_object);
    let field = |new: &str, of_old: &str| {
        json.get(new).filter(|v| !v.is_null()).or_else(|| old?.get(of_old)).filter(|v| !v.is_null())
    };
    let code = envelope.code().as_str();
    match field("resultCode", "resultCode").expect("a code") {
        Value::String(text) => assert_eq!(code, text),
        // The text of a number is kept unchanged.
        number @ Value::Number(_) => {
            assert_eq!(serde_json::from_str::<Value>(code).ok().as_ref(), Some(number));
        }
        other => panic!("{other:?} was accepted as a code"),
    }
    match field("resultDesc", "resultMsg") {
        Some(Value::String(text)) => assert_eq!(envelope.description(), text),
        Some(Value::Number(_)) => assert!(!envelope.description().is_empty()),
        _ => assert_eq!(envelope.description(), ""),
    }
    let data = json.get("resultData").filter(|data| !data.is_null() && data.as_str() != Some(""));
    let ours: Option<Value> =
        envelope.data().map(|data| data.parse().expect("it was looked through"));
    assert!(like(ours.as_ref(), data));
}

/// Equality, but for the last digits of a fraction: reading and writing it may move it by as much.
fn like(a: Option<&Value>, b: Option<&Value>) -> bool {
    match (a, b) {
        (Some(Value::Number(a)), Some(Value::Number(b))) if a.is_f64() && b.is_f64() => {
            let (a, b) = (a.as_f64().unwrap_or(f64::NAN), b.as_f64().unwrap_or(f64::NAN));
            (a - b).abs() <= a.abs() * 1e-15
        }
        (Some(Value::Array(a)), Some(Value::Array(b))) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| like(Some(a), Some(b)))
        }
        (Some(Value::Object(a)), Some(Value::Object(b))) => {
            a.len() == b.len()
                && a.iter()
                    .zip(b)
                    .all(|((key, a), (other, b))| key == other && like(Some(a), Some(b)))
        }
        (a, b) => a == b,
    }
}
