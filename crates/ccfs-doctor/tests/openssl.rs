//! An independent server, that of openssl, with typical self-made certificates.
#![allow(clippy::unwrap_used)]

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::thread;

use ccfs_doctor::{Cause, Doctor, Mark, Verdict};
use ccfs_tests::{TEST_TIMEOUT, skipped};
use ccfs_tls::{Pin, Trust};
use tempfile::TempDir;

#[test]
fn a_certificate_of_openssl_req_x509_is_parsed_reported_and_can_be_pinned() {
    let line = "req -x509 -newkey rsa:2048 -nodes -keyout key.pem -out cert.pem -subj /CN=aicc.example.com -days 5";
    let Some(folder) = made_by_openssl(&[line]) else {
        return skipped("openssl is not on this machine");
    };
    let (mut server, address) = serve(&folder);
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

/// Certificates that rustls refuses with an unspecific error, whatever is trusted.
#[test]
fn a_short_rsa_key_and_an_old_certificate_are_named_and_a_pin_does_not_help() {
    let short = "req -x509 -newkey rsa:1024 -nodes -keyout key.pem -out cert.pem -subj /CN=localhost -days 90 \
                 -addext basicConstraints=critical,CA:FALSE -addext subjectAltName=IP:127.0.0.1";
    let request =
        "req -newkey rsa:2048 -nodes -keyout key.pem -out request.pem -subj /CN=localhost";
    let version_1 = "x509 -req -in request.pem -signkey key.pem -out cert.pem -days 90";
    for (lines, cause, said) in [
        (&[short][..], Cause::WeakKey, "its RSA key has 1024 bits, and at least 2048 are required"),
        (&[request, version_1], Cause::OldCertificate, "it is an X.509 version 1 certificate"),
    ] {
        let Some(folder) = made_by_openssl(lines) else {
            return skipped("openssl is not on this machine");
        };
        let (mut server, address) = serve(&folder);
        let pem = std::fs::read(folder.path().join("cert.pem")).unwrap();
        let doctor = Doctor::new(format!("https://{address}").parse().unwrap(), None)
            .proxy(None)
            .timeout(TEST_TIMEOUT);
        let unknown = doctor.clone().trust(Trust::none()).examine().unwrap();
        let pin: Pin = unknown.certificates[0].sha256.parse().unwrap();
        let pinned = doctor.clone().trust(Trust::none().pin(pin)).examine().unwrap();
        let mut reports = vec![unknown, pinned];
        // A root may have a short key, but not be an old certificate.
        if let Ok(trust) = Trust::none().add_pem(&pem) {
            reports.push(doctor.trust(trust).examine().unwrap());
        }
        server.kill().unwrap();
        server.wait().unwrap();
        for report in reports {
            assert_eq!(report.findings[0].cause, cause, "{report}");
            assert_eq!(report.findings[0].because, [said], "{report}");
            assert!(report.findings[0].advice.contains("A pin does not help"));
        }
    }
}

/// Starts a server of openssl with `key.pem` and `cert.pem`.
fn serve(folder: &TempDir) -> (Child, String) {
    let mut server = Command::new("openssl")
        .args(["s_server", "-accept", "127.0.0.1:0", "-key", "key.pem", "-cert", "cert.pem"])
        .args(["-cipher", "DEFAULT:@SECLEVEL=0"])
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
    thread::spawn(move || lines.for_each(drop));
    (server, address)
}

/// Runs these commands of openssl in a new folder; `None` if it is not installed.
fn made_by_openssl(lines: &[&str]) -> Option<TempDir> {
    let folder = tempfile::tempdir().unwrap();
    for line in lines {
        let made = Command::new("openssl")
            .args(line.split_whitespace())
            .current_dir(folder.path())
            .stderr(Stdio::null())
            .status()
            .ok()?;
        assert!(made.success(), "{line}");
    }
    Some(folder)
}
