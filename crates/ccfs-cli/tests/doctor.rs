//! `ccfs doctor` as a process: what it prints, and how it ends.

use crate::support::Ccfs;
use ccfs_emulator::{Emulator, Fault};
use ccfs_tests::ProxyProcess;
use serde_json::Value;

#[test]
fn the_exit_code_is_the_contracts() {
    let emulator = Emulator::builder().start().unwrap();
    let ccfs = Ccfs::against(&emulator);
    let run = ccfs.run(&["doctor"]);
    run.ends_with_code(0);
    assert!(
        run.stdout.contains("All is well.") && run.stderr.is_empty(),
        "{}{}",
        run.stdout,
        run.stderr
    );
    for (fault, code, said) in [
        (Fault::Unauthorized, 4, "likely: a key is wrong"),
        (Fault::HostRewritten, 4, "likely: Host is rewritten on the way"),
        (Fault::Locked, 4, "likely: the server has locked this address"),
        (Fault::Gateway(502), 1, "a gateway answers instead of CC-FS"),
        (Fault::Gateway(403), 4, "likely: a gateway answers instead of CC-FS"),
        (Fault::Redirect, 1, "the server redirects to another address"),
        (Fault::CloseBeforeAnswer, 3, "likely: the server does not answer"),
    ] {
        emulator.faults().clear();
        emulator.faults().add(fault);
        let run = ccfs.run(&["doctor"]);
        run.ends_with_code(code);
        assert!(
            run.stdout.contains(said) && run.stderr.starts_with("error: "),
            "{said:?} is missing in:\n{}{}",
            run.stdout,
            run.stderr
        );
        assert!(!format!("{}{}", run.stdout, run.stderr).contains(emulator.secret_key()));
    }
}

#[test]
fn a_pin_can_be_taken_out_of_a_report_on_a_server_that_is_not_trusted() {
    let emulator = Emulator::builder().certificate_names(["ccfs.example.com"]).start().unwrap();
    let ccfs = Ccfs::at(&emulator);
    let run = ccfs.run(&["--json", "doctor"]);
    run.ends_with_code(3);
    let report: Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(report["verdict"], "network");
    assert_eq!(report["findings"][0]["cause"], "unknown-issuer");
    assert_eq!(report["certificates"][0]["names"][0], "ccfs.example.com");
    assert!(emulator.received().is_empty());
    let pin = report["certificates"][0]["sha256"].as_str().unwrap();
    ccfs.run(&["--pin-sha256", pin, "doctor"]).ends_with_code(0);
    // Without keys, no request is signed, and the other checks run.
    let run = Ccfs::new().run(&[
        "--endpoint",
        &emulator.endpoint().to_string(),
        "--pin-sha256",
        pin,
        "doctor",
    ]);
    run.ends_with_code(0);
    let said = "The keys were not tested, because none are set.";
    assert!(run.stdout.contains(said), "{}", run.stdout);
}

/// The name of the time zone is checked, although no call needs it.
#[test]
fn the_time_zone_is_checked() {
    let emulator = Emulator::builder().start().unwrap();
    let run = Ccfs::against(&emulator).env("CCFS_TZ", "asia/shanghai").run(&["doctor"]);
    run.ends_with_code(0);
    assert!(run.stdout.contains("ok    time zone    Asia/Shanghai\n"), "{}", run.stdout);
    let run = Ccfs::against(&emulator).run(&["doctor"]);
    run.ends_with_code(0);
    assert!(
        run.stdout.contains("-     time zone    not set; ccfs pull requires it"),
        "{}",
        run.stdout
    );
    for (name, said) in
        [("Asia/Shanghia", "Asia/Shanghia is not a time zone"), ("CST-8 ", "ends with a blank")]
    {
        let run = Ccfs::against(&emulator).env("CCFS_TZ", name).run(&["doctor"]);
        run.ends_with_code(2);
        let line = run.stdout.lines().find(|line| line.starts_with("fail  time zone")).unwrap();
        assert!(line.contains(said), "{line}");
        assert!(run.stdout.contains("Calls work.") && run.stderr.contains(said), "{}", run.stdout);
    }
}

/// A key file that other users can read is reported, from the flag and from the configuration.
#[cfg(unix)]
#[test]
fn the_permissions_of_the_key_file_are_checked() {
    use std::fs::{Permissions, set_permissions, write};
    use std::os::unix::fs::PermissionsExt;

    let emulator = Emulator::builder().start().unwrap();
    let ccfs = Ccfs::against(&emulator).env("CCFS_SECRET_KEY", "");
    let key = ccfs.path("key");
    write(&key, emulator.secret_key()).unwrap();
    write(ccfs.path("ccfs.toml"), "secret_key_file = \"key\"\n").unwrap();
    let config = ccfs.path("keys.toml");
    write(&config, format!("secret_key = {:?}\n", emulator.secret_key())).unwrap();
    for (mode, mark) in
        [(0o600, "ok"), (0o400, "ok"), (0o640, "warn"), (0o604, "warn"), (0o777, "warn")]
    {
        set_permissions(&key, Permissions::from_mode(mode)).unwrap();
        set_permissions(&config, Permissions::from_mode(mode)).unwrap();
        for arguments in
            [["--secret-key-file", "key"], ["--config", "ccfs.toml"], ["--config", "keys.toml"]]
        {
            let run = ccfs.run(&[&arguments[..], &["doctor"]].concat());
            run.ends_with_code(0);
            let line = run.stdout.lines().find(|line| line.contains(" key file ")).unwrap();
            assert!(line.starts_with(mark), "{line}");
            let advice = format!("(mode {mode:03o}); run chmod 600 ");
            assert_eq!(line.contains(&advice), mark == "warn", "{line}");
            assert_eq!(run.stdout.contains("All is well."), mark == "ok", "{}", run.stdout);
        }
    }
}

#[test]
fn the_dialect_is_tried_on_demand() {
    let emulator = Emulator::builder().query_line(ccfs::QueryLine::Empty).start().unwrap();
    let ccfs = Ccfs::against(&emulator);
    ccfs.run(&["doctor"]).ends_with_code(4);
    assert_eq!(emulator.received().len(), 1);
    let run = ccfs.run(&["doctor", "--try-dialects"]);
    run.ends_with_code(4);
    assert!(
        run.stdout.contains("--query-line empty") && emulator.received().len() == 3,
        "{}",
        run.stdout
    );
    ccfs.run(&["--query-line", "empty", "doctor"]).ends_with_code(0);
}

#[test]
fn through_a_proxy() {
    let Some(process) = ProxyProcess::start(Some("user:MARKER-word")) else { return };
    let emulator = Emulator::builder().start().unwrap();
    let proxied = |login: &str| {
        Ccfs::against(&emulator)
            .env("HTTPS_PROXY", &format!("http://{login}@{}", process.address()))
    };
    let run = proxied("user:MARKER-word").run(&["doctor"]);
    run.ends_with_code(0);
    assert!(
        run.stdout.contains("through the proxy's tunnel") && !run.stdout.contains("MARKER"),
        "{}",
        run.stdout
    );
    let run = proxied("user:wrong").run(&["doctor"]);
    run.ends_with_code(3);
    assert!(
        run.stdout.contains("HTTP 407")
            && run.stderr.contains("the proxy refuses the connection to the server"),
        "{}",
        run.stdout
    );
    Ccfs::against(&emulator)
        .env("HTTPS_PROXY", "socks5://127.0.0.1:1")
        .run(&["doctor"])
        .ends_with_code(2);
}
