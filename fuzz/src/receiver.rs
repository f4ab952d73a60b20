//! Deliveries of callbacks.

use std::collections::BTreeSet;
use std::convert::Infallible;
use std::time::Duration;

use ccfs_proto::callback::{Callback, JobKey, MemoryGuard, Outcome, ReceiveError, Receiver};
use ccfs_proto::{Credentials, RequestView, Signer, Timestamp};

use crate::tape::Tape;

/// The bytes are deliveries: their bodies, what is wrong with them, and whether there is space for them.
///
/// A job is accepted once, however often it is delivered, and only if it was stored. What is not signed, changed on its
/// way, or not a callback is refused, stores nothing, and changes nothing for later deliveries.
pub fn receiver(input: &[u8]) {
    let mut tape = Tape::new(input);
    let credentials = Credentials::from_text("ak", "a secret".to_owned()).expect("good keys");
    let (signer, receiver) = (Signer::new(&credentials), Receiver::new(&credentials));
    let mut guard = MemoryGuard::default();
    let mut committed = BTreeSet::new();
    let mut now = Timestamp::from_unix_millis(1_680_000_000_000);
    while !tape.is_empty() {
        let (choice, space) = (tape.byte(), tape.byte() & 1 == 0);
        let body = if choice & 1 == 0 { known_body(tape.byte()) } else { tape.some().to_vec() };
        // Less than a day in all, which is how long the guard remembers.
        now = now.plus_millis(i64::from(tape.byte()));
        let headers = [("host", "example.com")];
        let unsigned = RequestView {
            method: if choice & 2 == 0 { "POST" } else { "PUT" },
            path: "/callback",
            query: &[],
            headers: &headers,
            body: &body,
        };
        let authorization = signer.sign(unsigned, now).expect("a request that can be signed");
        let authorization = authorization.to_str().expect("visible ASCII");
        let signed = [headers[0], ("Authorization", authorization)];
        let twice = [headers[0], signed[1], signed[1]];
        let mut changed = body.clone();
        changed.push(b' ');
        let late = now.plus_millis(15 * 60_000 + 1_001);
        let (request, at) = match choice >> 2 & 7 {
            0 => (unsigned, now),
            1 => (RequestView { headers: &twice, ..unsigned }, now),
            2 => (RequestView { headers: &signed, body: &changed, ..unsigned }, now),
            3 => (RequestView { headers: &signed, path: "/other", ..unsigned }, now),
            4 => (RequestView { headers: &signed, ..unsigned }, late),
            _ => (RequestView { headers: &signed, ..unsigned }, now),
        };
        let is_signed = choice >> 2 & 7 > 4;
        let mut stored = None;
        let outcome: Outcome<Infallible> = receiver.receive(request, &mut guard, at, |callback| {
            stored = Some(callback.clone());
            space
        });
        let status = outcome.answer().status.as_u16();
        let parsed = Callback::parse(&body);
        match (outcome, parsed) {
            (Outcome::Refused(ReceiveError::Method), _) => {
                assert_eq!((request.method, status), ("PUT", 405));
            }
            (Outcome::Refused(ReceiveError::Body(error)), parsed) => {
                assert!(is_signed);
                assert_eq!((Err(error), status), (parsed, 400));
            }
            (Outcome::Refused(_), _) => assert_eq!((is_signed, status), (false, 401)),
            (outcome, Ok(callback)) => {
                assert!(is_signed && request.method == "POST");
                let key = JobKey::new(&callback, Duration::ZERO).as_str().to_owned();
                let is_new = !committed.contains(&key);
                assert_eq!(stored.take(), is_new.then(|| callback.clone()));
                let expected = match (is_new, space) {
                    (true, true) => {
                        committed.insert(key);
                        Outcome::Accepted(callback)
                    }
                    (true, false) => Outcome::Busy,
                    (false, _) => Outcome::Repeated,
                };
                assert_eq!(status, if expected == Outcome::Busy { 503 } else { 200 });
                assert_eq!(outcome, expected);
            }
            (outcome, Err(error)) => panic!("{outcome:?}, but the body is bad: {error}"),
        }
        assert_eq!(stored, None);
    }
}

/// The body of one of a few jobs.
fn known_body(choice: u8) -> Vec<u8> {
    let id = format!("{:032x}", choice & 3);
    let key = if choice & 4 == 0 { "agentSkillInfoFileName" } else { "fileName" };
    let note = if choice & 8 == 0 { "" } else { "\"note\":1," };
    format!(r#"{{{note}"msgBody":{{"responseId":"{id}","{key}":"20230406_{id}.zip"}}}}"#)
        .into_bytes()
}
