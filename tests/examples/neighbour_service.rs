//! Another service that signs with auth-v2: two list calls in the style of CC-CMS, whose success
//! code is `0100000`, against a small server that verifies the signatures.
//!
//! The first answer says that the server is busy, with a code of that service: the operation
//! advises "try later", so the client calls again.
//! Run it with `cargo run -p ccfs-tests --example neighbour_service`. It prints:
//!
//! ```text
//! in an envelope: Ada, Grace
//! as plain JSON: Ada, Grace
//! GET /rest/cmsapp/v1/agents?limit=2 signed: 3 times
//! ```

use std::borrow::Cow;
use std::error::Error;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::thread;
use std::time::SystemTime;

use ccfs::{Client, Config};
use ccfs_proto::answer::{Advice, AnswerError, Expected};
use ccfs_proto::auth::Freshness;
use ccfs_proto::operation::{FieldError, OperationRequest, Received, Repeat};
use ccfs_proto::{Credentials, Operation, RequestView, ResultCode, Timestamp, Verifier};
use serde_json::Value;

/// Lists the names of agents.
struct ListAgents {
    expected: Expected,
}

impl Operation for ListAgents {
    type Answer = Vec<String>;

    fn interface(&self) -> Cow<'static, str> {
        "agents".into()
    }

    fn request(&self) -> Result<OperationRequest, FieldError> {
        let request = OperationRequest::get("/rest/cmsapp/v1/agents").query("limit", "2");
        Ok(match self.expected {
            Expected::Json => request.header("x-form", "plain"),
            _ => request,
        })
    }

    fn repeat(&self) -> Repeat {
        Repeat::Idempotent
    }

    fn expected(&self) -> Expected {
        self.expected
    }

    fn is_success(&self, code: &ResultCode) -> bool {
        code.as_str() == "0100000"
    }

    fn advice(&self, code: &ResultCode) -> Advice {
        if code.as_str() == "0100009" { Advice::TryLater } else { Advice::Unknown }
    }

    fn meaning(&self, code: &ResultCode) -> Cow<'static, str> {
        if code.as_str() == "0100009" { "too many requests".into() } else { "".into() }
    }

    fn answer(&self, received: Received) -> Result<Vec<String>, AnswerError> {
        let json = match received {
            Received::Json(json) => json,
            other => {
                let data = other.into_envelope()?.data().cloned();
                data.ok_or(AnswerError::field("resultData"))?
            }
        };
        let agents: Vec<Value> = json.parse()?;
        let names = agents.iter().map(|agent| agent["name"].as_str().map(str::to_owned));
        names.collect::<Option<_>>().ok_or(AnswerError::custom("an agent has no name"))
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let credentials = Credentials::from_text("my-app-id", "the secret of this example".into())?;
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let endpoint = format!("http://{}", listener.local_addr()?);
    let verifier = Verifier::new(&credentials).freshness(Freshness::default());
    let server = thread::spawn(move || serve(&listener, &verifier).map_err(|e| e.to_string()));

    let client = Client::new(Config::new(endpoint.parse()?, credentials))?;
    let envelope = client.call(ListAgents { expected: Expected::Envelope })?;
    println!("in an envelope: {}", envelope.join(", "));
    let plain = client.call(ListAgents { expected: Expected::Json })?;
    println!("as plain JSON: {}", plain.join(", "));

    let requests = server.join().map_err(|_| "the server panicked")??;
    println!("{} signed: {} times", requests[0], requests.len());
    Ok(())
}

/// Answers three requests, and returns their request lines. Unsigned ones get a 401.
fn serve(listener: &TcpListener, verifier: &Verifier) -> Result<Vec<String>, Box<dyn Error>> {
    const AGENTS: &str = r#"[{"name":"Ada"},{"name":"Grace"}]"#;
    let mut served = Vec::new();
    while served.len() < 3 {
        let mut stream = listener.accept()?.0;
        let mut lines = BufReader::new(stream.try_clone()?).lines();
        let line = lines.next().ok_or("no request line")??;
        let head: Vec<String> = lines
            .take_while(|line| line.as_ref().is_ok_and(|l| !l.is_empty()))
            .collect::<Result<_, _>>()?;
        let headers: Vec<(&str, &str)> =
            head.iter().filter_map(|line| line.split_once(": ")).collect();
        let header = |name: &str| {
            let found = headers.iter().find(|(other, _)| other.eq_ignore_ascii_case(name));
            found.map_or("", |(_, value)| value)
        };
        let view = RequestView {
            method: "GET",
            path: "/rest/cmsapp/v1/agents",
            query: &[("limit", "2")],
            headers: &headers,
            body: b"",
        };
        let now = Timestamp::from(SystemTime::now());
        let (status, body) = match verifier.verify(header("authorization"), view, now) {
            Err(_) => ("401 Unauthorized", String::new()),
            Ok(_) if served.is_empty() => {
                ("200 OK", r#"{"resultCode":"0100009","resultDesc":"busy"}"#.into())
            }
            Ok(_) if header("x-form") == "plain" => ("200 OK", AGENTS.into()),
            Ok(_) => ("200 OK", format!(r#"{{"resultCode":"0100000","resultData":{AGENTS}}}"#)),
        };
        write!(stream, "HTTP/1.1 {status}\r\ncontent-length: {}\r\n", body.len())?;
        write!(stream, "retry-after: 0\r\nconnection: close\r\n\r\n{body}")?;
        served.push(line.trim_end_matches(" HTTP/1.1").to_owned());
    }
    Ok(served)
}
