//! Calls over both clients, with all that can go wrong.

use ccfs::proto::callback::{MemoryGuard, Outcome, Receiver};
use ccfs::proto::operation::{
    DownloadRecordFile, GetRecordFileUrlFromObs, IvrGetFileHash, IvrUploadFile, PlayVoice,
    PlaybackToken, RequestPlayVoice,
};
use ccfs::proto::{AnyOperation, RequestView};
use ccfs::{
    AsyncClient, Callback, Client, DownloadAgentSkillInfoFile, Endpoint, Overwrite, Trust,
    WholeFile,
};
use ccfs_conformance::ManualClock;
use ccfs_driver::Config;
use ccfs_emulator::{Developer, Emulator, Fault};
use ccfs_tests::{
    Behaviour, Rendered, ScriptedServer, Secrets, Seen, download, query, query_to, runtime, trust,
    wait_until,
};

use crate::{Account, NOW, add_file, archive, layers, plain, signing_key};

/// Both clients against an emulator over TLS, with all that can go wrong; every type that appears on the way is rendered.
#[allow(clippy::too_many_lines)] // A list of calls.
pub(crate) fn render(shown: &mut Rendered, secrets: &mut Secrets, secret_key: &str) {
    let account = Account::new(secret_key);
    let wrong = Account::new(&format!("MARKER-wrong-{secret_key}"));
    secrets.add("the wrong key", &wrong.secret_key);
    let developer = Developer::new("ak", secret_key);
    shown.debug(&developer);
    let builder = Emulator::builder()
        .main_developer(developer)
        .rows(20)
        .clock(|| NOW)
        .lockout(None)
        .utc_offset(0);
    shown.debug(&builder);
    shown.outcome(&builder.clone().developer(Developer::new("ak", secret_key)).start());
    let emulator = builder.start().unwrap();
    for identity in [emulator.client_identity().unwrap(), emulator.receiver_identity().unwrap()] {
        secrets.add("a private key", identity.key_pem.lines().nth(1).unwrap());
        shown.debug(identity);
    }
    shown.debug(&trust(&emulator));
    let stranger = Emulator::builder().start().unwrap();
    let runtime = runtime();
    let folder = tempfile::tempdir().unwrap();
    let nowhere: Endpoint = "https://127.0.0.1:1".parse().unwrap();

    // Both clients make each call; what the calls consist of is among the secrets before they are made.
    let clock = ManualClock::at(NOW);
    let client = |endpoint: &Endpoint, account: &Account, trust: Trust| {
        let session = Config::new(endpoint.clone(), account.credentials.clone())
            .proxy(None)
            .clock(clock.clone());
        (
            Client::with_trust(session.clone(), &trust).unwrap(),
            AsyncClient::with_trust(session, &trust).unwrap(),
        )
    };
    macro_rules! call {
        ($client:expr, $account:expr, $operation:expr) => {{
            let operation = $operation;
            for at in [clock.wall(), clock.wall().plus_millis(1000)] {
                $account.add_request(secrets, &operation, emulator.endpoint(), at);
                $account.add_request(secrets, &operation, &nowhere, at);
            }
            shown.debug(&operation);
            let answer = $client.0.call(operation.clone());
            shown.outcome(&answer);
            shown.outcome(&runtime.block_on($client.1.call(operation)));
            answer
        }};
    }
    let right = client(emulator.endpoint(), &account, trust(&emulator));
    shown.debug(&(&right.0, &right.1));

    let receiver = ScriptedServer::play([Behaviour::ok(Callback::RECEIPT)]);
    let job = call!(right, account, query_to(&format!("{}/callback", receiver.url()))).unwrap();
    wait_until("a callback", || !receiver.seen().is_empty());
    let Seen { headers, body, .. } = &receiver.seen()[0];
    let headers: Vec<(&str, &str)> =
        headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let authorization = headers.iter().find(|(name, _)| *name == "authorization").unwrap().1;
    let (prefix, signature) = authorization.rsplit_once('/').unwrap();
    secrets.add("a callback's signature", signature);
    secrets.add("a callback's signing key", &signing_key(secret_key, prefix));
    secrets.add_bytes("a callback's body", body);
    let view =
        RequestView { method: "POST", path: "/callback", query: &[], headers: &headers, body };
    let checker = Receiver::new(&account.credentials);
    let delivery = checker.check(view, NOW).unwrap();
    shown.debug(&delivery);
    shown.debug(&delivery.key);
    let mut guard = MemoryGuard::default();
    let outcome = checker.receive(view, &mut guard, NOW, |_| true);
    shown.debug(&outcome);
    shown.debug(&outcome.answer());
    shown.debug(&guard);
    let Outcome::Accepted(callback) = outcome else { panic!("{outcome:?}") };
    // Both clients asked for a file.
    assert!(emulator.files().contains(&callback.file_name));

    // A download that finds the server busy once, to disk and to memory.
    let name = job.file_name("2023-04-06".parse().unwrap());
    let bytes = emulator.file(&name).unwrap();
    add_file(secrets, "an index file", &bytes);
    archive::render(shown, secrets, &bytes);
    let operation = || DownloadAgentSkillInfoFile::new(name.clone());
    for at in [0, 1000, 2000] {
        let prefix = account.add_request(
            secrets,
            &operation(),
            emulator.endpoint(),
            clock.wall().plus_millis(at),
        );
        shown.display(&prefix);
    }
    emulator.faults().add(Fault::Busy(1).at("downloadAgentSkillInfoFile").times(1));
    shown.debug(&right.0.download(operation()));
    shown.debug(&right.1.download(operation()));
    shown.outcome(&right.0.download(operation()).to_file(folder.path().join("a.zip")));
    shown.outcome(&right.0.download(operation()).to_file(folder.path().join("a.zip")));
    let sent = emulator.received().pop().unwrap();
    let prefix = account.add_request(secrets, &operation(), emulator.endpoint(), clock.wall());
    assert_eq!(
        sent.header("authorization").unwrap(),
        format!("{prefix}/…"),
        "the signatures that are looked for are those that are sent"
    );
    emulator.faults().add(Fault::Busy(1).at("downloadAgentSkillInfoFile").times(1));
    let mut memory = Vec::new();
    shown.outcome(&runtime.block_on(right.1.download(operation()).to_writer(&mut memory)));
    assert!(memory == bytes);
    emulator.faults().add(Fault::CutAfter(100).at("downloadAgentSkillInfoFile").times(1));
    shown.outcome(&right.0.download(operation()).to_writer(Vec::new()));
    shown.outcome(
        &right
            .0
            .download(operation())
            .check(|_| Err("no".into()))
            .to_file(folder.path().join("b.zip")),
    );
    shown.debug(&WholeFile::create(folder.path().join("c.zip"), Overwrite::Refuse).unwrap());

    // Tokens and URLs.
    let recording = &emulator.recordings()[0];
    add_file(secrets, "a recording", &recording.wav());
    let token =
        call!(right, account, RequestPlayVoice::new(&recording.original_file_name)).unwrap();
    secrets.add("a playback token", token.as_str());
    let play = PlayVoice::new(token, NOW);
    for interface in [
        play.clone(),
        PlayVoice::new(PlaybackToken::new("MARKER-unknown-token".into()).unwrap(), NOW),
    ] {
        shown.outcome(&right.0.download(interface.clone()).to_writer(Vec::new()));
        shown.outcome(&runtime.block_on(right.1.download(interface).to_writer(tokio::io::sink())));
    }
    secrets.add("a playback token", "MARKER-unknown-token");
    let (begin, end) =
        ("2023-04-05 00:00:00".parse().unwrap(), "2023-04-06 00:00:00".parse().unwrap());
    let url = call!(right, account, GetRecordFileUrlFromObs::new(&recording.call_id, begin, end))
        .unwrap();
    secrets.add("a recording's URL", url.as_str());
    let by_name = AnyOperation::from_fields(
        "requestPlayVoice",
        [("fileName".to_owned(), recording.original_file_name.clone())],
        None,
    )
    .unwrap();
    shown.outcome(&right.0.call(by_name.clone()));
    let file = call!(right, account, IvrUploadFile::new(39, recording.wav())).unwrap();
    let hash = call!(right, account, IvrGetFileHash::new(&file.file_name)).unwrap();
    shown.debug(&hash);
    call!(right, account, DownloadRecordFile::new(&recording.file_name)).unwrap();

    // Failures: a result code, a wrong key, a lock, a web page, an untrusted certificate, no server.
    call!(right, account, download()).unwrap_err();
    let strange = client(emulator.endpoint(), &wrong, trust(&emulator));
    call!(strange, wrong, query()).unwrap_err();
    call!(strange, wrong, download()).unwrap_err();
    for fault in [
        Fault::Locked,
        Fault::Html(200),
        Fault::Garbage,
        Fault::Empty,
        Fault::Redirect,
        Fault::CloseBeforeAnswer,
    ] {
        emulator.faults().add(fault);
        call!(right, account, query()).unwrap_err();
        emulator.faults().clear();
    }
    let untrusting = client(emulator.endpoint(), &account, trust(&stranger));
    call!(untrusting, account, download()).unwrap_err();
    shown.outcome(&untrusting.0.download(play.clone()).to_writer(Vec::new()));
    let alone = client(&nowhere, &account, trust(&emulator));
    call!(alone, account, download()).unwrap_err();
    shown.outcome(&alone.0.download(play.clone()).to_writer(Vec::new()));
    shown.outcome(&runtime.block_on(alone.1.download(play).to_writer(tokio::io::sink())));
    let session = Config::new(emulator.endpoint().clone(), account.credentials.clone()).proxy(None);
    shown.outcome(&Client::with_trust(session.clone(), &Trust::none()));
    shown.outcome(&AsyncClient::with_trust(session, &Trust::none()));

    plain::render(shown, &account);
    layers::render_settings(shown, secrets, &emulator);
    layers::render_driver(shown, &account, emulator.endpoint());
    layers::render_listener(shown, &account, &emulator);
    layers::render_doctor(shown, [&account, &wrong], &emulator, &trust(&emulator));
    layers::render_pull(shown, &runtime, [&right, &strange], &emulator);
    secrets.add("the token of a store", "MARKER-session-token");
    layers::render_bucket(shown, &right.0, secret_key);
    layers::render_test_layers(shown, &account, &nowhere);

    shown.debug(&emulator);
    shown.debug(&emulator.received());
    shown.debug(&emulator.callbacks());
    shown.debug(&emulator.recordings());
    shown.debug(&emulator.voice_files());
    shown.debug(&emulator.faults());
    shown.debug(&emulator.credentials());
    assert!(emulator.received().len() > 40, "the calls were made");
}
