//! The types of the crates around the core: what drivers and clients get, a listener, a pull, the doctor, the suite, the emulator.

use std::io::Write;
use std::net::{Ipv4Addr, TcpStream};
use std::ops::ControlFlow;
use std::sync::{Mutex, mpsc};
use std::time::Duration;

use ccfs::archive::IndexKind;
use ccfs_conformance::{Behaviour, ManualClock, ScriptedServer, Setup, Verdicts};
use ccfs_doctor::Doctor;
use ccfs_driver::{Config, ConfigError, Progress, Proxy, SystemClock, check_setting};
use ccfs_emulator::{Emulator, Fault, Lockout, Shape};
use ccfs_listener::Listener;
use ccfs_proto::{Credentials, Endpoint, SinkKind, Verifier};
use ccfs_pull::{
    Asked, Bucket, BucketConfig, ConvertedFile, Entry, Fingerprint, Format, History, Job, Journal,
    KeptZip, Known, Outcome, Pace, Plan, Pull, PullEvent, ReportedFile, Scheduler, Step, Stored,
    Task, Window, WindowReport, Zone, windows,
};
use ccfs_tests::{Rendered, S3, Secrets, StoreFault, download};
use ccfs_tls::{Identity, Pin, Trust, TrustEnvError};
use tokio::runtime::Runtime;

use crate::{Account, NOW};

/// Settings that hold a secret, and what is said of wrong ones.
pub(crate) fn render_settings(shown: &mut Rendered, secrets: &mut Secrets, emulator: &Emulator) {
    const PASSWORD: &str = "MARKER-proxy-password";
    secrets.add("a proxy's password", PASSWORD);
    let proxy: Proxy = format!("http://somebody:{PASSWORD}@127.0.0.1:3128").parse().unwrap();
    shown.both(&proxy);
    for wrong in [
        "ftp://u:PASSWORD@h",
        "http://u:PASSWORD@h/path",
        "http://u:PASSWORD@",
        "http://u:PASSWORD%zz@h",
        "http://PASSWORD@h",
        "PASSWORD@:x",
    ] {
        let wrong = wrong.replace("PASSWORD", PASSWORD);
        if let Err(error) = wrong.parse::<Proxy>() {
            shown.error(&error);
        }
        let endpoint: Endpoint = "https://10.1.2.3".parse().unwrap();
        if let Err(error) =
            Proxy::from_env_with(&endpoint, |name| (name == "HTTPS_PROXY").then(|| wrong.clone()))
        {
            shown.error(&error);
        }
    }

    let (client, receiver) =
        (emulator.client_identity().unwrap(), emulator.receiver_identity().unwrap());
    let identity =
        |certificate: &str, key: &str| Identity::from_pem(certificate.as_bytes(), key.as_bytes());
    shown.debug(&identity(&client.certificate_pem, &client.key_pem).unwrap());
    for (certificate, key) in [
        (&client.certificate_pem, &receiver.key_pem),
        (&client.key_pem, &client.key_pem),
        (&client.certificate_pem, &client.certificate_pem),
        (&client.certificate_pem, &client.key_pem.replace("\n-----END", "AAAA\n-----END")),
        (&client.certificate_pem, &client.key_pem.repeat(1000)),
    ] {
        shown.outcome(&identity(certificate, key));
    }
    let pin = Pin::of(emulator.certificate_der().unwrap());
    shown.both(&pin);
    for wrong in [&client.key_pem, &":".repeat(64), "00"] {
        shown.error(&wrong.parse::<Pin>().unwrap_err());
    }
    let trust = Trust::none()
        .pin(pin)
        .identity(identity(&client.certificate_pem, &client.key_pem).unwrap());
    shown.debug(&trust);
    shown.debug(&trust.recording_config().1);

    let wrong = Credentials::from_text("ak", format!("{PASSWORD}\n")).unwrap_err();
    shown.error(&ConfigError::Key { variable: "CCFS_SECRET_KEY", source: wrong });
    let wrong = format!("https://u:{PASSWORD}@h").parse::<Endpoint>().unwrap_err();
    shown.error(&ConfigError::Endpoint(wrong));
    let source = check_setting(&format!("{PASSWORD}\n")).unwrap_err();
    shown.error(&source);
    shown.error(&ConfigError::Stray { variable: "CCFS_SECRET_KEY", source });
    shown.error(&TrustEnvError::Trust(Trust::none().add_pem(PASSWORD.as_bytes()).unwrap_err()));
    let wrong = identity(&client.certificate_pem, &receiver.key_pem).unwrap_err();
    shown.error(&TrustEnvError::Identity(wrong));
}

