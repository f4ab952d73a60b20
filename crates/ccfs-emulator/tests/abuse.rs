//! What a stranger can make the emulator keep.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use crate::support::{Client, QUERY, fixed, send};
use ccfs_emulator::{Fault, Lockout, SignatureVerdict};
use ccfs_tests::http::read_answer;
use serde_json::json;

#[test]
fn only_bodies_with_a_valid_signature_are_parsed_and_kept() {
    let lockout = Lockout { failures: 3, ..Lockout::default() };
    let emulator = fixed().lockout(lockout).start().unwrap();
    let client = Client::new(&emulator);
    let last = || emulator.received().pop().unwrap();
    let body = json!({"msgBody": {"responseId": "1"}}).to_string();
    let signed = client.request(QUERY, body.as_bytes());
    let signed = String::from_utf8(signed).unwrap();

    // Also if a fault answers instead.
    for (fault, verdict) in
        [(None, SignatureVerdict::Accepted), (Some(Fault::Busy(0)), SignatureVerdict::NotChecked)]
    {
        emulator.faults().clear();
        if let Some(fault) = fault {
            emulator.faults().add(fault);
        }
        send(emulator.address(), signed.as_bytes()).unwrap();
        assert_eq!(last().signature, verdict);
        assert_eq!(last().msg_body, Some(json!({"responseId": "1"})));
    }
    emulator.faults().clear();

    let unsigned = signed.replace("authorization: ", "other: ");
    let changed = signed.replace(r#""1""#, r#""2""#);
    let other_path = signed.replace(QUERY, "unknown");
    for (request, verdict) in [
        (unsigned, SignatureVerdict::Refused),
        (changed.clone(), SignatureVerdict::Refused),
        (other_path, SignatureVerdict::NotChecked),
        (changed, SignatureVerdict::Refused),
        (signed, SignatureVerdict::Locked),
    ] {
        send(emulator.address(), request.as_bytes()).unwrap();
        assert_eq!((last().signature, last().msg_body), (verdict, None), "{request}");
        assert_eq!(last().body_len, body.len());
    }
}

#[test]
fn a_body_that_does_not_end_is_refused() {
    let emulator = fixed().body_timeout(Duration::from_millis(100)).start().unwrap();
    let request = Client::new(&emulator).request(QUERY, b"{}");
    let answer = send(emulator.address(), &request[..request.len() - 1]).unwrap();
    assert_eq!(answer.status, 408);
    assert_eq!(emulator.received()[0].status, Some(408));
}

#[test]
fn the_log_is_bounded_in_bytes() {
    const LIMIT: usize = 200_000;
    let emulator = fixed().log_byte_limit(LIMIT).start().unwrap();
    let get = |path: &str, header: &str| {
        let request = format!(
            "GET /{path} HTTP/1.1\r\nhost: a\r\nmore: {header}\r\nconnection: close\r\n\r\n"
        );
        assert_eq!(send(emulator.address(), request.as_bytes()).unwrap().status, 404);
    };
    for number in 0..50 {
        get(&format!("{number}?{}", "q".repeat(10_000)), &"h".repeat(10_000));
    }
    let received = emulator.received();
    // Each takes 20,000 bytes and a little more.
    assert_eq!(received.len(), 9);
    assert_eq!((received[0].path.as_str(), received[8].path.as_str()), ("/41", "/49"));
    // The newest is kept if it alone is larger.
    let emulator = fixed().log_byte_limit(0).start().unwrap();
    let client = Client::new(&emulator);
    for id in ["1", "2"] {
        client.call(QUERY, &json!({"responseId": id}));
        let received = emulator.received();
        assert_eq!(received.len(), 1);
        assert_eq!(received[0].msg_body, Some(json!({"responseId": id})));
    }
}

/// A connection that stays open after its answer.
fn get(stream: &mut TcpStream) {
    stream.write_all(b"GET /a HTTP/1.1\r\nhost: a\r\n\r\n").unwrap();
    let mut answer = Vec::new();
    while !answer.ends_with(b"}") {
        let mut byte = [0];
        stream.read_exact(&mut byte).unwrap();
        answer.push(byte[0]);
    }
}

#[test]
fn connections_are_bounded() {
    let connect = |address: SocketAddr| {
        let stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        stream
    };
    let emulator = fixed().connection_limit(1).start().unwrap();
    let mut first = connect(emulator.address());
    get(&mut first);
    let mut second = connect(emulator.address());
    second.write_all(b"GET /b HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n").unwrap();
    // The second one waits, although its request arrived earlier.
    get(&mut first);
    let paths = || emulator.received().into_iter().map(|request| request.path);
    assert_eq!(paths().collect::<Vec<_>>(), ["/a", "/a"]);
    drop(first);
    assert_eq!(read_answer(&second).unwrap().status, 404);
    assert_eq!(paths().next_back().unwrap(), "/b");
}
