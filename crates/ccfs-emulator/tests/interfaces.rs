//! What the two interfaces answer, over a plain socket.

use std::time::Duration;

use crate::support::{Answer, Client, DOWNLOAD, NOWHERE, QUERY, fixed, now, send, window};
use ccfs_emulator::{Developer, Emulator, Fault, Lockout};
use ccfs_proto::Timestamp;
use ccfs_proto::auth::{Freshness, QueryLine};
use serde_json::{Value, json};

#[test]
fn a_file_is_asked_for_and_downloaded() {
    let emulator = fixed().seed(42).start().unwrap();
    let client = Client::new(&emulator);
    let name = client.generate(NOWHERE);
    assert_eq!(emulator.files()[0].as_str(), name);

    let answer = client.download(&name);
    assert_eq!(answer.status, 200);
    assert!(answer.whole);
    assert_eq!(answer.header("content-type"), Some("Application/Octet-stream;charset=UTF-8"));
    assert_eq!(answer.header("date"), Some("Thu, 06 Apr 2023 02:30:00 GMT"));
    assert!(answer.body.starts_with(b"PK\x03\x04"));
    assert_eq!(Some(answer.body), emulator.file(&name.parse().unwrap()));
}

#[test]
fn another_emulator_with_the_same_seed_hands_out_the_same_bytes() {
    let download = |seed| {
        let emulator = fixed().seed(seed).start().unwrap();
        let client = Client::new(&emulator);
        let name = client.generate(NOWHERE);
        (emulator.secret_key().to_owned(), client.download(&name).body)
    };
    assert_eq!(download(7), download(7));
    assert_ne!(download(7), download(8));
}

#[test]
fn both_dialects_are_accepted_unless_one_is_chosen() {
    let both = fixed().start().unwrap();
    let one = fixed().query_line(QueryLine::Empty).start().unwrap();
    let status = |emulator: &Emulator, query_line| {
        let client = Client { query_line, ..Client::new(emulator) };
        client.call(QUERY, &window(NOWHERE)).status
    };
    assert_eq!((status(&both, QueryLine::Omit), status(&both, QueryLine::Empty)), (200, 200));
    assert_eq!((status(&one, QueryLine::Omit), status(&one, QueryLine::Empty)), (401, 200));
}

#[test]
fn a_bad_signature_is_refused_and_many_lock_the_address() {
    let clock = std::sync::Arc::new(std::sync::atomic::AtomicI64::new(crate::support::NOW));
    let shared = std::sync::Arc::clone(&clock);
    let emulator = fixed()
        .clock(move || {
            Timestamp::from_unix_millis(shared.load(std::sync::atomic::Ordering::SeqCst))
        })
        .lockout(Lockout {
            failures: 2,
            within: Duration::from_secs(60),
            lasts: Duration::from_secs(600),
        })
        .start()
        .unwrap();
    let right = Client::new(&emulator);
    let wrong = Client::new(&emulator).with_keys(emulator.access_key(), "another secret");
    let stranger = Client::new(&emulator).with_keys("nobody", "another secret");

    for client in [&wrong, &stranger] {
        let refused = client.call(QUERY, &window(NOWHERE));
        assert_eq!(refused.status, 401);
        assert_eq!(
            refused.json(),
            json!({"timestamp": crate::support::NOW, "status": 401, "error": "Unauthorized", "message": "No message available",
                "path": "/CCFS/resource/ccfs/queryAgentSkillInfoData"})
        );
    }
    let locked = right.call(QUERY, &window(NOWHERE));
    assert_eq!((locked.status, &locked.json()["error"]), (403, &json!("Forbidden")));

    clock.fetch_add(600_000, std::sync::atomic::Ordering::SeqCst);
    assert_eq!(right.call(QUERY, &window(NOWHERE)).status, 200);

    wrong.call(QUERY, &window(NOWHERE));
    wrong.call(QUERY, &window(NOWHERE));
    emulator.unlock();
    assert_eq!(right.call(QUERY, &window(NOWHERE)).status, 200);
}

