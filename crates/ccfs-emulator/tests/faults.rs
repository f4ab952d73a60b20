//! Every fault, as a client sees it.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use crate::support::{Answer, Client, DOWNLOAD, NOWHERE, QUERY, fixed, window};
use ccfs_emulator::{Emulator, Fault};
use ccfs_proto::ResultCode;
use serde_json::json;

/// An emulator, a client and a file, all well.
struct Scene {
    emulator: Emulator,
    client: Client,
    name: String,
    file: Vec<u8>,
}

impl Scene {
    fn new() -> Self {
        let emulator = fixed().start().unwrap();
        let client = Client::new(&emulator);
        let name = client.generate(NOWHERE);
        let file = emulator.file(&name.parse().unwrap()).unwrap();
        Self { emulator, client, name, file }
    }

    /// A download to which this fault applies once; the next one succeeds.
    fn download(&self, fault: &str) -> Option<Answer> {
        self.emulator.faults().add(fault.parse::<Fault>().unwrap().times(1));
        let body = json!({"request": {"version": "2.0"}, "msgBody": {"agentSkillInfoFileName": self.name}}).to_string();
        let answer = self.client.post(DOWNLOAD, body.as_bytes());
        assert_eq!(
            self.emulator.received().last().unwrap().fault.as_ref().unwrap().to_string(),
            fault
        );
        assert_eq!(self.client.download(&self.name).body, self.file, "after {fault}");
        answer
    }
}

#[test]
fn answers_instead_of_the_interfaces() {
    let scene = Scene::new();
    let get = |fault: &str| scene.download(fault).unwrap();

    let busy = get("busy:7");
    assert_eq!((busy.status, busy.header("retry-after")), (503, Some("7")));
    let page = get("html:502");
    assert_eq!((page.status, page.header("content-type")), (502, Some("text/html;charset=UTF-8")));
    assert!(page.body.starts_with(b"<!DOCTYPE html>"));
    assert_eq!((get("unauthorized").status, get("locked").status), (401, 403));
    let elsewhere = get("redirect");
    assert_eq!(elsewhere.status, 307);
    assert_eq!(
        elsewhere.header("location"),
        Some("/elsewhere/CCFS/resource/ccfs/downloadAgentSkillInfoFile")
    );
    let error = get("error-under-200:0300012");
    assert_eq!((error.status, error.code().as_str()), (200, "0300012"));
    assert_eq!(error.header("content-type"), Some("Application/Octet-stream;charset=UTF-8"));
    assert_eq!(get("error-under-200:010106").code(), "010106");
    assert_eq!(get("missing-file").code(), "0300011");
    assert_eq!(get("flow-control").code(), "0300008");
    scene.emulator.faults().add(Fault::FlowControl.times(1));
    assert_eq!(scene.client.call(QUERY, &window(NOWHERE)).code(), "0300009");
}

#[test]
fn every_documented_code_can_be_provoked_at_every_interface() {
    let scene = Scene::new();
    for interface in Emulator::interfaces() {
        for code in ResultCode::DOCUMENTED {
            scene.emulator.faults().add(Fault::ErrorUnder200(code.clone()).at(interface).times(1));
            assert_eq!(scene.client.any(interface, b"{}").code(), code.as_str(), "{interface}");
        }
    }
}

#[test]
fn bodies_that_are_not_the_file() {
    let scene = Scene::new();
    let get = |fault: &str| scene.download(fault).unwrap();

    let empty = get("empty");
    assert_eq!(
        (empty.status, empty.header("content-length"), empty.body.len()),
        (200, Some("0"), 0)
    );
    let garbage = get("garbage");
    assert!(garbage.status == 200 && garbage.body.starts_with(&[0x00, 0xFF]) && garbage.whole);
    let typed = get("wrong-type");
    assert_eq!((typed.header("content-type"), &typed.body), (Some("text/plain"), &scene.file));

    let corrupt = get("corrupt-zip");
    assert_eq!(corrupt.body.len(), scene.file.len());
    assert_eq!(corrupt.body.iter().zip(&scene.file).filter(|(a, b)| a != b).count(), 16);
    let truncated = get("truncated-zip");
    assert!(truncated.whole);
    assert_eq!(truncated.body, scene.file[..scene.file.len() / 2]);
}

