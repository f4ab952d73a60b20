//! Both backends through a proxy in a separate process: tunnels, absolute form, logins, exceptions.

use std::io;

use ccfs_conformance::ManualClock;
use ccfs_driver::{Config, Proxy};
use ccfs_emulator::Emulator;
use ccfs_proto::{Endpoint, ErrorKind, FailureKind, Policy};
use ccfs_tests::{
    Behaviour, Framing, ProxyProcess, ScriptedServer, Seen, ask_both, config, download, runtime,
    trust,
};
use serde_json::json;

/// The proxy for this endpoint in an environment of these variables.
fn proxy_of(endpoint: &Endpoint, variables: &[(&str, &str)]) -> Option<Proxy> {
    let variable = |name: &str| {
        variables.iter().find(|(given, _)| *given == name).map(|(_, value)| (*value).to_owned())
    };
    Proxy::from_env_with(endpoint, variable).unwrap()
}

#[test]
fn https_goes_through_a_tunnel_and_no_proxy_goes_around_it() {
    let Some(process) = ProxyProcess::start(None) else { return };
    let emulator = Emulator::builder().start().unwrap();
    let url = format!("http://{}", process.address());
    let proxy = proxy_of(emulator.endpoint(), &[("HTTPS_PROXY", &url)]);
    for (name, outcome) in
        ask_both(emulator.endpoint(), &emulator.credentials(), &trust(&emulator), proxy.as_ref())
    {
        assert_eq!(outcome.unwrap(), "0300011", "{name}");
        let target = emulator.address().to_string();
        assert_eq!(
            process.next(),
            json!({"method": "CONNECT", "target": target, "login": false, "answered": 200}),
            "{name}"
        );
    }
    assert_eq!(
        emulator.received().len(),
        2,
        "signatures hold: the proxy changes nothing in a tunnel"
    );
    for exception in ["127.0.0.1", "127.0.0.0/8", "*", "example.com, 127.0.0.1"] {
        let proxy =
            proxy_of(emulator.endpoint(), &[("HTTPS_PROXY", &url), ("NO_PROXY", exception)]);
        for (name, outcome) in ask_both(
            emulator.endpoint(),
            &emulator.credentials(),
            &trust(&emulator),
            proxy.as_ref(),
        ) {
            assert_eq!(outcome.unwrap(), "0300011", "{name}");
        }
        assert!(process.saw_nothing_more(), "{exception}");
    }
}

/// Plain HTTP: the async backend asks in absolute form, the blocking one has ureq's tunnel here, too.
#[test]
fn http_goes_through_as_well_and_the_signature_holds() {
    let Some(process) = ProxyProcess::start(None) else { return };
    let emulator = Emulator::builder().plain().start().unwrap();
    let proxy = proxy_of(emulator.endpoint(), &[("http_proxy", &process.address())]);
    let outcomes =
        ask_both(emulator.endpoint(), &emulator.credentials(), &trust(&emulator), proxy.as_ref());
    for ((name, outcome), method) in outcomes.into_iter().zip(["CONNECT", "POST"]) {
        assert_eq!(outcome.unwrap(), "0300011", "{name}");
        let seen = process.next();
        assert_eq!((&seen["method"], &seen["answered"]), (&json!(method), &json!(200)), "{name}");
        assert!(
            seen["target"].as_str().unwrap().contains(&emulator.address().to_string()),
            "{seen}"
        );
    }
    assert!(
        emulator.received().iter().all(|request| request.header("proxy-authorization").is_none())
    );
    // The variable for https says nothing about http.
    assert!(proxy_of(emulator.endpoint(), &[("HTTPS_PROXY", &process.address())]).is_none());
}

#[test]
fn a_login_is_sent_to_the_proxy_and_nowhere_else() {
    let Some(process) = ProxyProcess::start(Some("ope:s@me:wörd")) else { return };
    for emulator in
        [Emulator::builder().start().unwrap(), Emulator::builder().plain().start().unwrap()]
    {
        let right: Proxy =
            format!("http://ope:s%40me%3Aw%C3%B6rd@{}", process.address()).parse().unwrap();
        for (name, outcome) in
            ask_both(emulator.endpoint(), &emulator.credentials(), &trust(&emulator), Some(&right))
        {
            assert_eq!(outcome.unwrap(), "0300011", "{name}");
            assert_eq!(process.next()["login"], true, "{name}");
        }
        for request in emulator.received() {
            assert_eq!(request.header("proxy-authorization"), None);
        }
    }
}

