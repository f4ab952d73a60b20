//! Signing and verifying.

use ccfs_proto::auth::{Freshness, QueryLine, decode_query};
use ccfs_proto::callback::Receiver;
use ccfs_proto::{Credentials, RequestView, Signer, Timestamp, Verifier};

use crate::tape::{Tape, text};

/// The bytes are a request, part by part, the position of a change, and, last, a header value of unknown origin.
///
/// No header and no request make the verifier or the receiver panic. The signer's output is valid,
/// and is invalid after a change of any part.
pub fn verifier(input: &[u8]) {
    let mut tape = Tape::new(input);
    let dialect = tape.pick(&QueryLine::ALL);
    let at = Timestamp::from_unix_millis(i64::from(tape.number()) << 26);
    let change = tape.number();
    let (method, path, query, body) =
        (tape.text(), tape.text(), decode_query(tape.text()), tape.some());
    let names = ["host", "Content-Type", "content-length", "X-a", "x-A-b", "x a", "authorization"];
    let headers: Vec<(&str, &str)> =
        (0..tape.byte() % 9).map(|_| (tape.pick(&names), tape.text())).collect();
    let strange = text(tape.rest());
    let query: Vec<(&str, &str)> =
        query.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
    let request = RequestView { method, path, query: &query, headers: &headers, body };

    let credentials = Credentials::from_text("ak", "a secret".to_owned()).expect("good keys");
    let verifier = Verifier::new(&credentials);
    let _ = verifier.verify(strange, request, at);
    let _ = verifier.diagnose(strange, request);
    if let Err(error) = Receiver::new(&credentials).check(request, at) {
        assert!(error.answer().status.is_client_error());
    }

    let Ok(value) = Signer::new(&credentials).query_line(dialect).sign(request, at) else { return };
    let value = value.to_str().expect("visible ASCII");
    let strict = verifier.clone().query_line(dialect).freshness(Freshness::default());
    assert_eq!(strict.verify(value, request, at).map(|verified| verified.timestamp), Ok(at));
    assert_eq!(verifier.diagnose(value, request), Ok(None));
    assert_ne!(strange == value, verifier.verify(strange, request, at).is_err());

    let place = usize::from(change >> 3);
    let (mut changed_value, mut changed_body, mut changed_path) =
        (value.to_owned(), body.to_vec(), path.to_owned());
    let changed = match change % 4 {
        0 => change_text(&mut changed_value, place),
        1 => body.get(place).is_some_and(|_| {
            changed_body[place] ^= 1 << (change % 8);
            true
        }),
        2 => change_text(&mut changed_path, place),
        _ => false,
    };
    let forged = RequestView { path: &changed_path, body: &changed_body, ..request };
    assert_eq!(verifier.verify(&changed_value, forged, at).is_err(), changed);
}

/// Puts another character at a place, if there is one.
fn change_text(text: &mut String, place: usize) -> bool {
    match text.get(place..=place) {
        Some(old) => {
            let new = if old == "0" { "1" } else { "0" };
            text.replace_range(place..=place, new);
            true
        }
        None => false,
    }
}
