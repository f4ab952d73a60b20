//! Callbacks: signed, repeated until they are answered, and with faults.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use crate::support::{Client, QUERY, Receiver, fixed, is_signed_by, msg_body, window};
use ccfs_emulator::{Developer, Emulator, Fault};
use ccfs_proto::callback::Callback;
use ccfs_proto::{Credentials, Timestamp};
use ccfs_tests::{Behaviour, Seen, wait_until};
use serde_json::json;

/// Waits until the emulator has written its log, which happens after the receiver has the callback.
fn wait_for_callbacks(emulator: &Emulator, count: usize) {
    wait_until("the log of callbacks", || emulator.callbacks().len() >= count);
}

#[test]
fn it_calls_with_a_signature_and_the_files_name() {
    let emulator = fixed().start().unwrap();
    let receiver = Receiver::answering([Callback::RECEIPT]);
    let name = Client::new(&emulator).generate(&receiver.url());
    let call = receiver.next();
    assert!(call.line == "POST /hooks/ready?tenant=a%2Fb HTTP/1.1");
    assert!(is_signed_by(&call, &emulator.credentials()));
    assert!(!is_signed_by(
        &call,
        &Credentials::from_text(emulator.access_key(), "another".into()).unwrap()
    ));
    let callback = Callback::parse(&call.body).unwrap();
    assert_eq!(
        (callback.file_name.as_str(), callback.account_id.as_deref()),
        (name.as_str(), None)
    );
    assert_eq!(msg_body(&call), json!({"responseId": &name[9..41], "agentOprSkillFileName": name}));
    wait_for_callbacks(&emulator, 1);
    let log = emulator.callbacks();
    assert_eq!(
        (log[0].status, log[0].attempt, log[0].answer_len),
        (Some(200), 1, Callback::RECEIPT.len())
    );
}

#[test]
fn the_account_is_as_asked() {
    let emulator = fixed().start().unwrap();
    let receiver = Receiver::answering([]);
    let mut fields = window(&receiver.url());
    fields["accountId"] = json!("tenant7");
    assert_eq!(Client::new(&emulator).call(QUERY, &fields).code(), "0");
    let call = receiver.next();
    assert_eq!(msg_body(&call)["accountId"], "tenant7");
    assert!(is_signed_by(&call, &emulator.credentials()));
}

#[test]
fn it_calls_again_while_no_body_comes_and_stops_at_the_limit() {
    let emulator = fixed().callback_attempts(3, Duration::ZERO).start().unwrap();
    // A receiver that hangs up counts as one without an answer.
    let script = ["", "", "", "", "taken"].map(Behaviour::ok).into_iter();
    let receiver = Receiver::playing(script.chain([Behaviour::close(), Behaviour::ok("taken")]));
    Client::new(&emulator).generate(&receiver.url());
    receiver.next();
    receiver.next();
    receiver.next();
    wait_for_callbacks(&emulator, 3);
    assert_eq!(emulator.callbacks().iter().map(|call| call.attempt).collect::<Vec<_>>(), [1, 2, 3]);

    Client::new(&emulator).generate(&receiver.url());
    receiver.next();
    receiver.next();
    wait_for_callbacks(&emulator, 5);

    // Were there a call too many, it would come before these.
    Client::new(&emulator).generate(&receiver.url());
    receiver.next();
    receiver.next();
    wait_for_callbacks(&emulator, 7);
    let log = emulator.callbacks();
    assert_eq!(
        (log[5].attempt, log[5].status, log[6].attempt, log[6].status),
        (1, None, 2, Some(200))
    );
    assert!(log[5].error.is_some());
}

#[test]
fn each_developer_is_called_with_its_own_key() {
    let emulator = fixed().developer(Developer::new("second", "sk2")).start().unwrap();
    let receiver = Receiver::answering([]);
    Client::new(&emulator).with_keys("second", "sk2").generate(&receiver.url());
    assert!(is_signed_by(
        &receiver.next(),
        &Credentials::from_text("second", "sk2".into()).unwrap()
    ));
}