/// What a driver holds while it makes a call.
pub(crate) fn render_driver(shown: &mut Rendered, account: &Account, endpoint: &Endpoint) {
    let config = Config::new(endpoint.clone(), account.credentials.clone())
        .proxy(None)
        .clock(ManualClock::at(NOW));
    shown.debug(&config);
    let session = ccfs_driver::Session::new(config);
    let (call, exchange) = session.call(download(), SinkKind::Once).unwrap();
    shown.debug(&call);
    shown.debug(&call.span());
    shown.debug(&Progress::of(&exchange));
    shown.debug(&SystemClock::new());
    shown.debug(&ManualClock::at(NOW));
    shown.error(&ccfs_driver::WholeFile::create("/", ccfs_driver::Overwrite::Replace).unwrap_err());
}

/// A listener that gets a callback of each kind, over TLS.
pub(crate) fn render_listener(shown: &mut Rendered, account: &Account, emulator: &Emulator) {
    let identity = emulator.receiver_identity().unwrap();
    let builder = || Listener::builder(&account.credentials).clock(ManualClock::at(NOW));
    let (certificate, key) = (identity.certificate_pem.as_bytes(), identity.key_pem.as_bytes());
    shown.debug(&builder().tls(certificate, key).unwrap());
    let other = emulator.client_identity().unwrap().key_pem.as_bytes();
    for (certificate, key) in [(certificate, other), (key, key), (certificate, certificate)] {
        shown.outcome(&builder().tls(certificate, key));
    }
    let (tell, errors) = mpsc::channel();
    let reporting = builder().on_connection_error(move |error| tell.send(error).unwrap());
    let listener = reporting.bind((Ipv4Addr::LOCALHOST, 0).into()).unwrap();
    let mut stream = TcpStream::connect(listener.address()).unwrap();
    stream.write_all(b"PROXY TCP4 MARKER-body-of-a-stranger\r\n").unwrap();
    let error = errors.recv().unwrap();
    shown.debug(&error);
    shown.error(&error.fault);
    shown.debug(&listener);
    let body = r#"{"request":{"version":"2.0"},"msgBody":{"MARKER-body-of-a-stranger":"1"}}"#;
    for authorization in [
        "",
        "authorization: auth-v2/ak/2023-04-06T02:30:00.123Z/host/MARKER-signature-of-a-stranger\r\n",
    ] {
        let mut stream = TcpStream::connect(listener.address()).unwrap();
        let length = body.len();
        write!(stream, "POST / HTTP/1.1\r\nhost: h\r\n{authorization}content-length: {length}\r\nconnection: close\r\n\r\n{body}").unwrap();
        let event = listener.recv().unwrap();
        shown.debug(&event);
        let refusal = event.callback.clone().unwrap_err();
        shown.error(&refusal);
    }
}

/// Pulls that succeed, are refused and are stopped, and all files that they write.
pub(crate) fn render_pull(
    shown: &mut Rendered,
    runtime: &Runtime,
    clients: [&(ccfs::Client, ccfs::AsyncClient); 2],
    emulator: &Emulator,
) {
    let zone = Zone::named("Asia/Shanghai").unwrap();
    shown.both(&zone);
    shown.error(&Zone::named("Nowhere/Nowhere").unwrap_err());
    let (from, to) = ("2023-04-01".parse().unwrap(), "2023-04-03".parse().unwrap());
    let plan = || {
        Plan::new(IndexKind::AgentSkillInfo, zone.clone(), from, to)
            .window_days(1)
            .convert(Format::Jsonl)
    };
    shown.debug(&plan());
    shown.error(&Plan::new(IndexKind::AgentSkillInfo, zone.clone(), to, from).check().unwrap_err());
    let clock = ManualClock::at(NOW);
    emulator.faults().add(Fault::Busy(1).times(8));
    for clients in clients {
        let folder = tempfile::tempdir().unwrap();
        let (mut progress, mut reports) = (Vec::new(), Vec::new());
        let pull =
            Pull::new(plan(), folder.path().join("a")).clock(clock.clone()).progress(|now| {
                progress.push(*now);
                ControlFlow::Continue(())
            });
        let pull = pull.on_event(|event| reports.push(event.clone()));
        shown.debug(&pull);
        shown.outcome(&pull.run(&clients.0));
        shown.debug(&progress);
        shown.debug(&reports);
        for event in &reports {
            if let PullEvent::Failed(failure) = event {
                shown.debug(failure);
                shown.debug(&failure.outage.unwrap());
            }
        }
        let pull = Pull::new(plan(), folder.path().join("b")).clock(clock.clone());
        shown.outcome(&runtime.block_on(pull.run_async(&clients.1)));
        // Another plan in the same folder, and what was written there.
        let other = Plan::new(IndexKind::AgentOprInfo, zone.clone(), from, to);
        shown.outcome(
            &Pull::new(other, folder.path().join("a")).clock(clock.clone()).run(&clients.0),
        );
        for part in ["a", "b"] {
            let journal =
                std::fs::read_to_string(folder.path().join(part).join("ccfs-pull.journal"))
                    .unwrap();
            shown.display(&journal);
            for line in journal.lines().skip(1) {
                shown.debug(&serde_json::from_str::<Entry>(line).unwrap());
            }
            let mut checked = Vec::new();
            ccfs_pull::verify(&folder.path().join(part), |file| checked.push(file)).unwrap();
            for file in &checked {
                shown.debug(file);
                std::fs::write(&file.path, "MARKER-of-a-changed-file").unwrap();
            }
            ccfs_pull::verify(&folder.path().join(part), |file| {
                shown.both(&file.fault.unwrap());
            })
            .unwrap();
        }
        let file = folder.path().join("c");
        std::fs::write(&file, "MARKER-of-a-journal-that-is-none\n").unwrap();
        let journal = |path| {
            Journal::open(
                path,
                &plan(),
                clients.0.session().endpoint(),
                clients.0.session().access_key(),
                NOW,
            )
        };
        shown.outcome(&journal(&file).map(|(journal, known)| format!("{journal:?} {known:?}")));
        shown.outcome(&journal(&folder.path().join("d")));
    }

    render_tasks(shown, &clients[0].0, plan, &clock, emulator);
    let window = windows(&zone, from, to, 1, &[]).next().unwrap();
    render_scheduler(shown, zone, window, &clock);
}

