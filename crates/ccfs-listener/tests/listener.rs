//! What a listener does beside deciding: waiting, stopping, TLS, bounds of time and number.
#![allow(clippy::unwrap_used)]

mod support;

use std::future::Future;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

use ccfs_emulator::Emulator;
use ccfs_listener::{Listener, Refusal, TlsError};
use ccfs_proto::{ReplayGuard, RequestView, Signer, Timestamp};
use support::{ANY_PORT, Call, LONG, event, fresh, send, standing};

/// A runtime of nobody's: polls, and parks its thread until it is woken.
fn block_on<F: Future>(future: F) -> F::Output {
    struct Unpark(Thread);
    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut future = pin!(future);
    loop {
        match future.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(output) => return output,
            Poll::Pending => thread::park(),
        }
    }
}

#[test]
fn async_callers_need_no_runtime() {
    let listener = standing().bind(ANY_PORT.into()).unwrap();
    let (address, callback) = (listener.address(), fresh());
    thread::scope(|scope| {
        let waits = scope.spawn(|| block_on(listener.next()).unwrap());
        // A future that was dropped takes no event with it.
        let mut dropped = Box::pin(listener.next());
        let waker = Waker::noop();
        let _ = dropped.as_mut().poll(&mut Context::from_waker(waker));
        drop(dropped);
        assert_eq!(send(address, &Call::of(&callback).bytes()).0, 200);
        assert_eq!(waits.join().unwrap().callback, Ok(callback));
    });
}

#[test]
fn who_does_not_want_to_wait_asks_for_what_is_there() {
    let listener = standing().bind(ANY_PORT.into()).unwrap();
    assert_eq!(listener.try_recv(), None);
    let callback = fresh();
    assert_eq!(send(listener.address(), &Call::of(&callback).bytes()).0, 200);
    // The answer goes before the event.
    let begin = Instant::now();
    let event = loop {
        if let Some(event) = listener.try_recv() {
            break event;
        }
        assert!(begin.elapsed() < LONG, "the event does not come");
        thread::sleep(Duration::from_millis(1));
    };
    assert_eq!(event, ccfs_listener::Event::new(event.peer, event.at, Ok(callback)));
    assert_eq!(listener.try_recv(), None);
}

#[test]
fn a_path_that_no_request_can_have_is_refused() {
    for path in ["callback", "", "/callback?a=b", "/a#b"] {
        let refused = standing().path(path).bind(ANY_PORT.into()).unwrap_err();
        assert_eq!(refused.kind(), std::io::ErrorKind::InvalidInput);
        assert!(refused.to_string().contains("begins with /"), "{refused}");
    }
}

#[test]
fn stopping_wakes_who_waits_and_closes_the_port() {
    let listener = standing().bind(ANY_PORT.into()).unwrap();
    let (address, callback) = (listener.address(), fresh());
    assert_eq!(send(address, &Call::of(&callback).bytes()).0, 200);
    let first = event(&listener);
    assert_eq!((first.callback, first.peer.ip()), (Ok(callback), address.ip()));
    assert_eq!(send(address, &Call::of(&fresh()).bytes()).0, 200);
    thread::scope(|scope| {
        let waits = [
            scope.spawn(|| (listener.recv(), listener.recv())),
            scope.spawn(|| (block_on(listener.next()), None)),
        ];
        listener.stop();
        let taken = waits
            .into_iter()
            .map(|wait| wait.join().unwrap())
            .flat_map(|(one, two)| [one, two])
            .flatten()
            .count();
        assert_eq!(taken, 1, "what was there is still handed out");
    });
    assert!(TcpStream::connect(address).is_err());
    assert!(listener.recv().is_none() && listener.recv_timeout(LONG).is_none());
}

#[test]
fn dropping_closes_the_port_although_a_connection_is_open() {
    let listener = standing().bind(ANY_PORT.into()).unwrap();
    let address = listener.address();
    let mut open = TcpStream::connect(address).unwrap();
    open.write_all(b"POST /callback HTTP/1.1\r\n").unwrap();
    drop(listener);
    assert!(TcpStream::connect(address).is_err());
    open.set_read_timeout(Some(LONG)).unwrap();
    assert!(matches!(open.read(&mut [0; 16]), Ok(0) | Err(_)));
    // And the port can be had again.
    standing().bind(address).unwrap();
}

#[test]
fn slow_callers_are_refused_and_hold_no_place_for_long() {
    let patience = Duration::from_millis(100);
    let listener = standing().patience(patience).connection_limit(1).bind(ANY_PORT.into()).unwrap();
    let bytes = Call::of(&fresh()).bytes();
    // A head, and a body, that never end.
    let mut head = TcpStream::connect(listener.address()).unwrap();
    head.write_all(&bytes[..40]).unwrap();
    let mut body = TcpStream::connect(listener.address()).unwrap();
    body.write_all(&bytes[..bytes.len() - 1]).unwrap();
    // The only place is theirs, one after the other, and then this one's.
    assert_eq!(send(listener.address(), &bytes).0, 200);
    assert_eq!(event(&listener).callback.unwrap_err(), Refusal::TooSlow { limit: patience });
    assert!(event(&listener).callback.is_ok());
    let mut answer = String::new();
    body.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 408 "), "{answer}");
}

