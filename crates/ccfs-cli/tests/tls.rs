//! Pins and client certificates through the command's settings.

use std::fs;

use crate::support::Ccfs;
use ccfs_emulator::Emulator;

const NAME: &str = "20230406_9239cb50a8384bb0ab503441bf089446.zip";

/// The server answers that the file does not exist, so everything before that works.
const REACHED: i32 = 1;

#[test]
fn a_pin_comes_from_flag_environment_or_file() {
    let emulator = Emulator::builder().certificate_names(["ccfs.example.com"]).start().unwrap();
    let (pin, wrong) = (emulator.certificate_sha256().unwrap(), "ab".repeat(32));
    for backend in ["blocking", "async"] {
        let ccfs = Ccfs::at(&emulator);
        let run = ccfs.run(&["--backend", backend, "download", NAME]);
        run.ends_with_code(3);
        ccfs.run(&["--backend", backend, "--pin-sha256", &pin.to_uppercase(), "download", NAME])
            .ends_with_code(REACHED);
        let run = ccfs.run(&["--backend", backend, "--pin-sha256", &wrong, "download", NAME]);
        run.ends_with_code(3);
        assert!(
            run.stderr.contains(&pin) && run.stderr.contains(&wrong),
            "both pins are told: {}",
            run.stderr
        );
        ccfs.run(&[
            "--backend",
            backend,
            "--pin-sha256",
            &format!("{wrong},{pin}"),
            "download",
            NAME,
        ])
        .ends_with_code(REACHED);
        fs::write(ccfs.path("pin.toml"), format!("pin_sha256 = \"{pin}\"\n")).unwrap();
        ccfs.run(&["--backend", backend, "--config", "pin.toml", "download", NAME])
            .ends_with_code(REACHED);
        let ccfs = ccfs.env("CCFS_PIN_SHA256", &pin);
        ccfs.run(&["--backend", backend, "download", NAME]).ends_with_code(REACHED);
    }
    let run = Ccfs::at(&emulator).run(&["--pin-sha256", "abcd", "download", NAME]);
    run.ends_with_code(2);
    assert!(
        run.stderr.contains("--pin-sha256: pin has 4 hex digits, expected 64"),
        "{}",
        run.stderr
    );
}

#[test]
fn a_client_certificate_comes_from_two_files() {
    let emulator = Emulator::builder().require_client_certificate(true).start().unwrap();
    let identity = emulator.client_identity().unwrap();
    let ccfs = Ccfs::against(&emulator);
    fs::write(ccfs.path("client.pem"), &identity.certificate_pem).unwrap();
    fs::write(ccfs.path("key.pem"), &identity.key_pem).unwrap();
    for backend in ["blocking", "async"] {
        let run = ccfs.run(&["--backend", backend, "download", NAME]);
        run.ends_with_code(3);
        assert!(run.stderr.contains("requires a client certificate"), "{}", run.stderr);
        let given = [
            "--backend",
            backend,
            "--client-cert",
            "client.pem",
            "--client-key",
            "key.pem",
            "download",
            NAME,
        ];
        ccfs.run(&given).ends_with_code(REACHED);
    }
    for (arguments, said) in [
        (&["--client-cert", "client.pem"][..], "give both --client-cert and --client-key"),
        (&["--client-cert", "client.pem", "--client-key", "client.pem"], "client key not found"),
        (
            &["--client-cert", "client.pem", "--client-key", "nowhere.pem"],
            "nowhere.pem cannot be read",
        ),
    ] {
        let run = ccfs.run(&[arguments, &["download", NAME]].concat());
        run.ends_with_code(2);
        assert!(run.stderr.contains(said), "{said:?} is missing in: {}", run.stderr);
    }
    fs::write(ccfs.path("mtls.toml"), "client_cert = \"client.pem\"\nclient_key = \"key.pem\"\n")
        .unwrap();
    ccfs.run(&["--config", "mtls.toml", "download", NAME]).ends_with_code(REACHED);
}

/// `ccfs listen` serves TLS with its own certificate, at one path, and prints the URL.
#[test]
fn callbacks_are_received_over_tls() {
    let authority = Emulator::builder().start().unwrap();
    let identity = authority.receiver_identity().unwrap();
    let emulator = Emulator::builder().callback_root(authority.ca_pem().unwrap()).start().unwrap();
    let ccfs = Ccfs::against(&emulator);
    fs::write(ccfs.path("cert.pem"), &identity.certificate_pem).unwrap();
    fs::write(ccfs.path("key.pem"), &identity.key_pem).unwrap();
    let tls = ["--tls-cert", "cert.pem", "--tls-key", "key.pem"];
    let mut listen = ccfs.start(
        &[&["listen", "--bind", "127.0.0.1:0", "--path", "/callback", "--once"], &tls[..]].concat(),
    );
    let url = listen.error_line().strip_prefix("listening on ").unwrap().to_owned();
    assert!(url.starts_with("https://127.0.0.1:") && url.ends_with("/callback"), "{url}");
    let query = |url: &str| {
        let window = ["--begin", "2023-04-05 00:00:00", "--end", "2023-04-06 00:00:00"];
        ccfs.run(&[&["query"], &window[..], &["--callback", url]].concat()).ends_with_code(0);
    };
    query(&url.replace("/callback", "/elsewhere"));
    assert!(listen.error_line().contains("request path is not"));
    query(&url);
    assert!(listen.line().contains("\"file_name\""));
    assert_eq!(listen.wait(), Some(0));

    for (given, said) in [
        (&["--tls-cert", "cert.pem"][..], "--tls-key"),
        (&["--tls-cert", "cert.pem", "--tls-key", "cert.pem"], "not valid PEM"),
        (&["--tls-cert", "cert.pem", "--tls-key", "nowhere.pem"], "nowhere.pem cannot be read"),
        (&["--path", "callback"], "begins with /"),
    ] {
        let run = ccfs.run(&[&["listen"], given].concat());
        run.ends_with_code(2);
        assert!(
            run.stderr.contains(said) && !run.stderr.contains("PRIVATE"),
            "{said:?} is missing in {}",
            run.stderr
        );
    }
}
