//! The listener's own behaviour, not its decisions: waiting, stopping, TLS, limits of time and number.

use std::future::Future;
use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};
use std::time::Duration;

use crate::support::{ANY_PORT, Call, LONG, builder, event, fresh, send, send_in};
use ccfs_emulator::Emulator;
use ccfs_listener::{Listener, Refusal, TlsError};
use ccfs_proto::Timestamp;
use ccfs_proto::callback::{Begin, JobKey, ReplayGuard};
use ccfs_tests::{Backend, Blocking, Setup, query_to, wait_until};

/// Polls a future, and parks the thread until it is woken.
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
    let listener = builder().bind(ANY_PORT.into()).unwrap();
    let (address, callback) = (listener.address(), fresh());
    thread::scope(|scope| {
        let waits = scope.spawn(|| block_on(listener.next()).unwrap());
        // Dropping a future loses no event.
        let mut dropped = Box::pin(listener.next());
        let waker = Waker::noop();
        let _ = dropped.as_mut().poll(&mut Context::from_waker(waker));
        drop(dropped);
        assert_eq!(send(address, &Call::of(&callback).bytes()).0, 200);
        assert_eq!(waits.join().unwrap().callback, Ok(callback));
    });
}

#[test]
fn a_port_that_is_taken_is_an_error_also_in_a_runtime() {
    let taken = builder().bind(ANY_PORT.into()).unwrap();
    let bind = || builder().bind(taken.address()).unwrap_err().kind();
    assert_eq!(bind(), ErrorKind::AddrInUse);
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    assert_eq!(runtime.block_on(async { bind() }), ErrorKind::AddrInUse);
}

#[test]
fn try_recv_does_not_wait() {
    let listener = builder().bind(ANY_PORT.into()).unwrap();
    assert_eq!(listener.try_recv(), None);
    let callback = fresh();
    assert_eq!(send(listener.address(), &Call::of(&callback).bytes()).0, 200);
    // The answer is sent before the event is queued.
    let mut event = None;
    wait_until("an event", || {
        event = listener.try_recv();
        event.is_some()
    });
    let event = event.unwrap();
    assert_eq!(event, ccfs_listener::Event::new(event.peer, event.at, Ok(callback)));
    assert_eq!(listener.try_recv(), None);
}

#[test]
fn a_malformed_path_is_refused() {
    for path in ["callback", "", "/callback?a=b", "/a#b"] {
        let refused = builder().path(path).bind(ANY_PORT.into()).unwrap_err();
        assert_eq!(refused.kind(), std::io::ErrorKind::InvalidInput);
        assert!(refused.to_string().contains("begins with /"), "{refused}");
    }
}

#[test]
fn stopping_wakes_waiting_callers_and_closes_the_port() {
    let listener = builder().bind(ANY_PORT.into()).unwrap();
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
        assert_eq!(taken, 1, "an event in the queue is handed out after stopping");
    });
    assert!(TcpStream::connect(address).is_err());
    assert!(listener.recv().is_none() && listener.recv_timeout(LONG).is_none());
}

#[test]
fn dropping_closes_the_port_although_a_connection_is_open() {
    let listener = builder().bind(ANY_PORT.into()).unwrap();
    let address = listener.address();
    let mut open = TcpStream::connect(address).unwrap();
    open.write_all(b"POST /callback HTTP/1.1\r\n").unwrap();
    drop(listener);
    assert!(TcpStream::connect(address).is_err());
    open.set_read_timeout(Some(LONG)).unwrap();
    assert!(matches!(open.read(&mut [0; 16]), Ok(0) | Err(_)));
    // The port can be bound again.
    builder().bind(address).unwrap();
}

#[test]
fn slow_bodies_are_refused() {
    let limit = Duration::from_millis(100);
    let listener = builder().body_timeout(limit).bind(ANY_PORT.into()).unwrap();
    let bytes = Call::of(&fresh()).bytes();
    assert_eq!(send_in(listener.address(), &[&bytes[..bytes.len() - 1]]).0, 408);
    assert_eq!(event(&listener).callback.unwrap_err(), Refusal::TooSlow { limit });
}

/// Before the callbacks in the queue are written somewhere else, no more are accepted.
#[test]
fn after_stop_accepting_new_callbacks_get_503() {
    let listener = builder().bind(ANY_PORT.into()).unwrap();
    let (queued, refused) = (fresh(), fresh());
    assert_eq!(send(listener.address(), &Call::of(&queued).bytes()).0, 200);
    listener.stop_accepting();
    for _ in 0..2 {
        assert_eq!(send(listener.address(), &Call::of(&refused).bytes()).0, 503);
    }
    // It was accepted before.
    assert_eq!(send(listener.address(), &Call::of(&queued).bytes()).0, 200);
    listener.stop();
    assert_eq!(event(&listener).callback, Ok(queued));
    assert_eq!(event(&listener).callback, Err(Refusal::Duplicate));
    assert_eq!(listener.recv(), None);
}

#[test]
fn an_infinite_timeout_is_allowed() {
    let listener = builder()
        .head_timeout(Duration::MAX)
        .body_timeout(Duration::MAX)
        .bind(ANY_PORT.into())
        .unwrap();
    assert_eq!(send(listener.address(), &Call::of(&fresh()).bytes()).0, 200);
    assert!(event(&listener).callback.is_ok());
}

#[test]
fn an_incomplete_body_is_reported() {
    let listener = builder().bind(ANY_PORT.into()).unwrap();
    let bytes = Call::of(&fresh()).bytes();
    let mut stream = TcpStream::connect(listener.address()).unwrap();
    stream.write_all(&bytes[..bytes.len() - 1]).unwrap();
    drop(stream);
    assert_eq!(event(&listener).callback.unwrap_err(), Refusal::Broken);
}

