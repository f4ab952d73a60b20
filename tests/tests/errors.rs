//! Errors of both backends as programs see them: codes, sources, and clients from the environment.

use std::error::Error as StdError;
use std::io;
use std::pin::Pin;
use std::process::Command;
use std::task::{Context, Poll};

use ccfs_driver::{Config, ConfigError, Error};
use ccfs_emulator::{Emulator, Fault};
use ccfs_proto::{Credentials, Policy};
use ccfs_tests::{HeldPort, config, download, query, runtime};
use ccfs_tls::{Trust, TrustEnvError};
use tokio::io::AsyncWrite;

/// Makes one call with each backend, and returns the errors.
fn errors_of(config: &Config) -> [Error; 2] {
    let trust = Trust::none;
    let blocking = ccfs_ureq::Client::with_trust(config.clone(), &trust()).unwrap();
    let client = ccfs_reqwest::Client::with_trust(config.clone(), &trust()).unwrap();
    let runtime = runtime();
    [blocking.call(query()).unwrap_err(), runtime.block_on(client.call(query())).unwrap_err()]
}

#[test]
fn a_refused_connection_has_the_io_error_in_its_sources() {
    let port = HeldPort::of_nobody();
    let address = port.address();
    let credentials = Credentials::from_text("ak", "sk".into()).unwrap();
    let config = Config::new(format!("http://{address}").parse().unwrap(), credentials)
        .policy(Policy::default().max_retries(0))
        .proxy(None);
    for error in errors_of(&config) {
        assert_eq!(
            error.to_string(),
            format!(
                "queryAgentSkillInfoData: could not connect to {address}: connection refused; check host, port, firewall and proxy"
            )
        );
        assert_eq!((error.code(), error.is_retryable(), error.is_auth()), ("connect", true, false));
        assert_eq!((error.status(), error.result_code()), (None, None));
        let mut sources =
            std::iter::successors(error.source(), |&error: &&(dyn StdError + 'static)| {
                error.source()
            });
        let refused = sources.find_map(|error| error.downcast_ref::<io::Error>());
        assert_eq!(refused.map(io::Error::kind), Some(io::ErrorKind::ConnectionRefused));
    }
}

/// Accepts all bytes and cannot be flushed.
struct Unflushable;

impl io::Write for Unflushable {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Err(io::ErrorKind::BrokenPipe.into())
    }
}

impl AsyncWrite for Unflushable {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, b: &[u8]) -> Poll<io::Result<usize>> {
        Poll::Ready(Ok(b.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

/// A caller that sees a failed flush in place of a refusal would send a bad signature again.
#[test]
fn a_writer_that_fails_does_not_hide_a_refusal() {
    let emulator = Emulator::builder().plain().start().unwrap();
    emulator.faults().add(Fault::Locked.times(2));
    let config = config(&emulator);
    let trust = Trust::none;
    let client = ccfs_ureq::Client::with_trust(config.clone(), &trust()).unwrap();
    let error = client.download(download()).to_writer(Unflushable).unwrap_err();
    assert!(error.is_auth(), "{error}");
    let client = ccfs_reqwest::Client::with_trust(config, &trust()).unwrap();
    let runtime = runtime();
    let error = runtime.block_on(client.download(download()).to_writer(Unflushable)).unwrap_err();
    assert!(error.is_auth(), "{error}");
}

#[test]
fn what_the_server_answered_is_on_the_error_itself() {
    let emulator = Emulator::builder().plain().start().unwrap();
    let config = config(&emulator).policy(Policy::default().max_retries(0));
    emulator.faults().add(Fault::Locked.times(2));
    for error in errors_of(&config) {
        assert_eq!(
            (error.code(), error.is_auth(), error.is_retryable()),
            ("forbidden", true, false)
        );
        assert_eq!(error.status().map(|status| status.as_u16()), Some(403));
    }
    emulator.faults().clear();
    emulator.faults().add(Fault::Busy(1).times(2));
    for error in errors_of(&config) {
        assert_eq!((error.code(), error.is_auth(), error.is_retryable()), ("busy", false, true));
    }
}

/// Runs the test `child` of this program with these variables, and returns its output.
fn with_variables(variables: &[(&str, &str)]) -> String {
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "errors::child", "--nocapture", "--include-ignored"])
        .env_remove("CCFS_CA")
        .envs(variables.iter().copied())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
#[ignore = "runs in a separate process, with variables: see clients_are_created_from_the_environment"]
fn child() {
    let config = match Config::from_env() {
        Ok(config) => config.proxy(None),
        Err(error) => return println!("config: {error}"),
    };
    let trust = match Trust::from_env() {
        Ok(trust) => trust,
        Err(error @ TrustEnvError::Read { .. }) => return println!("read: {error}"),
        Err(error) => return println!("trust: {error}"),
    };
    let client = ccfs_ureq::Client::with_trust(config, &trust).unwrap();
    match client.call(query()) {
        Ok(_) => println!("called"),
        Err(error) => println!("failed: {}", error.code()),
    }
}

#[test]
fn clients_are_created_from_the_environment() {
    let emulator = Emulator::builder().start().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let ca = folder.path().join("ca.pem");
    std::fs::write(&ca, emulator.ca_pem().unwrap()).unwrap();
    let endpoint = emulator.endpoint().to_string();
    let (access_key, secret_key) = (emulator.access_key(), emulator.secret_key());
    let pin = emulator.certificate_sha256().unwrap();
    let account = [
        ("CCFS_ENDPOINT", endpoint.as_str()),
        ("CCFS_ACCESS_KEY", access_key),
        ("CCFS_SECRET_KEY", secret_key),
    ];
    let run = |more: &[(&str, &str)]| with_variables(&[&account[..], more].concat());

    assert!(run(&[("CCFS_CA", ca.to_str().unwrap())]).contains("called"));
    assert!(run(&[("CCFS_PIN_SHA256", &pin)]).contains("called"));
    assert!(run(&[("CCFS_CA", "")]).contains("failed: tls"), "an empty variable is absent");
    assert!(
        run(&[("CCFS_CA", "nowhere.pem")]).contains("read: CCFS_CA: could not read nowhere.pem")
    );
    assert!(run(&[("CCFS_CLIENT_CERT", "a.pem")]).contains("set both or neither"));
    let missing = ConfigError::Missing { variable: "CCFS_SECRET_KEY" };
    let said = run(&[("CCFS_SECRET_KEY", "")]);
    assert!(said.contains(&format!("config: {missing}")), "{said}");
    assert!(!said.contains(secret_key));
}
