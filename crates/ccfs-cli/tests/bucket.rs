//! `ccfs pull --out s3://…`: killed at every request to the store and run again, the bucket has what an uninterrupted run leaves.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex};

use crate::support::Ccfs;
use ccfs_emulator::Emulator;
use ccfs_tests::{Behaviour, S3, ScriptedServer, StoreFault};

const SECRET: &str = "the-secret-of-the-store";
const PULL: [&str; 12] = [
    "pull",
    "--from",
    "2023-04-01",
    "--to",
    "2023-04-02",
    "--out",
    "s3://lake/nightly",
    "--convert",
    "parquet",
    "--no-zip",
    "--in-flight",
    "1",
];

struct Lake {
    store: S3,
    ccfs: Ccfs,
    emulator: Emulator,
}

impl Lake {
    fn new() -> Self {
        let emulator = Emulator::builder().rows(30).lockout(None).same_files(true).start().unwrap();
        let (store, ccfs) = (S3::start(), Ccfs::against(&emulator));
        let home = ccfs.path("home").display().to_string();
        let ccfs = ccfs
            .env("CCFS_TZ", "Asia/Shanghai")
            .env("HOME", &home)
            .env("AWS_ENDPOINT_URL", &store.endpoint())
            .env("AWS_ACCESS_KEY_ID", "id")
            .env("AWS_SECRET_ACCESS_KEY", SECRET);
        Self { store, ccfs, emulator }
    }

    /// The objects without receipts, whose times differ.
    fn data(&self) -> BTreeMap<String, Vec<u8>> {
        let objects = self.store.objects().into_iter().map(|(key, bytes)| (key, bytes.to_vec()));
        objects.filter(|(key, _)| !key.contains("/_ccfs/")).collect()
    }

    /// Reports when the store has received request `at`, and does not answer it or later ones.
    fn stop_at(&self, at: usize) -> Receiver<()> {
        let (sender, reached) = channel();
        self.store.hook(move |request| {
            if request.number < at {
                return StoreFault::None;
            }
            let _ = sender.send(());
            StoreFault::Silent
        });
        reached
    }
}

#[test]
fn a_pull_that_is_killed_at_any_request_to_the_store_is_completed_by_the_next() {
    let undisturbed = Lake::new();
    let run = undisturbed.ccfs.run(&PULL);
    run.ends_with_code(0);
    assert!(run.stdout.contains("agent_skill_info/day=2023-04-01/"), "{}", run.stdout);
    let expected = undisturbed.data();
    assert_eq!(expected.len(), 2);
    let requests = undisturbed.store.requests();
    assert!(requests > 10);
    for at in 0..requests {
        let lake = Lake::new();
        let reached = lake.stop_at(at);
        let process = lake.ccfs.start(&PULL);
        reached.recv_timeout(ccfs_tests::TEST_TIMEOUT).unwrap();
        drop(process);
        lake.store.unhook();
        lake.ccfs.run(&PULL).ends_with_code(0);
        assert!(lake.data() == expected, "{at}: {:?}", lake.data().keys());
        let verified = lake.ccfs.run(&[&PULL[..1], &PULL[5..7], &["--verify"]].concat());
        verified.ends_with_code(0);
        assert_eq!(verified.stdout, "2 files checked\n", "{at}");
        assert_eq!(lake.store.uploads(), 0);
        // Each request for a file was accepted once.
        let asked = lake.emulator.received();
        let asked = asked.iter().filter(|it| it.interface == Some("queryAgentSkillInfoData"));
        assert_eq!(asked.count(), 2, "{at}");
    }
}

/// The keys come from a profile, and are not shown.
#[test]
fn a_profile_has_keys_and_endpoint() {
    let lake = Lake::new();
    let home = lake.ccfs.path("home");
    fs::create_dir_all(home.join(".aws")).unwrap();
    let config = format!("[profile lake]\nendpoint_url = {}\n", lake.store.endpoint());
    fs::write(home.join(".aws/config"), config).unwrap();
    let keys = format!("[lake]\naws_access_key_id = id\naws_secret_access_key = {SECRET}\n");
    fs::write(home.join(".aws/credentials"), keys).unwrap();
    let (store, emulator) = (lake.store, lake.emulator);
    let ccfs = lake.ccfs.env("AWS_ENDPOINT_URL", "").env("AWS_ACCESS_KEY_ID", "");
    let ccfs = ccfs.env("AWS_SECRET_ACCESS_KEY", "").env("AWS_PROFILE", "lake");
    let run = ccfs.run(&[&PULL[..], &["-v"]].concat());
    run.ends_with_code(0);
    assert!(run.stderr.contains("the store supports If-None-Match"), "{}", run.stderr);
    assert_eq!(store.objects().len(), 5);
    assert!(home.join(".local/state/ccfs/lake/nightly/ccfs-pull.journal").exists());
    store.hook(
        |request| {
            if request.query.is_empty() { StoreFault::Expired } else { StoreFault::None }
        },
    );
    let failed = ccfs.run(&[&PULL[..], &["--again", "2023-04-01"]].concat());
    failed.ends_with_code(1);
    let words =
        "the credentials have expired; renew them, and run the same pull again (400 ExpiredToken)";
    assert!(failed.stderr.contains(words), "{}", failed.stderr);
    for text in [run.stdout, run.stderr, failed.stdout, failed.stderr] {
        assert!(!text.contains(SECRET), "{text}");
    }
    // A token of other keys, and a variable that AWS tools do not read.
    store.hook(|request| {
        assert!(!request.headers.contains_key("x-amz-security-token"));
        StoreFault::None
    });
    let ccfs = ccfs.env("AWS_SESSION_TOKEN", "another").env("AWS_ENDPOINT", "https://127.0.0.1:9");
    ccfs.run(&PULL).ends_with_code(0);
    let ccfs = ccfs.env("AWS_CA_BUNDLE", "missing.pem");
    let run = ccfs.run(&PULL);
    run.ends_with_code(1);
    assert!(run.stderr.contains("cannot read missing.pem: "), "{}", run.stderr);
    let ccfs = ccfs.env("AWS_CA_BUNDLE", "");
    let run = ccfs.env("AWS_PROFILE", "other").run(&PULL);
    run.ends_with_code(2);
    assert!(run.stderr.contains("there is no profile other"), "{}", run.stderr);
    drop(emulator);
}

