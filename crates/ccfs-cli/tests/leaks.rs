//! The command shows no secret key, no signature and no token but where that is what was asked for. `tests/tests/leaks.rs` holds the
//! libraries to the same.

use std::fs;

use crate::support::{Ccfs, QUERY, Run};
use ccfs::proto::Signer;
use ccfs::proto::exchange::PreparedRequest;
use ccfs::proto::operation::{DownloadRecordFile, IvrUploadFile};
use ccfs::{Operation, Timestamp};
use ccfs_emulator::{Emulator, Fault};
use ccfs_tests::{SECRET_KEYS, Secrets, signatures};

/// Everything that runs have printed.
#[derive(Default)]
struct Printed(String);

impl Printed {
    /// Runs the command twice, with text output and with JSON, over one backend each, and expects that exit code. Both runs
    /// are verbose.
    fn run(&mut self, ccfs: &Ccfs, arguments: &[&str], code: i32) {
        for more in [&["-vv", "--log-file", "log"][..], &["-v", "--json", "--backend", "async"]] {
            self.add(&ccfs.run(&[more, arguments].concat()), code);
        }
    }

    fn add(&mut self, run: &Run, code: i32) {
        run.ends_with_code(code);
        self.0 += &run.stdout;
        self.0 += &run.stderr;
    }
}

/// The signatures that an operation was sent with: the emulator's log has all of each but the signature itself.
fn add_signatures(secrets: &mut Secrets, emulator: &Emulator, operation: &impl Operation) {
    let signer = Signer::new(&emulator.credentials());
    let mut found = 0;
    for received in emulator
        .received()
        .iter()
        .filter(|received| received.interface == Some(&*operation.interface()))
    {
        let shown = received.header("authorization").unwrap();
        let at = shown.split('/').nth(2).unwrap().parse::<Timestamp>().unwrap();
        let request = PreparedRequest::new(operation.request().unwrap(), emulator.endpoint())
            .unwrap()
            .sign(&signer, at)
            .unwrap();
        let (prefix, signature) =
            request.headers()["authorization"].to_str().unwrap().rsplit_once('/').unwrap();
        assert_eq!(shown, format!("{prefix}/…"));
        secrets.add("a signature", signature);
        found += 1;
    }
    assert!(found > 0);
}

/// Long-running and diagnostic commands: pulls with their journals, and the doctor, also with a proxy and a client certificate.
fn long_runs(secrets: &mut Secrets, emulator: &Emulator, ccfs: &Ccfs, wrong: &Ccfs) -> Printed {
    let mut long = Printed::default();
    let pull = |out| {
        [
            "pull",
            "--from",
            "2023-04-01",
            "--to",
            "2023-04-02",
            "--tz",
            "Asia/Shanghai",
            "--out",
            out,
        ]
    };
    long.run(ccfs, &pull("pulled"), 0);
    long.run(wrong, &pull("refused"), 4);
    for file in [
        ccfs.path("pulled/ccfs-pull.journal"),
        wrong.path("refused/ccfs-pull.journal"),
        ccfs.path("log"),
        wrong.path("log"),
    ] {
        long.0 += &fs::read_to_string(file).unwrap();
    }
    long.run(ccfs, &["doctor"], 0);
    long.run(wrong, &["doctor"], 4);
    let password = "MARKER-proxy-password";
    secrets.add("a proxy's password", password);
    for (proxy, code) in [
        ("http://somebody:PASSWORD@127.0.0.1:9", 3),
        ("http://somebody:PASSWORD@", 2),
        ("ftp://u:PASSWORD@h", 2),
    ] {
        let proxied =
            Ccfs::against(emulator).env("HTTPS_PROXY", &proxy.replace("PASSWORD", password));
        long.run(&proxied, &["doctor"], code);
    }
    let identity = emulator.client_identity().unwrap();
    secrets.add("a private key", identity.key_pem.lines().nth(1).unwrap());
    let key = format!("{}{}", identity.key_pem, identity.key_pem.replace("PRIVATE", "PUBLIC"));
    for (name, pem) in [
        ("cert.pem", &identity.certificate_pem),
        ("key.pem", &identity.key_pem),
        ("both.pem", &key),
    ] {
        fs::write(ccfs.path(name), pem).unwrap();
    }
    long.run(ccfs, &["--client-cert", "cert.pem", "--client-key", "key.pem", "doctor"], 0);
    long.run(ccfs, &["--client-cert", "key.pem", "--client-key", "both.pem", "doctor"], 2);
    long.run(
        ccfs,
        &["listen", "--tls-cert", "key.pem", "--tls-key", "cert.pem", "--bind", "127.0.0.1:0"],
        2,
    );
    assert_eq!(signatures(&long.0), <[&str; 0]>::default());
    long
}

