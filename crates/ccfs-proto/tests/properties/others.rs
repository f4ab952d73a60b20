//! The same signatures by programs that we did not write.

use std::fmt::Write as _;
use std::io::Write;
use std::process::{Command, Stdio};

use ccfs_proto::auth::QueryLine;
use ccfs_proto::time::Precision;
use ccfs_proto::{Signer, Timestamp};
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::TestRunner;

use super::requests::{ACCESS_KEY, Request, SECRET_KEY, credentials, hex, requests};
use super::skipped::skipped;

/// auth-v2 over Python's own `hmac` and `urllib`.
const PYTHON: &str = r#"
import hmac, json, sys
from urllib.parse import quote
BLANKS = "".join(map(chr, range(33)))
def enc(data):
    return quote(data, safe="-._~")
def hx(key, message):
    return hmac.new(key, message, "sha256").hexdigest()
lines = sys.stdin.buffer.read().split(b"\n")
for line in filter(None, lines):
    r = json.loads(line)
    names = ";".join(sorted(name.lower() for name, _ in r["headers"]))
    prefix = "/".join(["auth-v2", r["ak"], r["timestamp"], names])
    key = hx(r["sk"].encode(), prefix.encode()).encode()
    query = "&".join(sorted(enc(k) + "=" + enc(v) for k, v in r["query"]))
    headers = "\n".join(sorted(enc(n.lower()) + ":" + enc(v.strip(BLANKS)) for n, v in r["headers"])) + "\n"
    for blank in ("", "\n"):
        text = r["method"] + "\n" + r["path"] + "\n" + (query + "\n" if query else blank)
        text += names + "\n" + headers + enc(bytes.fromhex(r["body"]))
        print(prefix + "/" + hx(key, text.encode()))
"#;

fn some(count: usize) -> Vec<Request> {
    let mut runner = TestRunner::deterministic();
    (0..count).map(|_| requests().new_tree(&mut runner).unwrap().current()).collect()
}

/// What the program writes, or `None`, and a printed reason, where it cannot be run.
fn run(program: &str, arguments: &[&str], input: &[u8]) -> Option<String> {
    let spawned =
        Command::new(program).args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
    let Ok(mut child) = spawned else {
        skipped(format_args!("{program} cannot be run here"));
        return None;
    };
    child.stdin.take().unwrap().write_all(input).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{program} failed");
    Some(String::from_utf8(output.stdout).unwrap())
}

#[test]
#[cfg_attr(miri, ignore = "Python runs outside of Miri")]
fn python_signs_alike() {
    let at = Timestamp::from_unix_millis(1_688_888_888_088);
    let requests = some(300);
    let mut input = String::new();
    let mut expected = Vec::new();
    for (nth, request) in requests.iter().enumerate() {
        let precision = if nth % 3 == 0 { Precision::Seconds } else { Precision::Millis };
        let body = hex(&request.body);
        let line = serde_json::json!({
            "ak": ACCESS_KEY, "sk": SECRET_KEY, "timestamp": at.text(precision).as_str(), "method": request.method,
            "path": request.path, "query": request.query, "headers": request.headers, "body": body,
        });
        writeln!(input, "{line}").unwrap();
        for dialect in QueryLine::ALL {
            let signer = Signer::new(&credentials()).query_line(dialect).precision(precision);
            expected.push(
                request
                    .with_view(|view| signer.sign(view, at))
                    .unwrap()
                    .to_str()
                    .unwrap()
                    .to_owned(),
            );
        }
    }
    let Some(output) = run("python3", &["-c", PYTHON], input.as_bytes()) else { return };
    assert_eq!(output.lines().collect::<Vec<_>>(), expected);
}

#[test]
#[cfg_attr(miri, ignore = "OpenSSL runs outside of Miri")]
fn openssl_signs_alike() {
    let at = Timestamp::from_unix_millis(1_688_888_888_088);
    let hmac = |key: &[u8], message: &[u8]| {
        let key = hex(key);
        let output = run(
            "openssl",
            &["dgst", "-sha256", "-mac", "HMAC", "-macopt", &format!("hexkey:{key}")],
            message,
        )?;
        Some(output.trim().rsplit(' ').next().unwrap().to_owned())
    };
    for request in some(5) {
        let steps =
            request.with_view(|view| Signer::new(&credentials()).explain(view, at)).unwrap();
        let Some(signing_key) = hmac(SECRET_KEY.as_bytes(), steps.prefix.as_bytes()) else {
            return;
        };
        let signature = hmac(signing_key.as_bytes(), steps.canonical_request.as_bytes());
        assert_eq!(signature.as_deref(), Some(steps.signature.as_str()));
    }
}
