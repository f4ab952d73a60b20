//! Connections of ureq: through a proxy if there is one, with the TLS configuration of `ccfs-tls`.
//!
//! ureq accepts root certificates and a client certificate but no custom verifier, so its TLS
//! connector is replaced. The traits are in `ureq::unversioned`; see `docs/architecture.md`,
//! "Design decisions".

use std::cell::Cell;
use std::fmt;
use std::io::{self, Read, Write};
use std::sync::Arc;

use ccfs_driver::{Proxy, ProxyError};
use ccfs_proto::FailureKind;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, StreamOwned};
use ureq::config::Config;
use ureq::http::Uri;
use ureq::unversioned::resolver::{DefaultResolver, ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::time::{Duration, Instant};
use ureq::unversioned::transport::{
    Buffers, ConnectProxyConnector, ConnectionDetails, Connector, Either, LazyBuffers, NextTimeout,
    TcpConnector, Transport, TransportAdapter,
};
use ureq::{Agent, Error, ProxyProtocol};

use crate::failure::NotSent;

/// Creates an agent that connects through `proxy` with the TLS configuration `tls`.
pub(crate) fn agent(proxy: Option<&Proxy>, tls: ClientConfig) -> Result<Agent, ProxyError> {
    let config = Agent::config_builder().proxy(proxy.map(ureq_proxy).transpose()?).build();
    let connector = ConnectProxyConnector::default()
        .chain(TcpConnector::default())
        .chain(TlsConnector(Arc::new(tls)));
    Ok(Agent::with_parts(config, WatchedConnector(connector), MarkingResolver::default()))
}

fn ureq_proxy(proxy: &Proxy) -> Result<ureq::Proxy, ProxyError> {
    let builder = ureq::Proxy::builder(ProxyProtocol::Http).host(proxy.host()).port(proxy.port());
    let builder = match proxy.login() {
        Some((user, password)) => builder.username(user).password(password),
        None => builder,
    };
    // Does not fail for a valid `Proxy`: its host is checked, and ureq encodes the login.
    builder.build().map_err(|_| ProxyError::Login)
}

/// The system's resolver, with its I/O errors marked as [`NotSent`]. Unmarked, they could not be
/// distinguished from those of a connection that may have sent the request.
#[derive(Debug, Default)]
struct MarkingResolver(DefaultResolver);

impl Resolver for MarkingResolver {
    fn resolve(
        &self,
        uri: &Uri,
        config: &Config,
        timeout: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, Error> {
        self.0.resolve(uri, config, timeout).map_err(|error| match error {
            Error::Io(error) => not_sent(FailureKind::Resolve, error),
            error => error,
        })
    }
}

/// A connector with its I/O errors marked as [`NotSent`], except those of TLS. The same errors of an
/// established connection do not prove that the request was not sent.
#[derive(Debug)]
struct WatchedConnector<C>(C);

impl<In: Transport, C: Connector<In>> Connector<In> for WatchedConnector<C> {
    type Out = Watched<C::Out>;

    fn connect(
        &self,
        details: &ConnectionDetails<'_>,
        chained: Option<In>,
    ) -> Result<Option<Self::Out>, Error> {
        match self.0.connect(details, chained) {
            Ok(connection) => Ok(connection.map(Watched)),
            Err(Error::Io(error)) if ccfs_tls::classify_io_error(&error).is_none() => {
                Err(not_sent(FailureKind::Connect, error))
            }
            Err(error) => Err(error),
        }
    }
}

thread_local! {
    /// Whether the `read` of [`watch_close`] that this thread executes found a closed connection.
    static CLOSED: Cell<bool> = const { Cell::new(false) };
}

/// Executes `read`, which reads from one connection, and returns whether it waited for data although
/// the server had closed the connection.
///
/// ureq accepts a chunked body that ends after `0` CR LF, without the last CR LF; hyper does not. A
/// body that is complete ends without waiting for more data.
pub(crate) fn watch_close<T>(read: impl FnOnce() -> T) -> (T, bool) {
    CLOSED.set(false);
    let result = read();
    (result, CLOSED.get())
}

/// A connection that is watched for [`watch_close`].
#[derive(Debug)]
struct Watched<T>(T);

impl<T: Transport> Transport for Watched<T> {
    fn buffers(&mut self) -> &mut dyn Buffers {
        self.0.buffers()
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), Error> {
        self.0.transmit_output(amount, timeout)
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, Error> {
        let result = self.0.await_input(timeout);
        // A closed connection is an error, or no data.
        if !matches!(result, Ok(true)) {
            CLOSED.set(true);
        }
        result
    }

    fn is_open(&mut self) -> bool {
        self.0.is_open()
    }

    fn is_tls(&self) -> bool {
        self.0.is_tls()
    }
}

/// Establishes TLS over the connection if the URL is `https`.
struct TlsConnector(Arc<ClientConfig>);

impl fmt::Debug for TlsConnector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TlsConnector")
    }
}

impl<In: Transport> Connector<In> for TlsConnector {
    type Out = Either<In, TlsTransport>;

    fn connect(
        &self,
        details: &ConnectionDetails<'_>,
        chained: Option<In>,
    ) -> Result<Option<Self::Out>, Error> {
        let Some(transport) = chained else { return Ok(None) };
        if !details.needs_tls() {
            return Ok(Some(Either::A(transport)));
        }
        let host = details.uri.host().unwrap_or_default().trim_matches(['[', ']']);
        let name = ServerName::try_from(host)
            .map_err(|_| Error::Tls("host is not a valid TLS server name"))?
            .to_owned();
        let mut tls = ClientConnection::new(Arc::clone(&self.0), name)?;
        let mut wire = TransportAdapter::new(
            Box::new(transport) as Box<dyn Transport>,
            Arc::clone(&details.current_time),
        );
        wire.set_timeout(remaining(details));
        tls.complete_io(&mut wire)?;
        let buffers = LazyBuffers::new(
            details.config.input_buffer_size(),
            details.config.output_buffer_size(),
        );
        Ok(Some(Either::B(TlsTransport { buffers, stream: StreamOwned::new(tls, wire) })))
    }
}

/// The part of the connect timeout that TCP and the proxy have not used.
fn remaining(details: &ConnectionDetails<'_>) -> NextTimeout {
    let mut timeout = details.timeout;
    if let (Duration::Exact(after), Instant::Exact(begun), Instant::Exact(now)) =
        (timeout.after, details.now, (details.current_time)())
    {
        timeout.after = Duration::Exact(after.saturating_sub(now.saturating_duration_since(begun)));
    }
    timeout
}

fn not_sent(kind: FailureKind, cause: io::Error) -> Error {
    Error::Other(Box::new(NotSent { kind, cause }))
}

/// A TLS connection.
struct TlsTransport {
    buffers: LazyBuffers,
    stream: StreamOwned<ClientConnection, TransportAdapter>,
}

impl fmt::Debug for TlsTransport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TlsTransport")
    }
}

