//! A client over plain sockets, and a receiver of callbacks.
#![allow(unreachable_pub)]

use std::cell::Cell;
use std::net::SocketAddr;

use ccfs_emulator::{Builder, Emulator};
use ccfs_proto::auth::QueryLine;
use ccfs_proto::{Credentials, Signer, Timestamp, Verifier};
pub use ccfs_tests::http::{Answer, send};
use ccfs_tests::http::{Post, encoded};
use ccfs_tests::{Behaviour, ScriptedServer, Seen, wait_until};
use serde_json::{Value, json};

/// 2023-04-06T02:30:00.123Z: on the tenant's clock, 8 hours ahead, 10:30.
pub const NOW: i64 = 1_680_748_200_123;
pub const QUERY: &str = "queryAgentSkillInfoData";
pub const DOWNLOAD: &str = "downloadAgentSkillInfoFile";

pub fn now() -> Timestamp {
    Timestamp::from_unix_millis(NOW)
}

/// An emulator without TLS, with a fixed clock.
pub fn fixed() -> Builder {
    Emulator::builder().plain().clock(now).rows(50)
}

pub struct Client {
    pub address: SocketAddr,
    pub prefix: String,
    pub credentials: Credentials,
    pub query_line: QueryLine,
    pub at: Timestamp,
}

impl Client {
    pub fn new(emulator: &Emulator) -> Self {
        Self {
            address: emulator.address(),
            prefix: emulator.endpoint().prefix().to_owned(),
            credentials: emulator.credentials(),
            query_line: QueryLine::Omit,
            at: now(),
        }
    }

    pub fn with_keys(mut self, access_key: &str, secret_key: &str) -> Self {
        self.credentials = Credentials::from_text(access_key, secret_key.into()).unwrap();
        self
    }

    /// The whole request as bytes.
    pub fn request(&self, interface: &str, body: &[u8]) -> Vec<u8> {
        self.request_with(interface, &[], body)
    }

    /// The whole request, with these parameters in its query.
    pub fn request_with(&self, interface: &str, query: &[(&str, &str)], body: &[u8]) -> Vec<u8> {
        let path = format!("{}/CCFS/resource/ccfs/{interface}", self.prefix);
        let host = self.address.to_string();
        let post = Post { host: &host, path: &path, query, body, close: true, ..Post::default() };
        post.signed(&Signer::new(&self.credentials).query_line(self.query_line), self.at)
    }

    /// An unsigned `GET`.
    pub fn get(&self, interface: &str, query: &[(&str, &str)]) -> Answer {
        let target = format!("{}/CCFS/resource/ccfs/{interface}{}", self.prefix, encoded(query));
        let request =
            format!("GET {target} HTTP/1.1\r\nhost: {}\r\nconnection: close\r\n\r\n", self.address);
        send(self.address, request.as_bytes()).unwrap()
    }

    /// A call of any interface, in its method and signed where it wants it; there must be an answer.
    pub fn any(&self, interface: &str, body: &[u8]) -> Answer {
        if interface == "playVoice" {
            self.get(interface, &[])
        } else {
            self.post(interface, body).unwrap()
        }
    }

    pub fn post(&self, interface: &str, body: &[u8]) -> Option<Answer> {
        send(self.address, &self.request(interface, body))
    }

    /// A call with this `msgBody`; there must be an answer.
    pub fn call(&self, interface: &str, msg_body: &Value) -> Answer {
        let body = json!({"request": {"version": "2.0"}, "msgBody": msg_body}).to_string();
        self.post(interface, body.as_bytes()).unwrap()
    }

    /// A call with parameters in its query, too.
    pub fn call_with(&self, interface: &str, query: &[(&str, &str)], msg_body: &Value) -> Answer {
        let body = json!({"request": {"version": "2.0"}, "msgBody": msg_body}).to_string();
        send(self.address, &self.request_with(interface, query, body.as_bytes())).unwrap()
    }

    /// Starts a job and gives the name of its file.
    pub fn generate(&self, callback: &str) -> String {
        let answer = self.call(QUERY, &window(callback));
        assert_eq!(answer.code(), "0");
        let id = answer.json()["resultData"]["responseId"].as_str().unwrap().to_owned();
        format!("20230406_{id}.zip")
    }

    pub fn download(&self, name: &str) -> Answer {
        self.call(DOWNLOAD, &json!({"agentSkillInfoFileName": name}))
    }
}

/// A good `msgBody` of a query.
pub fn window(callback: &str) -> Value {
    json!({"beginTime": "2023-04-05 00:00:00", "endTime": "2023-04-06 10:30:00", "accountId": "", "agentId": "", "callBackURL": callback})
}

/// A URL at which no server listens; for tests that do not look at the callback.
pub const NOWHERE: &str = "http://127.0.0.1:9/callback";

/// A receiver of callbacks over plain HTTP, which answers 200 with each of these bodies in turn, and then closes connections.
pub struct Receiver {
    server: ScriptedServer,
    taken: Cell<usize>,
}

impl Receiver {
    pub fn answering<const N: usize>(bodies: [&str; N]) -> Self {
        Self::playing(bodies.map(Behaviour::ok))
    }

    pub fn playing(script: impl IntoIterator<Item = Behaviour>) -> Self {
        Self { server: ScriptedServer::play(script), taken: Cell::new(0) }
    }

    pub fn url(&self) -> String {
        format!("{}/hooks/ready?tenant=a%2Fb", self.server.url())
    }

    /// Waits for the next call.
    pub fn next(&self) -> Seen {
        let taken = self.taken.replace(self.taken.get() + 1);
        wait_until("a call", || self.server.seen().len() > taken);
        self.server.seen().swap_remove(taken)
    }
}

pub fn msg_body(call: &Seen) -> Value {
    serde_json::from_slice::<Value>(&call.body).unwrap()["msgBody"].take()
}

/// Whether the signature is that of these keys.
pub fn is_signed_by(call: &Seen, credentials: &Credentials) -> bool {
    call.verify(&Verifier::new(credentials), now()).is_ok()
}