#[test]
fn a_request_without_a_signature_or_with_a_changed_body_is_refused() {
    let emulator = fixed().start().unwrap();
    let client = Client::new(&emulator);
    let request = String::from_utf8(client.request(QUERY, b"{}")).unwrap();
    let (start, rest) = request.split_once("authorization: ").unwrap();
    let unsigned = format!("{start}{}", rest.split_once("\r\n").unwrap().1);
    assert_eq!(send(emulator.address(), unsigned.as_bytes()).unwrap().status, 401);
    assert_eq!(
        send(emulator.address(), request.replace("{}", "[]").as_bytes()).unwrap().status,
        401
    );
    assert_eq!(send(emulator.address(), request.as_bytes()).unwrap().status, 200);
}

#[test]
fn a_signature_may_be_of_any_age_unless_a_window_is_set() {
    let any = fixed().start().unwrap();
    let fresh = fixed().freshness(Freshness::default()).start().unwrap();
    let status = |emulator: &Emulator, minutes: i64| {
        let client = Client { at: now().plus_millis(minutes * 60_000), ..Client::new(emulator) };
        client.call(QUERY, &window(NOWHERE)).status
    };
    assert_eq!(
        (status(&any, -100_000), status(&fresh, -16), status(&fresh, 16), status(&fresh, 14)),
        (200, 401, 401, 200)
    );
}

#[test]
fn other_paths_and_methods_are_not_found() {
    let emulator = fixed().path_prefix("/gateway").start().unwrap();
    let client = Client::new(&emulator);
    assert_eq!(emulator.endpoint().prefix(), "/gateway");
    assert_eq!(client.call(QUERY, &window(NOWHERE)).status, 200);
    assert_eq!(client.call("queryNothing", &json!({})).status, 404);
    assert_eq!(
        Client { prefix: String::new(), ..Client::new(&emulator) }
            .call(QUERY, &window(NOWHERE))
            .status,
        404
    );
    let get = format!(
        "GET /gateway/CCFS/resource/ccfs/{QUERY} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n"
    );
    assert_eq!(send(emulator.address(), get.as_bytes()).unwrap().status, 405);
}

/// Every kind of invalid query, and its code.
#[test]
fn queries_get_the_documented_codes() {
    let emulator = fixed()
        .main_developer(Developer::new("ak", "sk").account("own"))
        .developer(Developer::new("other", "sk").account("theirs"))
        .start()
        .unwrap();
    let client = Client::new(&emulator);
    let with = |changes: Value| {
        let mut fields = window(NOWHERE);
        for (name, value) in changes.as_object().unwrap() {
            fields[name] = value.clone();
        }
        client.call(QUERY, &fields).code()
    };
    let long = "x".repeat(21);
    for (changes, code) in [
        (json!({}), "0"),
        (json!({"beginTime": null}), "0300001"),
        (json!({"endTime": ""}), "0300002"),
        (json!({"beginTime": "2023-04-05T00:00:00"}), "0300004"),
        (json!({"beginTime": "2023-02-30 00:00:00"}), "0300004"),
        (json!({"beginTime": 20_230_405}), "0300004"),
        (json!({"endTime": "2023-04-04 23:59:59"}), "0300013"),
        (json!({"beginTime": "2023-04-03 10:30:00"}), "0"),
        (json!({"beginTime": "2023-04-03 10:29:59"}), "0300014"),
        (json!({"endTime": "2023-04-06 10:30:01"}), "0300016"),
        (json!({"accountId": "own"}), "0"),
        (json!({"accountId": "theirs"}), "0300026"),
        (json!({"accountId": "nobody's"}), "0300022"),
        (json!({"accountId": "nobodys"}), "0300026"),
        (json!({"accountId": long}), "0300003"),
        (json!({"agentId": long}), "0300003"),
        (json!({"agentId": 101}), "0300004"),
        (json!({"agentId": "101"}), "0"),
        (json!({"callBackURL": null}), "0300001"),
        (json!({"callBackURL": ""}), "0300002"),
        (json!({"callBackURL": format!("http://h/{}", "x".repeat(512))}), "0300003"),
        (json!({"callBackURL": "ftp://h/x"}), "0300004"),
    ] {
        assert_eq!(with(changes.clone()), code, "{changes}");
    }

    let mut other_spelling = window(NOWHERE);
    let url = other_spelling.as_object_mut().unwrap().remove("callBackURL").unwrap();
    assert_eq!(client.call(QUERY, &other_spelling).code(), "0300001");
    other_spelling["callBackUrl"] = url;
    assert_eq!(client.call(QUERY, &other_spelling).code(), "0");
}

