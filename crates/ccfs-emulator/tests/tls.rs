//! TLS, with curl as the client.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use crate::support::{DOWNLOAD, NOWHERE, QUERY, now, window};
use ccfs_emulator::{Emulator, TlsVersions};
use ccfs_proto::{RequestView, Signer};
use ccfs_tests::skipped;
use serde_json::{Value, json};

const TYPE: &str = "application/json; charset=UTF-8";

/// A signed call with curl, which trusts the CA in `folder`; `None`, with the reason printed, where curl is not installed.
fn curl(
    emulator: &Emulator,
    folder: &Path,
    interface: &str,
    msg_body: &Value,
    more: &[&str],
) -> Option<Output> {
    let path = format!("/CCFS/resource/ccfs/{interface}");
    let body = json!({"request": {"version": "2.0"}, "msgBody": msg_body}).to_string();
    let host = emulator.endpoint().host_header();
    let length = body.len().to_string();
    let view = RequestView {
        method: "POST",
        path: &path,
        query: &[],
        headers: &[("host", &host), ("content-type", TYPE), ("content-length", &length)],
        body: body.as_bytes(),
    };
    let authorization = Signer::new(&emulator.credentials()).sign(view, now()).unwrap();
    let ca = folder.join("ca.pem");
    fs::write(&ca, emulator.ca_pem().unwrap()).unwrap();
    let output = Command::new("curl")
        .args(["-sS", "--noproxy", "*", "--http1.1", "--max-time", "20", "--cacert"])
        .arg(&ca)
        .args([
            "-H",
            &format!("Content-Type: {TYPE}"),
            "-H",
            &format!("Authorization: {}", authorization.to_str().unwrap()),
        ])
        .args(["--data-binary", &body])
        .args(more)
        .arg(format!("{}{path}", emulator.endpoint()))
        .output();
    match output {
        Ok(output) => Some(output),
        Err(error) => {
            skipped(format_args!("curl does not start here: {error}"));
            None
        }
    }
}

#[test]
fn curl_asks_and_downloads_over_both_versions_and_both_families() {
    let folder = tempfile::tempdir().unwrap();
    let mut emulators = vec![Emulator::builder().clock(now).rows(2000).start().unwrap()];
    match Emulator::builder().clock(now).rows(2000).bind("[::1]:0".parse().unwrap()).start() {
        Ok(emulator) => emulators.push(emulator),
        Err(error) => println!("without IPv6: {error}"),
    }
    for emulator in &emulators {
        for version in ["1.2", "1.3"] {
            let version = ["--tls-max", version];
            let Some(output) = curl(emulator, folder.path(), QUERY, &window(NOWHERE), &version)
            else {
                return;
            };
            let answer: Value =
                serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{output:?}"));
            assert_eq!(answer["resultCode"], "0");
            let name =
                format!("20230406_{}.zip", answer["resultData"]["responseId"].as_str().unwrap());
            let output = curl(
                emulator,
                folder.path(),
                DOWNLOAD,
                &json!({"agentSkillInfoFileName": name}),
                &version,
            )
            .unwrap();
            assert_eq!(Some(output.stdout), emulator.file(&name.parse().unwrap()));
        }
    }
}

#[test]
fn a_certificate_that_names_something_else_is_refused_by_a_careful_client() {
    let folder = tempfile::tempdir().unwrap();
    let emulator =
        Emulator::builder().clock(now).certificate_names(["ccfs.example"]).start().unwrap();
    let Some(output) = curl(&emulator, folder.path(), QUERY, &window(NOWHERE), &[]) else { return };
    assert!(!output.status.success() && output.stdout.is_empty());
    assert!(emulator.received().is_empty());
    let there = format!("ccfs.example:{}:127.0.0.1", emulator.address().port());
    let url = format!("https://ccfs.example:{}/", emulator.address().port());
    let output =
        curl(&emulator, folder.path(), QUERY, &window(NOWHERE), &["--resolve", &there, &url])
            .unwrap();
    assert!(String::from_utf8_lossy(&output.stdout).contains("\"status\":404"), "{output:?}");
}

#[test]
fn only_the_versions_that_are_asked_for_are_spoken() {
    let folder = tempfile::tempdir().unwrap();
    for (versions, spoken) in
        [(TlsVersions::Only12, [true, false]), (TlsVersions::Only13, [false, true])]
    {
        let emulator = Emulator::builder().clock(now).tls_versions(versions).start().unwrap();
        for (only, spoken) in [["--tlsv1.2", "--tls-max", "1.2"], ["--tlsv1.3", "--tls-max", "1.3"]]
            .iter()
            .zip(spoken)
        {
            let Some(output) = curl(&emulator, folder.path(), QUERY, &window(NOWHERE), only) else {
                return;
            };
            assert_eq!(output.status.success(), spoken, "{versions:?} {only:?} {output:?}");
        }
    }
}

#[test]
fn clients_must_show_a_certificate_where_it_is_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let emulator = Emulator::builder().clock(now).require_client_certificate(true).start().unwrap();
    let Some(output) = curl(&emulator, folder.path(), QUERY, &window(NOWHERE), &[]) else { return };
    assert!(!output.status.success());
    assert!(emulator.received().is_empty());

    let identity = emulator.client_identity().unwrap();
    let (certificate, key) = (folder.path().join("client.pem"), folder.path().join("client.key"));
    fs::write(&certificate, &identity.certificate_pem).unwrap();
    fs::write(&key, &identity.key_pem).unwrap();
    let arguments = ["--cert", certificate.to_str().unwrap(), "--key", key.to_str().unwrap()];
    let output = curl(&emulator, folder.path(), QUERY, &window(NOWHERE), &arguments).unwrap();
    assert!(String::from_utf8_lossy(&output.stdout).contains("\"resultCode\":\"0\""), "{output:?}");
}

#[test]
fn an_emulator_without_tls_has_no_certificate() {
    let plain = Emulator::builder().plain().start().unwrap();
    assert_eq!(
        (plain.ca_pem(), plain.certificate_der(), plain.certificate_sha256()),
        (None, None, None)
    );
}
