//! Connections that never become a request: why is reported, at most once a second, and how many
//! there may be.

use std::collections::VecDeque;
use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::support::{ANY_PORT, Call, LONG, ManualClock, builder, event, fresh, send};
use ccfs_driver::Clock as _;
use ccfs_emulator::Emulator;
use ccfs_listener::{ConnectionError, ConnectionFault, Listener, ListenerBuilder};
use rustls::version::{TLS12, TLS13};
use rustls::{ClientConfig, ClientConnection, RootCertStore, SupportedProtocolVersion};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;

/// A listener, and what it reports.
fn reporting(builder: ListenerBuilder) -> (Listener, Receiver<ConnectionError>) {
    let (tell, errors) = channel();
    let tell = Mutex::new(tell);
    let builder = builder.on_connection_error(move |error| {
        tell.lock().unwrap().send(error).unwrap();
    });
    (builder.bind(ANY_PORT.into()).unwrap(), errors)
}

fn with_tls(emulator: &Emulator) -> ListenerBuilder {
    let identity = emulator.receiver_identity().unwrap();
    let (certificate, key) = (identity.certificate_pem.as_bytes(), identity.key_pem.as_bytes());
    builder().tls(certificate, key).unwrap()
}

/// Sends these bytes, closes the sending side, and waits until the listener closes.
fn send_only(address: SocketAddr, bytes: &[u8]) {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(LONG)).unwrap();
    stream.write_all(bytes).unwrap();
    let _ = stream.shutdown(Shutdown::Write);
    let _ = stream.read_to_end(&mut Vec::new());
}

/// Attempts a TLS handshake as a client that trusts this emulator's CA.
fn handshake(
    address: SocketAddr,
    authority: &Emulator,
    name: &'static str,
    version: &'static SupportedProtocolVersion,
) {
    let mut roots = RootCertStore::empty();
    let ca = authority.ca_pem().unwrap();
    roots.add(CertificateDer::from_pem_slice(ca.as_bytes()).unwrap()).unwrap();
    let config = ClientConfig::builder_with_provider(ccfs_tls::provider())
        .with_protocol_versions(&[version])
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(LONG)).unwrap();
    let name = name.try_into().unwrap();
    let mut tls = ClientConnection::new(Arc::new(config), name).unwrap();
    while tls.is_handshaking() && tls.complete_io(&mut stream).is_ok() {}
    let _ = stream.shutdown(Shutdown::Write);
    let _ = stream.read_to_end(&mut Vec::new());
}

const CLIENT_HELLO: &[u8] = &[0x16, 3, 1, 0, 5, 1, 0, 0, 1, 3];
const PROXY_1: &[u8] = b"PROXY TCP4 192.0.2.1 192.0.2.2 51234 9080\r\n";
const PROXY_2: &[u8] =
    b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0C\xC0\0\x02\x01\xC0\0\x02\x02\xC8\x22\x23\x78";

#[test]
fn plain_listeners_report_why_a_connection_has_no_request() {
    let request = Call::of(&fresh()).bytes();
    let prefixed = |prefix: &[u8]| [prefix, &request].concat();
    for (bytes, fault) in [
        (CLIENT_HELLO.to_vec(), ConnectionFault::Tls),
        (prefixed(PROXY_1), ConnectionFault::ProxyProtocol),
        (prefixed(PROXY_2), ConnectionFault::ProxyProtocol),
        (b"\x80\x01garbage\r\n\r\n".to_vec(), ConnectionFault::Unknown),
        (request[..40].to_vec(), ConnectionFault::Incomplete),
        (
            [&b"POST / HTTP/1.1\r\na: "[..], &vec![b'a'; 100_000]].concat(),
            ConnectionFault::HeadTooLarge,
        ),
    ] {
        let (listener, errors) = reporting(builder());
        // A health check is not reported.
        send_only(listener.address(), b"");
        send_only(listener.address(), &bytes);
        let error = errors.recv_timeout(LONG).unwrap();
        assert_eq!((error.fault, error.suppressed), (fault, 0));
        assert_eq!(error.at, crate::support::NOW);
        // A request works, and is not reported.
        assert_eq!(send(listener.address(), &Call::of(&fresh()).bytes()).0, 200);
        assert!(event(&listener).callback.is_ok());
        listener.stop();
        assert_eq!(errors.try_iter().count(), 0, "{fault:?}");
    }
}