/// A bucket whose store has the same secret, and refuses.
pub(crate) fn render_bucket(shown: &mut Rendered, client: &ccfs::Client, secret_key: &str) {
    let store = S3::start();
    let config = BucketConfig::new().endpoint(store.endpoint()).credentials(
        "an-id",
        secret_key,
        Some(String::from("MARKER-session-token")),
    );
    shown.debug(&config);
    let bucket = || Bucket::new("s3://lake/skills", &config);
    shown.outcome(&bucket());
    shown.error(&Bucket::new("skills", &config).unwrap_err());
    shown.outcome(&config.clone().ca(b"MARKER-of-a-certificate"));
    let zone = Zone::named("Asia/Shanghai").unwrap();
    let day = "2023-04-01".parse().unwrap();
    let folder = tempfile::tempdir().unwrap();
    for fault in [StoreFault::Expired, StoreFault::Skewed, StoreFault::None] {
        store.hook(move |_| fault);
        let plan = Plan::new(IndexKind::AgentSkillInfo, zone.clone(), day, day);
        let pull = Pull::new(plan, folder.path()).bucket(bucket().unwrap());
        let pull = pull.clock(ManualClock::at(NOW));
        shown.debug(&pull);
        shown.outcome(&pull.run(client));
    }
    for (key, content) in store.objects() {
        shown.display(&key);
        if key.contains("/_ccfs/") {
            shown.display(&String::from_utf8_lossy(&content));
        }
    }
    assert!(store.objects().len() > 1, "the last pull stored nothing");
}

/// Tasks that succeed, that fail, and that do not run, as another process gets and reports them.
fn render_tasks(
    shown: &mut Rendered,
    client: &ccfs::Client,
    plan: impl Fn() -> Plan,
    clock: &ManualClock,
    emulator: &Emulator,
) {
    const FETCH: &str = "downloadAgentSkillInfoFile";
    let folder = tempfile::tempdir().unwrap();
    for (part, fault, runs) in [
        ("a", Fault::CorruptZip.at(FETCH).times(1), true),
        ("b", Fault::Unauthorized.at(FETCH).times(1), true),
        ("c", Fault::CorruptZip.at(FETCH).times(1), false),
    ] {
        emulator.faults().add(fault);
        let seen = Mutex::new(Vec::new());
        let pull = Pull::new(plan(), folder.path().join(part)).clock(clock.clone());
        let outcome = pull.run_with(client, |task, _| {
            let report = task.run(client);
            seen.lock().unwrap().push((task.clone(), report.clone()));
            if runs { Ok(report) } else { Err("no worker is left".into()) }
        });
        shown.outcome(&outcome);
        emulator.faults().clear();
        let seen = seen.into_inner().unwrap();
        assert!(seen.iter().any(|(_, report)| report.failure().is_some()), "{part}");
        for (task, report) in &seen {
            shown.debug(task);
            shown.debug(report);
            shown.display(&serde_json::to_string(task).unwrap());
            shown.display(&serde_json::to_string(report).unwrap());
            if let Some(failure) = report.failure() {
                shown.error(failure);
            }
        }
    }
}