#[test]
fn bodies_that_do_not_come_as_they_should() {
    let scene = Scene::new();
    let get = |fault: &str| scene.download(fault).unwrap();

    let cut = get("cut-after:100");
    assert_eq!((cut.whole, &cut.body[..]), (false, &scene.file[..100]));
    let beginning = get("cut-after:0");
    assert_eq!((beginning.status, beginning.whole, beginning.body.len()), (200, false, 0));
    let nearly = get("cut-after:999999999");
    assert_eq!((nearly.whole, &nearly.body[..]), (false, &scene.file[..scene.file.len() - 1]));
    let longer = get("wrong-length");
    assert_eq!(
        longer.header("content-length"),
        Some((scene.file.len() + 100).to_string().as_str())
    );
    assert_eq!((longer.whole, &longer.body), (false, &scene.file));

    let chunked = get("chunked");
    assert_eq!(
        (chunked.header("transfer-encoding"), chunked.header("content-length")),
        (Some("chunked"), None)
    );
    assert_eq!((chunked.whole, &chunked.body), (true, &scene.file));
    for fault in ["slow:1", "byte-by-byte", "pass"] {
        let slow = get(fault);
        assert_eq!((slow.whole, &slow.body), (true, &scene.file), "{fault}");
    }
    assert!(scene.download("close-before-answer").is_none());
}

/// `stall` and `silent` keep the connection open: the available bytes arrive, and then nothing for a moment.
#[test]
fn connections_that_fall_silent() {
    let scene = Scene::new();
    let body =
        json!({"request": {"version": "2.0"}, "msgBody": {"agentSkillInfoFileName": scene.name}})
            .to_string();
    let request = scene.client.request(DOWNLOAD, body.as_bytes());
    let read_until_silence = |fault: Fault, enough: &dyn Fn(&[u8]) -> bool| {
        let reads = fault == Fault::Stall;
        scene.emulator.faults().add(fault.times(1));
        let mut stream = TcpStream::connect(scene.emulator.address()).unwrap();
        stream.write_all(&request).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        let mut received = Vec::new();
        let mut byte = [0];
        while !enough(&received) {
            // For `silent` there is nothing to read, only to wait for.
            if reads {
                stream.read_exact(&mut byte).unwrap();
                received.push(byte[0]);
            }
            std::thread::yield_now();
        }
        stream.set_read_timeout(Some(Duration::from_millis(50))).unwrap();
        let more = stream.read(&mut byte);
        assert!(more.is_err(), "more came, or the connection ended: {more:?}");
    };
    let half = scene.file[..scene.file.len() / 2].to_vec();
    read_until_silence(Fault::Stall, &|received| {
        received.ends_with(&[b"\r\n\r\n", half.as_slice()].concat())
    });

    let before = scene.emulator.received().len();
    read_until_silence(Fault::Silent, &|_| scene.emulator.received().len() > before);
    assert_eq!(scene.emulator.received().last().unwrap().status, None);
}

#[test]
fn a_skewed_clock_shows_in_the_date_and_in_what_is_fresh() {
    let emulator = fixed()
        .freshness(ccfs_proto::auth::Freshness::default())
        .fault(Fault::SkewedClock(3600).times(2))
        .start()
        .unwrap();
    let client = Client::new(&emulator);
    let skewed = client.call(QUERY, &window(NOWHERE));
    assert_eq!(
        (skewed.status, skewed.header("date")),
        (401, Some("Thu, 06 Apr 2023 03:30:00 GMT"))
    );
    // A request signed by the server's clock is accepted.
    let corrected = Client { at: client.at.plus_millis(3_600_000), ..Client::new(&emulator) };
    assert_eq!(corrected.call(QUERY, &window(NOWHERE)).code(), "0");
    assert_eq!(
        client.call(QUERY, &window(NOWHERE)).header("date"),
        Some("Thu, 06 Apr 2023 02:30:00 GMT")
    );
}