#[test]
fn tls_listeners_report_why_a_connection_has_no_request() {
    let emulator = Emulator::builder().start().unwrap();
    let request = Call::of(&fresh()).bytes();
    for (bytes, fault) in [
        (request.clone(), ConnectionFault::PlainHttp),
        ([PROXY_1, CLIENT_HELLO].concat(), ConnectionFault::ProxyProtocol),
        ([PROXY_2, CLIENT_HELLO].concat(), ConnectionFault::ProxyProtocol),
        (b"\x80\x01garbage".to_vec(), ConnectionFault::Unknown),
        (CLIENT_HELLO[..7].to_vec(), ConnectionFault::HandshakeEnded),
    ] {
        let (listener, errors) = reporting(with_tls(&emulator));
        send_only(listener.address(), b"");
        send_only(listener.address(), &bytes);
        assert_eq!(errors.recv_timeout(LONG).unwrap().fault, fault);
        listener.stop();
        assert_eq!(errors.try_iter().count(), 0, "{fault:?}");
    }
}

/// The client ends the handshake with an alert, in both versions of TLS.
#[test]
fn a_client_that_does_not_trust_the_certificate_is_reported() {
    let emulator = Emulator::builder().start().unwrap();
    let stranger = Emulator::builder().seed(99).start().unwrap();
    for version in [&TLS12, &TLS13] {
        for (authority, name) in [(&stranger, "localhost"), (&emulator, "ccfs.example.com")] {
            let (listener, errors) = reporting(with_tls(&emulator));
            handshake(listener.address(), authority, name, version);
            let error = errors.recv_timeout(LONG).unwrap();
            assert_eq!(error.fault, ConnectionFault::CertificateRejected, "{version:?} {name}");
        }
    }
}

/// A flood of connections is one report a second, with the number of the others.
#[test]
fn reports_are_limited_by_the_listeners_clock() {
    let clock = ManualClock::default();
    let (listener, errors) = reporting(builder().clock(clock.clone()));
    let begin = |bytes| {
        send_only(listener.address(), bytes);
        // The listener has one thread: after this answer, the connection before is reported.
        assert_eq!(send(listener.address(), b"GET / HTTP/1.1\r\nhost: a\r\n\r\n").0, 405);
    };
    for _ in 0..10 {
        begin(CLIENT_HELLO);
    }
    // Another fault has its own limit.
    begin(PROXY_1);
    clock.wait(Duration::from_millis(999));
    begin(CLIENT_HELLO);
    clock.wait(Duration::from_millis(1));
    begin(CLIENT_HELLO);
    listener.stop();
    let reported: Vec<_> = errors.try_iter().map(|error| (error.fault, error.suppressed)).collect();
    let expected = [
        (ConnectionFault::Tls, 0),
        (ConnectionFault::ProxyProtocol, 0),
        (ConnectionFault::Tls, 10),
    ];
    assert_eq!(reported, expected);
}

#[test]
fn a_slow_head_or_handshake_is_ended_and_reported() {
    let emulator = Emulator::builder().start().unwrap();
    for (builder, bytes) in
        [(builder(), &b"POST / HTTP/1.1\r\nhost"[..]), (with_tls(&emulator), &CLIENT_HELLO[..7])]
    {
        let (listener, errors) = reporting(builder.head_timeout(Duration::from_millis(100)));
        // The sending side stays open.
        assert_eq!(crate::support::send(listener.address(), bytes).0, 0);
        assert_eq!(errors.recv_timeout(LONG).unwrap().fault, ConnectionFault::TooSlow);
    }
}