#[test]
fn a_refusal_of_the_proxy_is_reported_without_the_login() {
    let Some(process) = ProxyProcess::start(Some("user:right")) else { return };
    let emulator = Emulator::builder().start().unwrap();
    let wrong: Proxy = format!("http://user:MARKER-word@{}", process.address()).parse().unwrap();
    for (name, outcome) in
        ask_both(emulator.endpoint(), &emulator.credentials(), &trust(&emulator), Some(&wrong))
    {
        let error = outcome.unwrap_err();
        assert_eq!(
            error.exchange().unwrap().kind,
            ErrorKind::Transport(FailureKind::ProxyRefused { status: 407 }.into()),
            "{name}"
        );
        assert!(error.to_string().contains("HTTP 407; it requires a login"), "{name}: {error}");
        assert!(!format!("{error} {error:?}").contains("MARKER"), "{name}");
        assert_eq!(process.next()["answered"], 407, "{name}");
    }
    let session = Config::new(emulator.endpoint().clone(), emulator.credentials()).proxy(wrong);
    let blocking = ccfs_ureq::Client::with_trust(session.clone(), &trust(&emulator)).unwrap();
    let asynchronous =
        ccfs_reqwest::Client::with_trust(session.clone(), &trust(&emulator)).unwrap();
    let shown = format!("{session:?} {blocking:?} {asynchronous:?}");
    assert!(shown.contains("with a login") && !shown.contains("MARKER"), "{shown}");
    assert!(emulator.received().is_empty());
}

/// A proxy that answers every `CONNECT` and every request with `status`.
fn answering(status: u16) -> ScriptedServer {
    let headers = ["x-squid-error: ERR_ACCESS_DENIED 0"];
    let answer = Behaviour::answer(status, &headers, b"", Framing::Length, None, usize::MAX);
    ScriptedServer::play(vec![answer; 100])
}

/// A proxy's refusal is named as such and not retried. That it cannot reach the server is retried.
#[test]
fn refusals_of_a_proxy_are_reported_and_not_retried() {
    let https = Emulator::builder().start().unwrap();
    let plain = Emulator::builder().plain().start().unwrap();
    let runtime = runtime();
    for emulator in [&https, &plain] {
        for (status, said) in [
            (403, "it does not allow this host and port"),
            (407, "it requires a login"),
            (405, "check the proxy settings"),
            (503, ""),
        ] {
            let server = answering(status);
            let config = config(emulator)
                .policy(Policy::default().max_retries(1))
                .clock(ManualClock::default())
                .proxy(server.url().parse::<Proxy>().unwrap());
            let client = ccfs_ureq::Client::with_trust(config.clone(), &trust(emulator)).unwrap();
            let blocking = client.download(download()).to_writer(io::sink()).unwrap_err();
            let client = ccfs_reqwest::Client::with_trust(config, &trust(emulator)).unwrap();
            let download = client.download(download()).to_writer(tokio::io::sink());
            let asynchronous = runtime.block_on(download).unwrap_err();
            for error in [blocking, asynchronous] {
                let text = error.to_string();
                let exchange = error.exchange().unwrap();
                assert!(!exchange.is_auth() && text.contains(said), "{text}");
                if status == 503 {
                    assert_eq!(exchange.attempts, 2, "{text}");
                    continue;
                }
                assert_eq!((exchange.attempts, exchange.code()), (1, "proxy"), "{text}");
                assert!(exchange.is_network() && !exchange.is_retryable(), "{text}");
                assert!(text.contains(&format!("HTTP {status}")), "{text}");
            }
            // hyper-util does not report the status of a tunnel, so the proxy is asked again.
            let is_tunnel = |request: &&Seen| request.line.starts_with("CONNECT ");
            let tunnels = server.seen().iter().filter(is_tunnel).count();
            let expected = match (emulator.ca_pem().is_some(), status) {
                (true, 503) => 2 + 4,
                (false, 503) | (true, 407) => 2,
                (true, _) => 1 + 2,
                (false, _) => 1,
            };
            assert_eq!(tunnels, expected, "{status}");
        }
        assert!(emulator.received().is_empty());
    }
}