#[test]
fn patience_without_end_is_no_error() {
    let listener = standing().patience(Duration::MAX).bind(ANY_PORT.into()).unwrap();
    assert_eq!(send(listener.address(), &Call::of(&fresh()).bytes()).0, 200);
    assert!(event(&listener).callback.is_ok());
}

#[test]
fn a_body_that_breaks_off_is_told() {
    let listener = standing().bind(ANY_PORT.into()).unwrap();
    let bytes = Call::of(&fresh()).bytes();
    let mut stream = TcpStream::connect(listener.address()).unwrap();
    stream.write_all(&bytes[..bytes.len() - 1]).unwrap();
    drop(stream);
    assert_eq!(event(&listener).callback.unwrap_err(), Refusal::Broken);
}

/// Refusals wait in places of their own, and past those they are counted.
#[test]
fn floods_of_refusals_are_bounded() {
    let listener = standing().queue_limit(1).bind(ANY_PORT.into()).unwrap();
    let get = b"GET / HTTP/1.1\r\nhost: a\r\n\r\n";
    for _ in 0..1030 {
        assert_eq!(send(listener.address(), get).0, 405);
    }
    let callback = fresh();
    assert_eq!(send(listener.address(), &Call::of(&callback).bytes()).0, 200);
    let events: Vec<_> = (0..1025).map(|_| event(&listener)).collect();
    assert_eq!(events[1024].callback, Ok(callback));
    assert_eq!(listener.untold_refusals(), 6);
    assert!(listener.recv_timeout(Duration::ZERO).is_none());
}

#[test]
fn a_guard_of_the_callers_is_asked() {
    struct Never;
    impl ReplayGuard for Never {
        fn is_new(&mut self, _: &str, _: Timestamp) -> bool {
            false
        }
    }
    let listener = standing().replay_guard(Never).bind(ANY_PORT.into()).unwrap();
    assert_eq!(send(listener.address(), &Call::of(&fresh()).bytes()).0, 200);
    assert!(event(&listener).callback.unwrap_err().to_string().contains("used before"));
}

/// The emulator calls over TLS, and checks the certificate.
#[test]
fn the_emulator_calls_over_tls() {
    let authority = Emulator::builder().start().unwrap();
    let identity = authority.receiver_identity().unwrap();
    let emulator =
        Emulator::builder().plain().callback_root(authority.ca_pem().unwrap()).start().unwrap();
    let builder = Listener::builder(&emulator.credentials()).path("/cb");
    let listener =
        builder.tls(identity.certificate_pem.as_bytes(), identity.key_pem.as_bytes()).unwrap();
    let listener = listener.bind(ANY_PORT.into()).unwrap();

    let fields = r#"{"request":{"version":"2.0"},"msgBody":{"beginTime":"2023-04-05 00:00:00","endTime":"2023-04-06 00:00:00","callBackURL":"HERE"}}"#;
    let body = fields.replace("HERE", &format!("https://{}/cb", listener.address()));
    let (path, host, length) = (
        "/CCFS/resource/ccfs/queryAgentSkillInfoData",
        emulator.address().to_string(),
        body.len().to_string(),
    );
    let headers = [
        ("host", host.as_str()),
        ("content-type", "application/json"),
        ("content-length", length.as_str()),
    ];
    let view =
        RequestView { method: "POST", path, query: &[], headers: &headers, body: body.as_bytes() };
    let authorization = Signer::new(&emulator.credentials()).sign(view, emulator.now()).unwrap();
    let lines = headers.map(|(name, value)| format!("{name}: {value}\r\n")).concat();
    let authorization = authorization.to_str().unwrap();
    let head = format!(
        "POST {path} HTTP/1.1\r\n{lines}authorization: {authorization}\r\nconnection: close\r\n\r\n"
    );
    let (status, answer) = send(emulator.address(), format!("{head}{body}").as_bytes());
    assert!(status == 200 && answer.contains("responseId"), "{status} {answer}");
    assert_eq!(event(&listener).callback.unwrap().file_name, emulator.files()[0]);
}

#[test]
fn certificates_and_keys_are_checked_at_once() {
    let emulator = Emulator::builder().start().unwrap();
    let (identity, other) =
        (emulator.receiver_identity().unwrap(), emulator.client_identity().unwrap());
    let (certificate, key) = (identity.certificate_pem.as_bytes(), identity.key_pem.as_bytes());
    let tls = |certificate: &[u8], key: &[u8]| standing().tls(certificate, key).unwrap_err();
    assert_eq!(tls(key, key), TlsError::Certificate);
    assert_eq!(tls(certificate, certificate), TlsError::Key);
    assert_eq!(tls(certificate, other.key_pem.as_bytes()), TlsError::Mismatch);
    let long = vec![b'a'; 2 << 20];
    assert!(matches!(tls(&long, key), TlsError::TooLarge { len, .. } if len == 2 << 20));
    let shown = format!("{:?}", standing().tls(certificate, key).unwrap());
    assert!(shown.contains("tls: true") && !shown.contains("PRIVATE"), "{shown}");
}