#[test]
fn an_endpoint_that_is_not_a_store_is_named() {
    let emulator = Emulator::builder().start().unwrap();
    let ccfs = Ccfs::against(&emulator).env("CCFS_TZ", "Asia/Shanghai");
    let home = ccfs.path("home").display().to_string();
    let store = ScriptedServer::play(vec![Behaviour::ok("<html>a page</html>"); 100]);
    let ccfs = ccfs.env("HOME", &home).env("AWS_ENDPOINT_URL", &store.url());
    let ccfs = ccfs.env("AWS_ACCESS_KEY_ID", "id").env("AWS_SECRET_ACCESS_KEY", SECRET);
    let run = ccfs.run(&PULL);
    run.ends_with_code(1);
    assert!(run.stderr.contains("the answer is not that of an S3 store"), "{}", run.stderr);
    assert!(!run.stderr.contains("a page"), "{}", run.stderr);
}

#[test]
fn addresses_that_are_wrong_are_usage_errors() {
    let ccfs = Ccfs::new().env("CCFS_TZ", "Asia/Shanghai");
    for (out, more, words) in [
        ("s3:lake", &[][..], "s3://BUCKET/PREFIX"),
        ("s3://", &[], "s3://BUCKET/PREFIX"),
        ("s3://lake//x", &[], "not the address of a bucket"),
        ("skills", &["--state", "x"], "--state is for a bucket"),
    ] {
        let run = ccfs.run(&[&["pull", "--from", "2023-04-01", "--out", out], more].concat());
        run.ends_with_code(2);
        assert!(run.stderr.contains(words), "{}", run.stderr);
    }
}

/// The emulated store is the proxy for addresses that begin with the bucket.
#[test]
fn a_bucket_may_be_in_the_host_of_addresses() {
    let lake = Lake::new();
    let (seen, proxy) = (Arc::new(Mutex::new(BTreeSet::new())), lake.store.endpoint());
    let hosts = Arc::clone(&seen);
    lake.store.hook(move |request| {
        let host = request.headers["host"].to_str().unwrap().to_owned();
        hosts.lock().unwrap().insert((host, request.key.starts_with("lake")));
        StoreFault::None
    });
    let ccfs = lake
        .ccfs
        .env("AWS_ENDPOINT_URL", "http://store.example")
        .env("AWS_VIRTUAL_HOSTED_STYLE_REQUEST", "true")
        .env("http_proxy", &proxy)
        .env("no_proxy", "127.0.0.1,localhost");
    ccfs.run(&PULL).ends_with_code(0);
    let expected = BTreeSet::from([(String::from("lake.store.example"), false)]);
    assert_eq!(*seen.lock().unwrap(), expected);
    assert_eq!(lake.store.objects().len(), 5);
}

/// The emulator has a certificate of a private CA. It is not an S3 store, but its answer shows that the certificate was accepted.
#[test]
fn the_certificate_of_a_store_may_be_of_another_ca() {
    let lake = Lake::new();
    let bundle = lake.ccfs.path("bundle.pem");
    fs::write(&bundle, lake.emulator.ca_pem().unwrap()).unwrap();
    let ccfs = lake.ccfs.env("AWS_ENDPOINT_URL", &lake.emulator.endpoint().to_string());
    let refused = ccfs.run(&PULL);
    refused.ends_with_code(1);
    assert!(refused.stderr.contains("certificate"), "{}", refused.stderr);
    let ccfs = ccfs.env("AWS_CA_BUNDLE", bundle.to_str().unwrap());
    let answered = ccfs.run(&PULL);
    answered.ends_with_code(1);
    assert!(!answered.stderr.contains("certificate"), "{}", answered.stderr);
    assert!(answered.stderr.contains("the store answered 4"), "{}", answered.stderr);
}

#[test]
fn settings_of_the_store_that_are_wrong_are_usage_errors() {
    for (name, value, words) in [
        ("AWS_SECRET_ACCESS_KEY", "", "AWS_SECRET_ACCESS_KEY is not; set both"),
        ("AWS_VIRTUAL_HOSTED_STYLE_REQUEST", "yes", "neither true nor false"),
        ("AWS_ENDPOINT_URL", "store.example", "is not a URL; write it as https://HOST[:PORT]"),
    ] {
        let run = Lake::new().ccfs.env(name, value).run(&PULL);
        run.ends_with_code(2);
        assert!(run.stderr.contains(words), "{}", run.stderr);
    }
}
