//! Callbacks: signed, repeated until they are answered, and with faults.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};

use crate::support::{Client, QUERY, Receiver, fixed, window};
use ccfs_emulator::{Developer, Emulator, Fault};
use ccfs_proto::callback::Callback;
use ccfs_proto::{Credentials, Timestamp};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use serde_json::json;

/// Waits until the emulator has written its log, which happens after the receiver has the callback.
fn wait_for_callbacks(emulator: &Emulator, count: usize) {
    let start = Instant::now();
    while emulator.callbacks().len() < count {
        assert!(start.elapsed() < Duration::from_secs(20), "{:?}", emulator.callbacks());
        std::thread::yield_now();
    }
}

#[test]
fn it_calls_with_a_signature_and_the_files_name() {
    let emulator = fixed().start().unwrap();
    let receiver = Receiver::new();
    let name = Client::new(&emulator).generate(&receiver.url());
    let call = receiver.next();
    assert!(call.start.starts_with("POST /hooks/ready?tenant=a%2Fb HTTP/1.1"));
    assert!(call.is_signed_by(&emulator.credentials()));
    assert!(
        !call.is_signed_by(
            &Credentials::from_text(emulator.access_key(), "another".into()).unwrap()
        )
    );
    let callback = Callback::parse(&call.body).unwrap();
    assert_eq!(
        (callback.file_name.as_str(), callback.account_id.as_deref()),
        (name.as_str(), None)
    );
    assert_eq!(call.msg_body(), json!({"responseId": &name[9..41], "agentOprSkillFileName": name}));
    call.answer(Callback::RECEIPT);
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
    let receiver = Receiver::new();
    let mut fields = window(&receiver.url());
    fields["accountId"] = json!("tenant7");
    assert_eq!(Client::new(&emulator).call(QUERY, &fields).code(), "0");
    let call = receiver.next();
    assert_eq!(call.msg_body()["accountId"], "tenant7");
    assert!(call.is_signed_by(&emulator.credentials()));
}

#[test]
fn it_calls_again_while_no_body_comes_and_stops_at_the_limit() {
    let emulator = fixed().callback_attempts(3, Duration::ZERO).start().unwrap();
    let receiver = Receiver::new();
    Client::new(&emulator).generate(&receiver.url());
    receiver.next().answer("");
    receiver.next().answer("");
    receiver.next().answer("");
    wait_for_callbacks(&emulator, 3);
    assert_eq!(emulator.callbacks().iter().map(|call| call.attempt).collect::<Vec<_>>(), [1, 2, 3]);

    Client::new(&emulator).generate(&receiver.url());
    receiver.next().answer("");
    receiver.next().answer("taken");
    wait_for_callbacks(&emulator, 5);

    // A receiver that hangs up counts as one without an answer. Were there a call too many, it would come before these.
    Client::new(&emulator).generate(&receiver.url());
    drop(receiver.next());
    receiver.next().answer("taken");
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
    let receiver = Receiver::new();
    Client::new(&emulator).with_keys("second", "sk2").generate(&receiver.url());
    assert!(receiver.next().is_signed_by(&Credentials::from_text("second", "sk2".into()).unwrap()));
}

#[test]
fn callbacks_go_wrong_by_name() {
    let emulator = fixed().start().unwrap();
    let client = Client::new(&emulator);
    let receiver = Receiver::new();
    let authorization = |call: &crate::support::Call| {
        call.headers.iter().find(|(name, _)| name == "authorization").unwrap().1.clone()
    };

    emulator.faults().add(Fault::CallbackMissing.times(1));
    emulator.faults().add(Fault::CallbackForged.times(1));
    let missing = client.generate(&receiver.url());
    // Downloads do not start jobs: this one does not use up the next fault.
    assert!(client.download(&missing).body.starts_with(b"PK"));
    let name = client.generate(&receiver.url());
    let forged = receiver.next();
    assert!(!forged.is_signed_by(&emulator.credentials()));
    let other = Callback::parse(&forged.body).unwrap().file_name;
    assert!(other.as_str() != name && other.as_str() != missing);
    forged.answer("no");
    let right = receiver.next();
    assert!(right.is_signed_by(&emulator.credentials()));
    assert_eq!(Callback::parse(&right.body).unwrap().file_name.as_str(), name);
    right.answer("yes");

    emulator.faults().add(Fault::CallbackReplayed.times(1));
    client.generate(&receiver.url());
    let first = receiver.next();
    let signed = authorization(&first);
    first.answer("yes");
    let again = receiver.next();
    assert_eq!(authorization(&again), signed);
    again.answer("yes");

    emulator.faults().add(Fault::CallbackDuplicate.times(1));
    let name = client.generate(&receiver.url());
    for _ in 0..2 {
        let call = receiver.next();
        assert_eq!(Callback::parse(&call.body).unwrap().file_name.as_str(), name);
        call.answer("yes");
    }

    emulator.faults().add(Fault::CallbackDelayed(Duration::from_millis(1)).times(1));
    client.generate(&receiver.url());
    receiver.next().answer("yes");
    assert!(emulator.faults().rules().is_empty());
}