#[test]
#[allow(clippy::too_many_lines)] // One run after the other.
fn no_run_shows_a_secret() {
    for secret_key in SECRET_KEYS {
        let (mut secrets, mut printed) = (Secrets::default(), Printed::default());
        secrets.add("the secret key", secret_key);
        let emulator =
            Emulator::builder().keys("ak", secret_key).rows(20).lockout(None).start().unwrap();
        let recording = &emulator.recordings()[0];
        let ccfs = Ccfs::against(&emulator).env("RUST_LOG", "trace").env("RUST_BACKTRACE", "1");
        let wrong_key = format!("MARKER-wrong-{secret_key}");
        secrets.add("a wrong key", &wrong_key);
        let wrong = Ccfs::against(&emulator).env("CCFS_SECRET_KEY", &wrong_key);

        // Successful and failing calls: a result code, a wrong key, the file system, usage.
        printed.run(&ccfs, &[&["query"], &QUERY[..]].concat(), 0);
        let name = emulator.files().remove(0);
        printed.run(&ccfs, &["download", name.as_str(), "--force"], 0);
        printed.run(&ccfs, &["download", name.as_str()], 1);
        printed.run(&ccfs, &["download", "20230406_9239cb50a8384bb0ab503441bf089446.zip"], 1);
        let record = [
            "call",
            "downloadRecordFile",
            "--fileName",
            &recording.file_name,
            "-o",
            "a.wav",
            "--force",
        ];
        printed.run(&ccfs, &record, 0);
        add_signatures(&mut secrets, &emulator, &DownloadRecordFile::new(&recording.file_name));
        printed.run(&wrong, &record, 4);
        printed.run(&ccfs, &["call", "ivr/uploadFile", "--vdnId", "39", "--data", "a.wav"], 0);
        add_signatures(&mut secrets, &emulator, &IvrUploadFile::new(39, recording.wav()));
        printed.run(&wrong, &[&["query"], &QUERY[..]].concat(), 4);
        for fault in [Fault::Locked, Fault::Html(200), Fault::Garbage, Fault::Redirect] {
            emulator.faults().add(fault.clone());
            printed.run(&ccfs, &record, if fault == Fault::Locked { 4 } else { 1 });
            emulator.faults().clear();
        }
        printed.run(&Ccfs::at(&emulator), &record, 3);

        // A token is read from a file, and printed only on request.
        let token = ccfs.run(&[
            "--json",
            "call",
            "requestPlayVoice",
            "--fileName",
            &recording.original_file_name,
        ]);
        let token = serde_json::from_str::<serde_json::Value>(&token.stdout).unwrap()["result_data"]["token"].take();
        fs::write(ccfs.path("token"), token.as_str().unwrap()).unwrap();
        secrets.add("a playback token", token.as_str().unwrap());
        let play = ["call", "playVoice", "--st-file", "token", "-o", "b.wav", "--force"];
        printed.run(&ccfs, &play, 0);
        printed.run(&ccfs, &[&play[..], &["--t", "x"]].concat(), 2);
        fs::write(ccfs.path("token"), token.as_str().unwrap().repeat(50)).unwrap();
        printed.run(&ccfs, &play, 2);

        printed.0 += &long_runs(&mut secrets, &emulator, &ccfs, &wrong).0;

        // Settings in the wrong place, or broken.
        let base = Ccfs::new()
            .env("CCFS_ENDPOINT", &emulator.endpoint().to_string())
            .env("CCFS_ACCESS_KEY", "ak");
        let toml = |key: &str, rest: &str| {
            format!("{key} = {}\n{rest}", serde_json::to_string(secret_key).unwrap())
        };
        let call = ["call", "downloadRecordFile", "--fileName", "a", "-o", "c.wav"];
        for (config, code) in [
            (toml("secret_key", "tz = \"Nowhere\"\n"), 3),
            (toml("secret_kye", ""), 2),
            (toml("backend", ""), 2),
            (toml("query_line", ""), 2),
            (toml("secret_key", "secret_key = \"again\""), 2),
            (format!("secret_key = {secret_key}"), 2),
            (format!("[{secret_key}"), 2),
        ] {
            fs::write(base.path("config.toml"), config).unwrap();
            printed.run(&base, &[&["--config", "config.toml"], &call[..]].concat(), code);
        }
        for (key, code) in [
            (secret_key.as_bytes().to_vec(), 3),
            (secret_key.repeat(100).into(), 2),
            ([secret_key.as_bytes(), b"\xFF"].concat(), 2),
        ] {
            fs::write(base.path("key"), key).unwrap();
            printed.run(&base, &[&["--secret-key-file", "key"], &call[..]].concat(), code);
        }
        let stdin = [&["--secret-key-file", "-"], &call[..]].concat();
        printed.add(&base.run_with(&stdin, secret_key.as_bytes()), 3);
        let swapped = Ccfs::against(&emulator)
            .env("CCFS_ENDPOINT", &format!("https://user:{secret_key}@10.1.2.3"));
        printed.run(&swapped, &record, 2);

        // Signing prints the signature, which is its purpose, and neither key.
        let sign = [
            "sign",
            "--path",
            "/a",
            "--header",
            "host: h",
            "--timestamp",
            "2021-08-31T09:38:50.872Z",
        ];
        let signed = ccfs.run(&sign);
        secrets.must_not_be_in("sign", &signed.stdout);
        printed.run(&ccfs, &[&sign[..], &["--explain"]].concat(), 0);
        let authorization = signed.stdout.trim_end();
        let verify = ["verify", "--authorization", authorization, "--header", "host: h", "--path"];
        printed.run(&ccfs, &[&verify[..], &["/a"]].concat(), 0);
        printed.run(&ccfs, &[&verify[..], &["/b"]].concat(), 4);
        printed.run(
            &ccfs,
            &["verify", "--authorization", secret_key, "--header", "host: h", "--path", "/a"],
            4,
        );

        assert!(printed.0.len() > 5_000);
        secrets.must_not_be_in("the command", &printed.0);
    }
}

