//! Connections that cannot be established, that break, or that are reused.

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, TcpStream};
use std::time::Instant;

use ccfs_emulator::{Emulator, Fault};
use ccfs_proto::exchange::TlsFailure;
use ccfs_proto::{ErrorKind, FailureKind};

use super::wire::job;
use crate::archive::archive_bytes;
use crate::backend::Backend;
use crate::server::Behaviour;
use crate::stage::{Bench, Played, SHORT, Script, Stop, failure, holds, kind_is, query, same};

fn is_transport(failure: FailureKind) -> impl Fn(&ErrorKind) -> bool {
    move |kind| matches!(kind, ErrorKind::Transport(seen) if seen.kind() == failure)
}

pub(super) fn no_server(backend: &dyn Backend) -> Played {
    // The listener is closed, but its port is not free, because a connection that it accepted is still open.
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let address = listener.local_addr()?;
    let _taken = (TcpStream::connect(address)?, listener.accept()?);
    drop(listener);
    let endpoint = format!("http://{address}").parse()?;
    let script = Script::with(backend, [], |setup| setup.endpoint = endpoint)?;
    let error = failure(script.client.query(query()?))?;
    kind_is(&error, "no connection", is_transport(FailureKind::Connect))?;
    // The request never arrived, so even one that starts a job is retried.
    same("attempts", &4, &error.attempts)
}

pub(super) fn closed(backend: &dyn Backend) -> Played {
    let script = Script::new(backend, vec![Behaviour::close(); 8])?;
    script.fails("a connection that broke before the answer", is_transport(FailureKind::Broken), 4)
}

pub(super) fn query_once(backend: &dyn Backend) -> Played {
    for behaviour in [Behaviour::close(), Behaviour::stall(None, &[])] {
        let script = Script::with(backend, [behaviour, job(false, &[])], |setup| {
            setup.policy.idle_timeout = SHORT;
        })?;
        failure(script.client.query(query()?))?;
        script.requests_are(1)?;
    }
    Ok(())
}

/// After the response's head, a transport that reports that the request never arrived is wrong, and
/// the exchange does not retry the request.
pub(super) fn broken_job_response(backend: &dyn Backend) -> Played {
    let bench = Bench::new(backend)?;
    bench.add_fault(Fault::CutAfter(5).times(1));
    failure(bench.client.query(query()?))?;
    bench.requests_are(1)?;
    let stall = Behaviour::stall(Some(1), &[b' '; 9]);
    let script =
        Script::with(backend, [stall, job(false, &[])], |setup| setup.policy.idle_timeout = SHORT)?;
    failure(script.client.query(query()?))?;
    script.requests_are(1)
}

/// Connection pools tend to retry a request on a reused connection that failed.
pub(super) fn kept_and_broken(backend: &dyn Backend) -> Played {
    let script = Script::new(backend, [job(true, &[]), Behaviour::close(), job(true, &[])])?;
    script.client.query(query()?)?;
    let error = failure(script.client.query(query()?))?;
    kind_is(
        &error,
        "a connection that broke before the answer",
        is_transport(FailureKind::Broken),
    )?;
    script.requests_are(2)
}

/// The server closes the connection after its answer without announcing that.
pub(super) fn kept_and_closed(backend: &dyn Backend) -> Played {
    let bytes = archive_bytes(1000);
    let script = Script::new(backend, [job(false, &[]), Behaviour::ok(&bytes)])?;
    script.client.query(query()?)?;
    script.brings(&bytes)?;
    script.requests_are(2)
}

pub(super) fn cancelled(backend: &dyn Backend) -> Played {
    let bytes = archive_bytes(100_000);
    let stalls = Behaviour::stall(Some(bytes.len() / 2), &bytes);
    let script = Script::new(backend, [stalls, Behaviour::ok(&bytes)])?;
    let begin = Instant::now();
    if !script.client.cancel(script.operation(), &script.folder.path()) {
        return Err(Stop::NotPlayed("the transport has no way to give a call up"));
    }
    let took = begin.elapsed();
    holds(
        took < backend.server_timeout(),
        "the download is given up while the server is silent",
        format_args!("it took {took:?}"),
    )?;
    script.folder.holds(None)?;
    script.brings(&bytes)?;
    script.requests_are(2)?;
    let over: Vec<usize> = script.server.seen().iter().map(|request| request.connection).collect();
    holds(
        over[0] != over[1],
        "another connection for the next call",
        "the same one, with half an answer in it",
    )
}

/// The URL and the `Host` header have brackets around the address; the socket address has no brackets.
pub(super) fn ipv6(backend: &dyn Backend) -> Played {
    let address = SocketAddr::from((Ipv6Addr::LOCALHOST, 0));
    if TcpListener::bind(address).is_err() {
        return Err(Stop::NotPlayed("this machine has no IPv6 loopback address"));
    }
    let mut bench = Bench::with(backend, |builder| builder.bind(address), |_| {})?;
    let bytes = bench.generate()?;
    bench.brings(&bytes)?;
    let host = bench.server.endpoint().host_header();
    holds(host.starts_with("[::1]:"), "an address in brackets", host)?;
    bench.requests_are(1)
}

pub(super) fn unknown_ca(backend: &dyn Backend) -> Played {
    if !backend.speaks_tls() {
        return Err(Stop::NotPlayed("the transport does not speak TLS"));
    }
    let stranger = Emulator::builder().seed(99).start()?;
    let bench = Bench::with(
        backend,
        |builder| builder,
        |setup| setup.ca_pem = stranger.ca_pem().map(str::to_owned),
    )?;
    let error = failure(bench.client.query(query()?))?;
    kind_is(
        &error,
        "a TLS handshake that failed for the certificate's issuer",
        is_transport(FailureKind::Tls(TlsFailure::UnknownIssuer)),
    )?;
    same("attempts", &1, &error.attempts)?;
    bench.requests_are(0)
}
