//! `ccfs sign` and `ccfs verify` as processes, against the vectors and against programs that others wrote.

use std::fs;
use std::process::Command;

use crate::support::Ccfs;
use ccfs_tests::skipped;
use serde_json::Value;

const VECTORS: &str = include_str!("../../ccfs-proto/tests/vectors/auth-v2.jsonl");

/// The arguments that describe a vector's request.
fn request(vector: &Value) -> Vec<String> {
    let text = |name: &str| vector[name].as_str().unwrap().to_owned();
    let pairs = |name: &str| -> Vec<(String, String)> {
        serde_json::from_value(vector[name].clone()).unwrap()
    };
    let mut arguments = vec!["--method".to_owned(), text("method"), "--path".into(), text("path")];
    arguments
        .extend(pairs("query").into_iter().map(|(key, value)| format!("--query={key}={value}")));
    arguments.extend(
        pairs("signed_headers")
            .into_iter()
            .map(|(name, value)| format!("--header={name}: {value}")),
    );
    arguments.extend(["--body-file".to_owned(), "body".into()]);
    arguments
}

fn with_keys(vector: &Value) -> Ccfs {
    let ccfs = Ccfs::new();
    fs::write(ccfs.path("body"), vector["body"].as_str().unwrap()).unwrap();
    ccfs.env("CCFS_ACCESS_KEY", vector["access_key"].as_str().unwrap())
        .env("CCFS_SECRET_KEY", vector["secret_key"].as_str().unwrap())
}

fn run(ccfs: &Ccfs, command: &str, vector: &Value, more: &[&str]) -> crate::support::Run {
    let request = request(vector);
    let mut arguments = vec![command];
    arguments.extend(request.iter().map(String::as_str));
    arguments.extend(more);
    ccfs.run(&arguments)
}

#[test]
fn sign_prints_the_vectors_values_and_verify_accepts_them() {
    for line in VECTORS.lines().step_by(4) {
        let vector: Value = serde_json::from_str(line).unwrap();
        // The command splits a parameter at its first '=', so a key cannot hold one.
        if vector["query"]
            .as_array()
            .unwrap()
            .iter()
            .any(|pair| pair[0].as_str().unwrap().contains('='))
        {
            continue;
        }
        let ccfs = with_keys(&vector);
        for (dialect, field) in
            [("omit", "authorization"), ("empty", "authorization_blank_query_line")]
        {
            let expected = vector[field].as_str().unwrap();
            let signed = run(
                &ccfs,
                "sign",
                &vector,
                &["--timestamp", vector["timestamp"].as_str().unwrap(), "--query-line", dialect],
            );
            signed.ends_with_code(0);
            assert_eq!(signed.stdout.trim_end(), expected);
            let verified = run(&ccfs, "verify", &vector, &["--authorization", expected]);
            verified.ends_with_code(0);
            assert!(verified.stdout.starts_with("valid, signed at "), "{}", verified.stdout);
            let broken = expected.replace(&expected[expected.len() - 4..], "0000");
            run(&ccfs, "verify", &vector, &["--authorization", &broken]).ends_with_code(4);
        }
    }
}

#[test]
fn explain_shows_the_steps_and_no_key() {
    let vector: Value = serde_json::from_str(VECTORS.lines().next().unwrap()).unwrap();
    let ccfs = with_keys(&vector);
    let run = run(
        &ccfs,
        "sign",
        &vector,
        &["--timestamp", vector["timestamp"].as_str().unwrap(), "--explain"],
    );
    run.ends_with_code(0);
    for field in ["prefix", "canonical_request"] {
        assert!(
            run.stderr.contains(vector[field].as_str().unwrap()),
            "{field} is missing in:\n{}",
            run.stderr
        );
    }
    for field in ["secret_key", "signing_key"] {
        assert!(
            !run.stderr.contains(vector[field].as_str().unwrap())
                && !run.stdout.contains(vector[field].as_str().unwrap())
        );
    }
}

#[test]
fn verify_reports_the_difference() {
    let ccfs = Ccfs::new().env("CCFS_ACCESS_KEY", "ak").env("CCFS_SECRET_KEY", "sk");
    let at = ["--timestamp", "2021-08-31T09:38:50.872Z"];
    let base = ["--path", "/a", "--header", "host: h:8443"];
    let sign = |more: &[&str]| {
        ccfs.run(&[&["sign"], &base[..], &at, more].concat()).stdout.trim_end().to_owned()
    };
    let verify = |authorization: &str, request: &[&str]| {
        ccfs.run(&[&["verify", "--authorization", authorization], request].concat())
    };
    let signed = sign(&[]);
    for (request, said) in [
        (
            &["--path", "/gw/CCFS/x", "--header", "host: h:8443"][..],
            "the secret key, path, host or body differs",
        ),
        (&["--path", "/a", "--header", "host: h:8443", "--method", "GET"], "another method"),
        (&["--path", "/a", "--header", "accept: */*"], "signed header `host` is missing"),
    ] {
        let run = verify(&signed, request);
        run.ends_with_code(4);
        assert!(run.stderr.contains(said), "{said:?} is missing in: {}", run.stderr);
    }
    let late = verify(&signed, &[&base[..], &["--timestamp", "2021-08-31T10:38:50Z"]].concat());
    late.ends_with_code(4);
    assert!(late.stderr.contains("behind the verifier's clock"), "{}", late.stderr);
}

/// Python's `hmac` and `urllib` sign the same request by the rules of the protocol page.
#[test]
fn python_signs_the_same() {
    const SCRIPT: &str = r#"
import hmac, hashlib, sys
from urllib.parse import quote
ak, sk, ts, host, body = "ak", "sk", "2021-08-31T09:38:50.872Z", "10.1.2.3:8443", open("body", "rb").read()
enc = lambda b: quote(b, safe="-._~")
headers = {"host": host, "content-length": str(len(body)), "content-type": "application/json; charset=UTF-8"}
names = ";".join(sorted(headers))
prefix = f"auth-v2/{ak}/{ts}/{names}"
hx = lambda k, m: hmac.new(k.encode(), m.encode(), hashlib.sha256).hexdigest()
lines = sorted(f"{enc(n.encode())}:{enc(v.encode())}" for n, v in headers.items())
canonical = "\n".join(["POST", "/CCFS/resource/ccfs/downloadAgentSkillInfoFile", names, *lines, enc(body)])
print(f"{prefix}/{hx(hx(sk, prefix), canonical)}")
"#;
    let ccfs = Ccfs::new().env("CCFS_ACCESS_KEY", "ak").env("CCFS_SECRET_KEY", "sk");
    let body = r#"{"msgBody":{"agentSkillInfoFileName":"ü~ /.zip"}}"#;
    fs::write(ccfs.path("body"), body).unwrap();
    let Ok(python) =
        Command::new("python3").args(["-c", SCRIPT]).current_dir(ccfs.path(".")).output()
    else {
        skipped("python3 is not on this machine");
        return;
    };
    let length = format!("content-length: {}", body.len());
    let run = ccfs.run(&[
        "sign",
        "--path",
        "/CCFS/resource/ccfs/downloadAgentSkillInfoFile",
        "--header",
        "Host: 10.1.2.3:8443",
        "--header",
        &length,
        "--header",
        "Content-Type: application/json; charset=UTF-8",
        "--body-file",
        "body",
        "--timestamp",
        "2021-08-31T09:38:50.872Z",
    ]);
    assert_eq!(run.stdout, String::from_utf8_lossy(&python.stdout));
}