#[test]
fn a_script_is_read_from_the_first_to_the_last() {
    let scene = Scene::new();
    let faults = scene.emulator.faults();
    for rule in [
        "busy@downloadAgentSkillInfoFile*2",
        "pass@downloadAgentSkillInfoFile*1",
        "html@downloadAgentSkillInfoFile*1",
    ] {
        faults.add(rule.parse::<ccfs_emulator::FaultRule>().unwrap());
    }
    assert_eq!(scene.client.call(QUERY, &window(NOWHERE)).code(), "0");
    let types: Vec<_> = (0..5)
        .map(|_| {
            let answer = scene.client.download(&scene.name);
            (answer.status, answer.body.starts_with(b"PK"))
        })
        .collect();
    assert_eq!(types, [(503, false), (503, false), (200, true), (200, false), (200, true)]);

    faults.add(Fault::Busy(1));
    assert_eq!(
        (scene.client.download(&scene.name).status, scene.client.download(&scene.name).status),
        (503, 503)
    );
    assert_eq!(faults.rules(), [Fault::Busy(1).into()]);
    faults.remove("busy");
    assert_eq!(scene.client.download(&scene.name).status, 200);
    faults.add(Fault::Empty);
    faults.clear();
    assert_eq!(scene.client.download(&scene.name).status, 200);
}

#[test]
fn invalid_faults_are_refused_with_a_reason() {
    let refused = |text: &str| text.parse::<ccfs_emulator::FaultRule>().unwrap_err().to_string();
    assert!(
        refused("nothing").starts_with("no fault has that name; the names are pass, slow, stall")
    );
    assert_eq!(
        refused("cut-after"),
        "the fault `cut-after` requires a number of bytes after a colon"
    );
    assert_eq!(
        refused("html:99"),
        "the fault `html` requires an HTTP status from 200 to 599 after a colon"
    );
    assert_eq!(refused("stall:1"), "the fault `stall` has no argument");
    assert!(refused("busy*0").contains("must be at least 1"));
    assert!(refused("busy@nothing").contains("no interface of that name"));
    assert!(refused("error-under-200:").contains("a result code"));
}

#[test]
fn every_fault_is_read_as_its_help_says() {
    for fault in Fault::HELP {
        let form = fault.form.strip_prefix(fault.name).unwrap();
        let argument = match form.trim_matches(['[', ']', ':']) {
            "" => String::new(),
            "CODE" => ":0300012".into(),
            "STATUS" => ":502".into(),
            _ => ":7".into(),
        };
        assert_eq!(
            format!("{}{argument}", fault.name).parse::<Fault>().unwrap().name(),
            fault.name
        );
        assert_eq!(
            fault.name.parse::<Fault>().is_ok(),
            form.is_empty() || form.starts_with('['),
            "{}",
            fault.name
        );
    }
}

/// Each request is logged on arrival, in one line without a header, a query or a body.
#[test]
fn requests_are_logged_on_arrival() {
    use std::sync::{Arc, Mutex};
    let lines = Arc::new(Mutex::new(Vec::<String>::new()));
    let told = Arc::clone(&lines);
    let emulator = crate::support::fixed()
        .on_request(move |request| told.lock().unwrap().push(request.to_json_line()))
        .start()
        .unwrap();
    let client = Client::new(&emulator);
    emulator.faults().add(Fault::Busy(1).at(QUERY).times(1));
    client.call(QUERY, &window(NOWHERE));
    client.call(QUERY, &window(NOWHERE));
    Client::new(&emulator)
        .with_keys(emulator.access_key(), "another")
        .call(QUERY, &window(NOWHERE));
    client.get("playVoice", &[("st", "a-token")]);
    let lines = lines.lock().unwrap().clone();
    let told: Vec<serde_json::Value> =
        lines.iter().map(|line| serde_json::from_str(line).unwrap()).collect();
    let column = |name: &str| told.iter().map(|line| line[name].clone()).collect::<Vec<_>>();
    assert_eq!(column("signature"), ["not checked", "accepted", "refused", "not checked"]);
    assert_eq!(column("status"), [503, 200, 401, 200]);
    assert_eq!(column("fault"), [serde_json::json!("busy:1"), ().into(), ().into(), ().into()]);
    assert_eq!(column("interface"), [QUERY, QUERY, QUERY, "playVoice"]);
    assert_eq!(column("at"), ["2023-04-06T02:30:00.123Z"; 4]);
    for secret in ["a-token", "authorization", "callBackURL", "responseId", emulator.secret_key()] {
        assert!(
            lines.iter().all(|line| !line.contains(secret) && !line.contains('\n')),
            "{lines:?}"
        );
    }
}