/// Refusals have a separate limit; further ones are counted.
#[test]
fn floods_of_refusals_are_bounded() {
    let listener = builder().queue_limit(1).bind(ANY_PORT.into()).unwrap();
    let get = b"GET / HTTP/1.1\r\nhost: a\r\n\r\n";
    for _ in 0..1030 {
        assert_eq!(send(listener.address(), get).0, 405);
    }
    let callback = fresh();
    assert_eq!(send(listener.address(), &Call::of(&callback).bytes()).0, 200);
    let events: Vec<_> = (0..1025).map(|_| event(&listener)).collect();
    assert_eq!(events[1024].callback, Ok(callback));
    assert_eq!(listener.dropped_refusals(), 6);
    assert!(listener.recv_timeout(Duration::ZERO).is_none());
}

/// A guard that fails at first, and then says that another listener has the job.
struct CustomGuard {
    answers: Vec<Result<Begin, &'static str>>,
}

impl ReplayGuard for CustomGuard {
    type Error = &'static str;

    fn begin(&mut self, _: &JobKey, _: Timestamp) -> Result<Begin, &'static str> {
        self.answers.pop().unwrap_or(Ok(Begin::First))
    }

    fn commit(&mut self, _: &JobKey, _: Timestamp) -> Result<bool, &'static str> {
        Ok(true)
    }

    fn roll_back(&mut self, _: &JobKey) -> Result<(), &'static str> {
        Ok(())
    }
}

#[test]
fn a_custom_guard_decides() {
    let answers = vec![Ok(Begin::Done), Ok(Begin::First), Ok(Begin::Pending), Err("no connection")];
    let listener = builder().replay_guard(CustomGuard { answers }).bind(ANY_PORT.into()).unwrap();
    let callback = fresh();
    let statuses: Vec<u16> =
        (0..4).map(|_| send(listener.address(), &Call::of(&callback).bytes()).0).collect();
    assert_eq!(statuses, [503, 503, 200, 200]);
    let refusal = event(&listener).callback.unwrap_err();
    assert_eq!(refusal, Refusal::Guard("no connection".to_owned()));
    // The pending one has no event.
    assert_eq!(event(&listener).callback, Ok(callback));
    assert_eq!(event(&listener).callback, Err(Refusal::Duplicate));
}

/// A guard whose store panics while it is down.
struct Panicking(Arc<AtomicBool>);

impl ReplayGuard for Panicking {
    type Error = &'static str;

    fn begin(&mut self, _: &JobKey, _: Timestamp) -> Result<Begin, &'static str> {
        Ok(Begin::First)
    }

    fn commit(&mut self, _: &JobKey, _: Timestamp) -> Result<bool, &'static str> {
        assert!(!self.0.load(Ordering::SeqCst), "the store is down");
        Ok(true)
    }

    fn roll_back(&mut self, _: &JobKey) -> Result<(), &'static str> {
        Ok(())
    }
}

#[test]
fn a_guard_that_panics_does_not_fill_the_queue() {
    let is_down = Arc::new(AtomicBool::new(true));
    let guard = Panicking(is_down.clone());
    let listener = builder().queue_limit(1).replay_guard(guard).bind(ANY_PORT.into()).unwrap();
    let callback = fresh();
    let request = Call::of(&callback).bytes();
    for _ in 0..3 {
        // The connection ends without an answer, so the server calls again.
        assert_eq!(send(listener.address(), &request).0, 0);
    }
    is_down.store(false, Ordering::SeqCst);
    assert_eq!(send(listener.address(), &request).0, 200);
    assert_eq!(event(&listener).callback, Ok(callback));
}

/// The emulator calls over TLS and verifies the certificate, which is of a CA that it was given or of its own.
#[test]
fn the_emulator_calls_over_tls() {
    let authority = Emulator::builder().start().unwrap();
    let calls = Emulator::builder().callback_root(authority.ca_pem().unwrap()).seed(2);
    let calls = calls.start().unwrap();
    for (emulator, authority) in [(&calls, &authority), (&calls, &calls)] {
        let identity = authority.receiver_identity().unwrap();
        let builder = Listener::builder(&emulator.credentials()).path("/cb");
        let builder =
            builder.tls(identity.certificate_pem.as_bytes(), identity.key_pem.as_bytes()).unwrap();
        let listener = builder.bind(ANY_PORT.into()).unwrap();

        let mut setup = Setup::new(emulator.endpoint().clone(), emulator.credentials());
        setup.ca_pem = emulator.ca_pem().map(str::to_owned);
        let query = query_to(&format!("https://{}/cb", listener.address()));
        let job = Blocking.client(&setup).query(query).unwrap();
        assert_eq!(event(&listener).callback.unwrap().response_id, job.response_id);
    }
}

#[test]
fn certificates_and_keys_are_checked_immediately() {
    let emulator = Emulator::builder().start().unwrap();
    let (identity, other) =
        (emulator.receiver_identity().unwrap(), emulator.client_identity().unwrap());
    let (certificate, key) = (identity.certificate_pem.as_bytes(), identity.key_pem.as_bytes());
    let tls = |certificate: &[u8], key: &[u8]| builder().tls(certificate, key).unwrap_err();
    assert_eq!(tls(key, key), TlsError::Certificate);
    assert_eq!(tls(certificate, certificate), TlsError::Key);
    assert_eq!(tls(certificate, other.key_pem.as_bytes()), TlsError::Mismatch);
    let long = vec![b'a'; 2 << 20];
    assert!(matches!(tls(&long, key), TlsError::TooLarge { len, .. } if len == 2 << 20));
    let shown = format!("{:?}", builder().tls(certificate, key).unwrap());
    assert!(shown.contains("tls: true") && !shown.contains("PRIVATE"), "{shown}");
}