/// The scheduler of a pull, and what it and the journal hold.
fn render_scheduler(shown: &mut Rendered, zone: Zone, window: Window, clock: &ManualClock) {
    shown.both(&window);
    shown.error(&"MARKER-of-no-window".parse::<Window>().unwrap_err());
    let now = ccfs_driver::Clock::now(clock);
    let pace = Pace::default();
    shown.debug(&pace);
    let mut stored = Stored::new(Fingerprint::of(b"ZIP"), 2);
    stored.bad_rows = 3;
    let mut scheduler = Scheduler::new(zone, pace, [(window, Known::Fresh)], now);
    loop {
        shown.debug(&scheduler);
        let step = scheduler.poll(now);
        shown.debug(&step);
        match step {
            Step::Start(job) => {
                shown.debug::<Job>(&job);
                shown.debug::<Task>(&job.task);
                match job.task {
                    Task::Ask => scheduler.on_asked(
                        now,
                        window,
                        "9239cb50a8384bb0ab503441bf089446".parse().unwrap(),
                    ),
                    Task::Fetch(_) => scheduler.on_stored(now, window, stored, vec![]),
                }
            }
            Step::Done => break,
            _ => {}
        }
    }
    shown.debug(&scheduler.outcome(window));
    let asked = Asked::new("9239cb50a8384bb0ab503441bf089446".parse().unwrap(), NOW, NOW);
    shown.debug(&asked);
    shown.debug(&stored);
    shown.debug(&stored.zip);
    shown.debug(&ConvertedFile::new(Format::Jsonl, stored.zip));
    shown.debug(&ReportedFile::new("a.zip".into(), 3));
    shown.both(&KeptZip::new("a.zip".into(), stored));
    shown.debug(&WindowReport::new(window, Outcome::Stored(stored)));
    shown.debug(&Known::Asked(asked));
    shown.debug(&History::from(Known::Asked(asked)));
}

/// The doctor, on what is well and what is not.
pub(crate) fn render_doctor(
    shown: &mut Rendered,
    accounts: [&Account; 2],
    emulator: &Emulator,
    trust: &Trust,
) {
    for (account, fault) in
        [(0, None), (1, None), (0, Some(Fault::HostRewritten)), (0, Some(Fault::Html(200)))]
    {
        if let Some(fault) = fault {
            emulator.faults().add(fault);
        }
        let doctor =
            Doctor::new(emulator.endpoint().clone(), Some(accounts[account].credentials.clone()));
        let doctor = doctor
            .trust(trust.clone())
            .proxy(None)
            .clock(ManualClock::at(NOW))
            .timeout(Duration::from_secs(5));
        shown.debug(&doctor);
        let report = doctor.examine().unwrap();
        shown.both(&report);
        shown.debug(&report.certificates);
        shown.debug(&report.findings);
        shown.debug(&report.head);
        shown.debug(&report.steps);
        shown.display(&serde_json::to_string(&report).unwrap());
        emulator.faults().clear();
    }
    let mut evidence = ccfs_doctor::Evidence::default();
    evidence.call = Some(ccfs_doctor::Call::Strange);
    evidence.reach = ccfs_doctor::Reach::Refused;
    shown.debug(&evidence);
    shown.debug(&evidence.call);
    shown.debug(&evidence.reach);
}

/// The suite's types, and the emulator's that are left.
pub(crate) fn render_test_layers(shown: &mut Rendered, account: &Account, endpoint: &Endpoint) {
    shown.debug(&Setup::new(endpoint.clone(), account.credentials.clone()));
    let behaviours = || [Behaviour::ok("said by a script"), Behaviour::close()];
    shown.debug(&behaviours());
    let server = ScriptedServer::play(behaviours());
    shown.debug(&server);
    let session = Config::new(server.url().parse().unwrap(), account.credentials.clone())
        .proxy(None)
        .clock(ManualClock::at(NOW));
    ccfs::Client::new(session).unwrap().download(download()).to_writer(Vec::new()).unwrap_err();
    let seen = server.seen();
    assert!(seen[0].verify(&Verifier::new(&account.credentials), NOW).is_ok());
    shown.debug(&seen);
    let verdicts: Verdicts = ccfs_conformance::run_only(&ccfs_tests::Blocking, |name| {
        name == ccfs_conformance::scenarios().next().unwrap()
    });
    shown.both(&verdicts);
    for verdict in &verdicts.0 {
        shown.debug(verdict);
        shown.debug(&verdict.outcome);
    }

    shown.debug(Fault::HELP);
    shown.both(&Fault::Busy(1));
    shown.both(&Fault::Busy(1).at("downloadAgentSkillInfoFile"));
    shown.error(&"MARKER-of-no-fault".parse::<Fault>().unwrap_err());
    shown.debug(&Lockout::default());
    shown.debug(&Shape::default());
}