/// Arguments can be read by every user of a machine, and help is read by everybody: neither has a place for a secret.
#[test]
fn no_option_takes_a_secret_and_no_help_shows_one() {
    let (mut secrets, mut help) = (Secrets::default(), Printed::default());
    secrets.add("the secret key", SECRET_KEYS[1]);
    let ccfs = Ccfs::new().env("CCFS_SECRET_KEY", SECRET_KEYS[1]).env("CCFS_ACCESS_KEY", "ak");
    let overview = ccfs.run(&["--help"]).stdout;
    let mut commands: Vec<Vec<&str>> = vec![vec![]];
    commands.extend(crate::support::commands(&overview).into_iter().map(|command| vec![command]));
    commands.extend(
        ccfs::proto::operation::INTERFACES.iter().map(|interface| vec!["call", interface.name]),
    );
    for command in commands {
        for flag in ["--help", "-h"] {
            help.add(&ccfs.run(&[&command[..], &[flag]].concat()), 0);
        }
    }
    for shell in ["bash", "zsh", "fish"] {
        help.add(&ccfs.run(&["completions", shell]), 0);
    }
    secrets.must_not_be_in("help", &help.0);
    let words = help.0.split(|c: char| !c.is_ascii_alphanumeric() && !"-_".contains(c));
    let options: std::collections::BTreeSet<&str> =
        words.filter(|word| word.starts_with("--")).collect();
    assert!(options.contains("--secret-key-file") && options.contains("--st-file"), "{options:?}");
    let takes_a_secret = |option: &&str| {
        let named = ["secret", "password", "token"].iter().any(|word| option.contains(word))
            && !option.ends_with("-file");
        named || *option == "--st"
    };
    let found: Vec<&str> = options.into_iter().filter(takes_a_secret).collect();
    assert_eq!(found, <[&str; 0]>::default());
}