#[test]
fn callbacks_go_wrong_by_name() {
    let emulator = fixed().start().unwrap();
    let client = Client::new(&emulator);
    let receiver = Receiver::answering(["no", "yes", "yes", "yes", "yes", "yes", "yes"]);
    let authorization = |call: &Seen| call.header("authorization").unwrap().to_owned();

    emulator.faults().add(Fault::CallbackMissing.times(1));
    emulator.faults().add(Fault::CallbackForged.times(1));
    let missing = client.generate(&receiver.url());
    // Downloads do not start jobs: this one does not use up the next fault.
    assert!(client.download(&missing).body.starts_with(b"PK"));
    let name = client.generate(&receiver.url());
    let forged = receiver.next();
    assert!(!is_signed_by(&forged, &emulator.credentials()));
    let other = Callback::parse(&forged.body).unwrap().file_name;
    assert!(other.as_str() != name && other.as_str() != missing);
    let right = receiver.next();
    assert!(is_signed_by(&right, &emulator.credentials()));
    assert_eq!(Callback::parse(&right.body).unwrap().file_name.as_str(), name);

    emulator.faults().add(Fault::CallbackReplayed.times(1));
    client.generate(&receiver.url());
    let first = receiver.next();
    let signed = authorization(&first);
    let again = receiver.next();
    assert_eq!(authorization(&again), signed);

    emulator.faults().add(Fault::CallbackDuplicate.times(1));
    let name = client.generate(&receiver.url());
    for _ in 0..2 {
        let call = receiver.next();
        assert_eq!(Callback::parse(&call.body).unwrap().file_name.as_str(), name);
    }

    emulator.faults().add(Fault::CallbackDelayed(Duration::from_millis(1)).times(1));
    client.generate(&receiver.url());
    receiver.next();
    assert!(emulator.faults().rules().is_empty());
}

#[test]
fn a_lost_answer_does_not_lose_the_callback() {
    let emulator = fixed().start().unwrap();
    let client = Client::new(&emulator);
    let receiver = Receiver::answering([]);
    emulator.faults().add(Fault::CloseBeforeAnswer.times(1));
    let body =
        json!({"request": {"version": "2.0"}, "msgBody": window(&receiver.url())}).to_string();
    assert!(client.post(QUERY, body.as_bytes()).is_none());
    let callback = Callback::parse(&receiver.next().body).unwrap();
    assert_eq!(emulator.files(), [callback.file_name]);
    assert_eq!(emulator.received()[0].status, None);
}

#[test]
fn the_callback_waits_until_the_file_exists() {
    let clock = Arc::new(AtomicI64::new(crate::support::NOW));
    let shared = Arc::clone(&clock);
    let emulator = fixed()
        .clock(move || Timestamp::from_unix_millis(shared.load(Ordering::SeqCst)))
        .ready_after(Duration::from_secs(30))
        .start()
        .unwrap();
    let client = Client::new(&emulator);
    let receiver = Receiver::answering(["yes"]);
    let name = client.generate(&receiver.url());
    assert_eq!(client.download(&name).code(), "0300011");
    assert!(emulator.callbacks().is_empty());
    clock.fetch_add(30_000, Ordering::SeqCst);
    receiver.next();
    assert!(client.download(&name).body.starts_with(b"PK"));
}

/// A receiver behind TLS is another emulator here: it refuses the call, but only after the handshake and the request went well.
#[test]
fn receivers_with_https_are_called_when_their_ca_is_known() {
    let other = Emulator::builder().clock(crate::support::now).start().unwrap();
    let url = format!("{}/CCFS/resource/ccfs/{QUERY}", other.endpoint());
    let known = fixed()
        .callback_root(other.ca_pem().unwrap())
        .callback_attempts(1, Duration::ZERO)
        .start()
        .unwrap();
    Client::new(&known).generate(&url);
    wait_for_callbacks(&known, 1);
    // Both have the same seed and so the same keys; the callback is signed correctly, and does not count as a query.
    assert_eq!(known.callbacks()[0].status, Some(200));
    let received = &other.received()[0];
    assert_eq!(received.access_key.as_deref(), Some(known.access_key()));
    assert_eq!(received.result_code.as_ref().map(ccfs_proto::ResultCode::as_str), Some("0300001"));

    let unknown = fixed().callback_attempts(1, Duration::ZERO).start().unwrap();
    Client::new(&unknown).generate(&url);
    wait_for_callbacks(&unknown, 1);
    assert!(unknown.callbacks()[0].error.as_deref().unwrap().contains("certificate"));
    assert_eq!(other.received().len(), 1);
}