impl TlsTransport {
    /// Returns the alert that the server sent before it reset the connection, otherwise `error`.
    ///
    /// In TLS 1.3 a server verifies the client certificate while the client already sends the
    /// request. Writing to the closed connection then fails before the alert is read.
    fn alert_before(&mut self, error: io::Error) -> io::Error {
        let is_reset = matches!(
            error.kind(),
            io::ErrorKind::BrokenPipe
                | io::ErrorKind::ConnectionReset
                | io::ErrorKind::ConnectionAborted
        );
        let StreamOwned { conn, sock } = &mut self.stream;
        while is_reset && conn.read_tls(sock).is_ok_and(|len| len > 0) {
            if let Err(alert) = conn.process_new_packets() {
                return io::Error::new(io::ErrorKind::InvalidData, alert);
            }
        }
        error
    }
}

impl Transport for TlsTransport {
    fn buffers(&mut self) -> &mut dyn Buffers {
        &mut self.buffers
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), Error> {
        self.stream.sock.set_timeout(timeout);
        let written = self.stream.write_all(&self.buffers.output()[..amount]);
        Ok(written.map_err(|error| self.alert_before(error))?)
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, Error> {
        self.stream.sock.set_timeout(timeout);
        let read = self.stream.read(self.buffers.input_append_buf());
        let amount = read.map_err(|error| self.alert_before(error))?;
        self.buffers.input_appended(amount);
        Ok(amount > 0)
    }

    fn is_open(&mut self) -> bool {
        self.stream.sock.get_mut().is_open()
    }

    fn is_tls(&self) -> bool {
        true
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::failure::send_failure;

    /// The system's resolver rejects a label that is too long for DNS without a query.
    #[test]
    fn an_error_of_the_resolver_has_its_message() {
        let uri: Uri = format!("https://{}/", "a".repeat(64)).parse().unwrap();
        for after in [Duration::NotHappening, Duration::from_secs(60)] {
            let timeout =
                NextTimeout { after, reason: ureq::Timeout::Resolve, ..NextTimeout::default() };
            let error =
                MarkingResolver::default().resolve(&uri, &Config::default(), timeout).unwrap_err();
            let failure = send_failure(error);
            assert_eq!(failure.kind(), FailureKind::Resolve);
            assert!(failure.io_error().is_some_and(|error| !error.to_string().is_empty()));
        }
    }

    /// A connector that always fails.
    #[derive(Debug)]
    struct Failing(io::ErrorKind);

    impl Connector<()> for Failing {
        type Out = ();

        fn connect(&self, _: &ConnectionDetails<'_>, _: Option<()>) -> Result<Option<()>, Error> {
            Err(Error::Io(self.0.into()))
        }
    }

    /// The same I/O error is a failure to connect only if it comes from a connector.
    #[test]
    fn an_io_error_is_classified_by_where_it_occurs() {
        for kind in [
            io::ErrorKind::HostUnreachable,
            io::ErrorKind::NetworkUnreachable,
            io::ErrorKind::NetworkDown,
            io::ErrorKind::TimedOut,
        ] {
            let agent = Agent::with_parts(
                Config::default(),
                WatchedConnector(Failing(kind)),
                MarkingResolver::default(),
            );
            let error = agent.get("http://127.0.0.1:9/").call().unwrap_err();
            let failure = send_failure(error);
            assert_eq!(failure.kind(), FailureKind::Connect, "{kind:?}");
            let source = std::error::Error::source(&failure).unwrap();
            assert_eq!(source.downcast_ref::<io::Error>().unwrap().kind(), kind);
            let later = send_failure(Error::Io(kind.into()));
            assert!(
                matches!(later.kind(), FailureKind::Broken | FailureKind::IdleTimeout),
                "{kind:?}: {later:?}"
            );
        }
    }
}