#[test]
fn envelopes_get_the_documented_codes() {
    let emulator = fixed().start().unwrap();
    let client = Client::new(&emulator);
    let code = |body: &str| client.post(QUERY, body.as_bytes()).unwrap().code();
    for (body, expected) in [
        ("", "0300007"),
        ("not json", "0300007"),
        ("[]", "0300007"),
        (r#"{"request":{"version":"2.0"}}"#, "0300007"),
        (r#"{"request":{"version":"2.0"},"msgBody":[]}"#, "0300007"),
        (r#"{"request":{"version":"2.0"},"msgBody":{}}"#, "0300001"),
        (r#"{"request":{"version":"3.0"},"msgBody":{}}"#, "0300006"),
        (r#"{"msgBody":{}}"#, "0300006"),
    ] {
        assert_eq!(code(body), expected, "{body}");
    }
}

#[test]
fn downloads_get_the_documented_codes_under_the_files_type() {
    let emulator = fixed().developer(Developer::new("other", "sk")).start().unwrap();
    let client = Client::new(&emulator);
    let name = client.generate(NOWHERE);
    let id = &name[9..41];
    let download = |value: Value| client.call(DOWNLOAD, &json!({"agentSkillInfoFileName": value}));
    for (value, code) in [
        (Value::Null, "0300001"),
        (json!(""), "0300002"),
        (json!("x".repeat(50)), "0300003"),
        (json!(["x"]), "0300004"),
        (json!("../x"), "0300022"),
        (json!("20230406 .zip"), "0300022"),
        (json!(format!("20230230_{id}.zip")), "0300010"),
        (json!(format!("2023046_{id}.zip")), "0300010"),
        (json!(format!("{id}.zip")), "0300010"),
        (json!(format!("20230405_{id}.zip")), "0300011"),
        (json!(format!("20230406_{}.zip", "0".repeat(32))), "0300011"),
        (json!("20230406_short.zip"), "0300011"),
    ] {
        let answer: Answer = download(value.clone());
        assert_eq!((answer.status, answer.code().as_str()), (200, code), "{value}");
        assert_eq!(answer.header("content-type"), Some("Application/Octet-stream;charset=UTF-8"));
    }
    let other = Client::new(&emulator).with_keys("other", "sk");
    assert_eq!(other.download(&name).code(), "0300018");
}

#[test]
fn a_file_can_take_its_time() {
    let clock = std::sync::Arc::new(std::sync::atomic::AtomicI64::new(crate::support::NOW));
    let shared = std::sync::Arc::clone(&clock);
    let emulator = fixed()
        .clock(move || {
            Timestamp::from_unix_millis(shared.load(std::sync::atomic::Ordering::SeqCst))
        })
        .ready_after(Duration::from_secs(30))
        .start()
        .unwrap();
    let client = Client::new(&emulator);
    let name = client.generate(NOWHERE);
    clock.fetch_add(29_999, std::sync::atomic::Ordering::SeqCst);
    assert_eq!(client.download(&name).code(), "0300011");
    clock.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
    assert!(client.download(&name).body.starts_with(b"PK"));
}

#[test]
fn files_may_come_in_chunks_and_jobs_are_bounded() {
    let emulator = fixed().fault(Fault::Chunked).jobs_limit(1).start().unwrap();
    let client = Client::new(&emulator);
    let name = client.generate(NOWHERE);
    let answer = client.download(&name);
    assert_eq!(
        (answer.header("transfer-encoding"), answer.header("content-length")),
        (Some("chunked"), None)
    );
    assert!(answer.whole);
    assert_eq!(Some(answer.body), emulator.file(&name.parse().unwrap()));
    assert_eq!(client.call(QUERY, &window(NOWHERE)).code(), "0300009");
}

#[test]
fn everything_received_is_logged_and_no_signature_is() {
    let emulator = fixed().log_limit(2).start().unwrap();
    let client = Client::new(&emulator);
    client.call("unknown", &json!({}));
    let name = client.generate(NOWHERE);
    client.download("20230230_.zip");
    let log = emulator.received();
    assert_eq!(log.len(), 2, "the oldest is gone");
    assert_eq!(log[0].interface, Some(QUERY));
    assert_eq!(log[0].msg_body, Some(window(NOWHERE)));
    assert_eq!(log[0].access_key.as_deref(), Some(emulator.access_key()));
    assert_eq!(log[0].at, now());
    assert_eq!(log[0].header("Content-Type"), Some("application/json; charset=UTF-8"));
    let shown = log[0].header("authorization").unwrap();
    assert_eq!(
        shown,
        format!(
            "auth-v2/{}/2023-04-06T02:30:00.123Z/content-length;content-type;host/…",
            emulator.access_key()
        )
    );
    assert_eq!(log[1].result_code.as_ref().map(ccfs_proto::ResultCode::as_str), Some("0300010"));
    assert_eq!((log[1].status, log[1].body_len), (Some(200), 82));
    emulator.clear_logs();
    assert!(emulator.received().is_empty() && emulator.file(&name.parse().unwrap()).is_some());
}

#[test]
fn a_body_past_the_bound_is_refused() {
    let emulator = fixed().start().unwrap();
    let head = format!(
        "POST /CCFS/resource/ccfs/{QUERY} HTTP/1.1\r\nhost: x\r\ncontent-length: 9000000\r\nconnection: close\r\n\r\n"
    );
    let answer = send(emulator.address(), head.as_bytes());
    assert_eq!(answer.unwrap().status, 413);
}

#[test]
fn options_outside_their_bounds_are_refused() {
    let refused = |builder: ccfs_emulator::Builder| builder.start().unwrap_err().to_string();
    assert_eq!(refused(fixed().rows(50_000_001)), "rows must be at most 50,000,000");
    assert_eq!(refused(fixed().rows_per_member(0)), "rows_per_member must be at least 1");
    assert!(refused(fixed().rows(20_002).rows_per_member(2)).contains("10,000 members"));
    assert!(refused(fixed().utc_offset(70_000)).contains("18 hours"));
    assert!(refused(fixed().keys("", "sk")).contains("access key is empty"));
    assert!(
        refused(fixed().developer(Developer::new("a", "b")).developer(Developer::new("a", "c")))
            .contains("same access key")
    );
    assert!(refused(fixed().path_prefix("/a b")).contains("path prefix"));
    let taken = fixed().start().unwrap();
    assert!(refused(fixed().bind(taken.address())).contains("cannot listen"));
}

#[test]
fn it_stops_on_shutdown_or_drop() {
    let emulator = fixed().start().unwrap();
    let address = emulator.address();
    emulator.shutdown();
    assert!(std::net::TcpStream::connect(address).is_err());
    let dropped = fixed().start().unwrap().address();
    assert!(std::net::TcpStream::connect(dropped).is_err());
}

#[test]
fn it_runs_inside_an_event_loop_of_the_test() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let emulator = fixed().start().unwrap();
        let stream = tokio::net::TcpStream::connect(emulator.address()).await;
        assert!(stream.is_ok());
    });
}