/// So do refusals, by their reason. Each is an event, but most say that they need no log line.
#[test]
fn refusals_are_limited_like_connection_errors() {
    let clock = ManualClock::default();
    let listener = builder().clock(clock.clone()).path("/callback").bind(ANY_PORT.into()).unwrap();
    let get = |path: &str| {
        let request = format!("POST {path} HTTP/1.1\r\nhost: a\r\ncontent-length: 0\r\n\r\n");
        send(listener.address(), request.as_bytes());
        event(&listener).suppressed
    };
    assert_eq!(["/a", "/b", "/callback", "/a"].map(get), [Some(0), None, Some(0), None]);
    clock.wait(Duration::from_millis(999));
    assert_eq!(get("/a"), None);
    clock.wait(Duration::from_millis(1));
    assert_eq!(["/c", "/callback", "/a"].map(get), [Some(3), Some(0), None]);
    // Callbacks are not limited.
    for _ in 0..2 {
        send(listener.address(), &Call::of(&fresh()).bytes());
        assert_eq!(event(&listener).suppressed, Some(0));
    }
}

/// Opens connections that send this and then wait. Keeps the newest, because a process may have
/// few files open.
fn open_many(address: SocketAddr, count: usize, bytes: &[u8]) -> VecDeque<TcpStream> {
    let mut open = VecDeque::new();
    for _ in 0..count {
        let mut stream = TcpStream::connect(address).unwrap();
        stream.write_all(bytes).unwrap();
        open.push_back(stream);
        if open.len() > 300 {
            open.pop_front();
        }
    }
    open
}

#[test]
fn two_thousand_slow_connections_do_not_keep_a_callback_out() {
    let request = Call::of(&fresh()).bytes();
    let without_body = &request[..request.len() - 20];
    for bytes in [b"", &b"P"[..], without_body] {
        let (listener, errors) = reporting(builder());
        let _open = open_many(listener.address(), 2000, bytes);
        let callback = fresh();
        assert_eq!(send(listener.address(), &Call::of(&callback).bytes()).0, 200);
        let accepted = std::iter::repeat_with(|| event(&listener).callback);
        assert_eq!(accepted.flatten().next(), Some(callback));
        // A connection that the test closes may be read first.
        let mut faults = std::iter::repeat_with(|| errors.recv_timeout(LONG).unwrap().fault);
        let fault = faults.find(|fault| *fault != ConnectionFault::Incomplete);
        assert_eq!(fault, Some(ConnectionFault::PeerLimit));
    }
}

#[test]
fn the_limit_of_all_connections_closes_the_oldest() {
    let (listener, errors) = reporting(builder().connection_limit(10).peer_connection_limit(1000));
    let mut open = open_many(listener.address(), 11, b"P");
    assert_eq!(errors.recv_timeout(LONG).unwrap().fault, ConnectionFault::ConnectionLimit);
    let mut oldest = open.pop_front().unwrap();
    oldest.set_read_timeout(Some(LONG)).unwrap();
    assert!(matches!(oldest.read(&mut [0; 16]), Ok(0) | Err(_)));
    assert_eq!(send(listener.address(), &Call::of(&fresh()).bytes()).0, 200);
}

/// More connections at once than one address may have: each is read before the next one closes it.
#[test]
fn a_burst_of_callbacks_from_one_address_is_answered() {
    let (listener, errors) = reporting(builder());
    let mut open: Vec<TcpStream> = (0..300)
        .map(|_| {
            let mut stream = TcpStream::connect(listener.address()).unwrap();
            stream.write_all(&Call::of(&fresh()).bytes()).unwrap();
            stream
        })
        .collect();
    for stream in &mut open {
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    }
    assert_eq!(errors.try_iter().count(), 0);
}