#[test]
fn a_lost_answer_does_not_lose_the_callback() {
    let emulator = fixed().start().unwrap();
    let client = Client::new(&emulator);
    let receiver = Receiver::new();
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
    let receiver = Receiver::new();
    let name = client.generate(&receiver.url());
    assert_eq!(client.download(&name).code(), "0300011");
    assert!(emulator.callbacks().is_empty());
    clock.fetch_add(30_000, Ordering::SeqCst);
    receiver.next().answer("yes");
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

/// A receiver behind TLS that shows a certificate of the emulator's own CA.
#[test]
fn receivers_with_a_certificate_of_its_own_ca_are_trusted() {
    let emulator = Emulator::builder().clock(crate::support::now).rows(1).start().unwrap();
    let identity = emulator.receiver_identity().unwrap();
    let chain = vec![CertificateDer::from_pem_slice(identity.certificate_pem.as_bytes()).unwrap()];
    let key = PrivateKeyDer::from_pem_slice(identity.key_pem.as_bytes()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap();
    let config = Arc::new(config.with_no_client_auth().with_single_cert(chain, key).unwrap());
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("https://localhost:{}/ready", listener.local_addr().unwrap().port());

    let receiver = std::thread::spawn(move || {
        let (stream, _) = listener.accept().unwrap();
        let mut tls =
            rustls::StreamOwned::new(rustls::ServerConnection::new(config).unwrap(), stream);
        let mut request = Vec::new();
        let mut byte = [0];
        // The body ends with the second closing brace after the head.
        while !request.ends_with(b"}}") {
            tls.read_exact(&mut byte).unwrap();
            request.push(byte[0]);
        }
        tls.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\ntaken").unwrap();
        tls.flush().unwrap();
        String::from_utf8(request).unwrap()
    });
    ask_over_tls(&emulator, &url);
    let request = receiver.join().unwrap();
    assert!(
        request.starts_with("POST /ready HTTP/1.1\r\n")
            && request.contains(emulator.files()[0].as_str()),
        "{request}"
    );
    wait_for_callbacks(&emulator, 1);
    assert_eq!(emulator.callbacks()[0].answer_len, 5);
}

/// A query over TLS with rustls, which trusts the emulator's CA.
fn ask_over_tls(emulator: &Emulator, callback: &str) {
    let mut roots = rustls::RootCertStore::empty();
    roots
        .add(CertificateDer::from_pem_slice(emulator.ca_pem().unwrap().as_bytes()).unwrap())
        .unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap();
    let config = Arc::new(config.with_root_certificates(roots).with_no_client_auth());
    let connection =
        rustls::ClientConnection::new(config, "127.0.0.1".try_into().unwrap()).unwrap();
    let mut tls =
        rustls::StreamOwned::new(connection, TcpStream::connect(emulator.address()).unwrap());
    let body = json!({"request": {"version": "2.0"}, "msgBody": window(callback)}).to_string();
    tls.write_all(&Client::new(emulator).request(QUERY, body.as_bytes())).unwrap();
    let mut answer = String::new();
    tls.read_to_string(&mut answer).unwrap();
    assert!(answer.contains("\"resultCode\":\"0\""), "{answer}");
}
