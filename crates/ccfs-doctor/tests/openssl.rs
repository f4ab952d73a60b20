//! A server that we did not write: openssl's, with the kind of certificate that people make in a hurry.
#![allow(clippy::unwrap_used)]

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use ccfs_doctor::{Cause, Doctor, Mark, Verdict};
use ccfs_tests::{TEST_TIMEOUT, skipped};
use ccfs_tls::{Pin, Trust};

#[test]
fn a_certificate_of_openssl_req_x509_is_read_told_and_can_be_pinned() {
    let Some(folder) = made_certificate() else { return skipped("openssl is not on this machine") };
    let mut server = Command::new("openssl")
        .args(["s_server", "-accept", "127.0.0.1:0", "-key", "key.pem", "-cert", "cert.pem"])
        .current_dir(folder.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(server.stdout.take().unwrap()).lines();
    let address = lines
        .find_map(|line| line.unwrap().strip_prefix("ACCEPT ").map(str::to_owned))
        .expect("openssl listens");
    let doctor = Doctor::new(format!("https://{address}").parse().unwrap(), None)
        .proxy(None)
        .timeout(TEST_TIMEOUT);
    let pem = std::fs::read(folder.path().join("cert.pem")).unwrap();
    let report = doctor.clone().trust(Trust::none().add_pem(&pem).unwrap()).examine().unwrap();
    let printed = Command::new("openssl")
        .args(["x509", "-in", "cert.pem", "-noout", "-fingerprint", "-sha256"])
        .current_dir(folder.path())
        .output();
    let printed = String::from_utf8(printed.unwrap().stdout).unwrap();
    let pin: Pin = printed.trim().split_once('=').unwrap().1.parse().unwrap();
    let pinned = doctor.trust(Trust::none().pin(pin)).examine().unwrap();
    server.kill().unwrap();
    server.wait().unwrap();

    assert_eq!(
        (report.verdict, report.findings[0].cause),
        (Verdict::Network, Cause::CaCertificate),
        "{report}"
    );
    assert!(report.certificates[0].subject.contains("CN=aicc.example.com"), "{report}");
    assert_eq!(report.certificates[0].sha256, pin.to_string());
    assert_eq!(pinned.verdict, Verdict::Unsigned, "{pinned}");
    let tls = pinned.steps.iter().find(|step| step.name == "TLS").unwrap();
    assert_eq!(tls.mark, Mark::Warn, "it ends in five days: {pinned}");
    assert!(pinned.findings.iter().any(|finding| finding.cause == Cause::CertificateEndsSoon));
}

fn made_certificate() -> Option<tempfile::TempDir> {
    let folder = tempfile::tempdir().unwrap();
    let line = "req -x509 -newkey rsa:2048 -nodes -keyout key.pem -out cert.pem -subj /CN=aicc.example.com -days 5";
    let made = Command::new("openssl")
        .args(line.split(' '))
        .current_dir(folder.path())
        .stderr(Stdio::null())
        .status()
        .ok()?;
    assert!(made.success());
    Some(folder)
}
