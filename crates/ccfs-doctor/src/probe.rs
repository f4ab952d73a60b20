//! Connects without a request: name, proxy, TLS.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream, ToSocketAddrs};
use std::sync::{Arc, PoisonError, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use ccfs_driver::Proxy;
use ccfs_proto::Endpoint;
use ccfs_proto::exchange::TlsFailure;
use ccfs_tls::Trust;
use rustls::pki_types::ServerName;
use rustls::{ClientConnection, ProtocolVersion};

use crate::certificate::Certificate;
use crate::evidence::{Evidence, Reach};

/// Number of addresses of a name that are tried.
const ADDRESSES: usize = 8;
/// Bytes of a proxy's answer that are read.
const ANSWER_LIMIT: usize = 8 * 1024;

/// What connecting showed, beside the evidence.
#[derive(Debug, Default)]
pub(crate) struct Probe {
    /// The addresses of the endpoint's host, or of the proxy's.
    pub(crate) addresses: Vec<SocketAddr>,
    pub(crate) tls_version: Option<&'static str>,
    /// Certificates of the server, its own first.
    pub(crate) certificates: Vec<Certificate>,
}

/// Connects, performs a TLS handshake if the endpoint is `https`, and disconnects. Sends no HTTP and no secret to the server; a proxy receives
/// its login.
pub(crate) fn probe(
    endpoint: &Endpoint,
    proxy: Option<&Proxy>,
    trust: &Trust,
    timeout: Duration,
) -> (Probe, Evidence) {
    let (host, port) =
        proxy.map_or((endpoint.host(), endpoint.port()), |proxy| (proxy.host(), proxy.port()));
    let mut probe = Probe { addresses: look_up(bare(host), port, timeout), ..Probe::default() };
    let https = endpoint.is_https();
    let mut evidence = Evidence { https, reach: Reach::Connected, ..Evidence::default() };
    let stream = match connect(&probe.addresses, timeout) {
        Ok(stream) => stream,
        Err(reach) => {
            evidence.reach = if proxy.is_some() { Reach::ProxyUnreachable } else { reach };
            return (probe, evidence);
        }
    };
    if https {
        let mut stream = Timed { stream, until: Instant::now() + timeout };
        let answer = proxy.map_or(Ok(200), |proxy| tunnel(&mut stream, endpoint, proxy));
        if matches!(answer, Ok(200)) {
            shake(stream, endpoint, trust, &mut probe, &mut evidence);
        } else {
            evidence.reach = Reach::ProxyRefused(answer.ok());
        }
    }
    (probe, evidence)
}

fn bare(host: &str) -> &str {
    host.trim_matches(['[', ']'])
}

/// Returns the addresses of a name; empty if it has none or the resolver does not answer in time. A thread waits for the resolver, which has no
/// timeout.
fn look_up(host: &str, port: u16, timeout: Duration) -> Vec<SocketAddr> {
    let (tell, told) = mpsc::channel();
    let host = host.to_owned();
    let look = move || {
        let addresses = (host.as_str(), port)
            .to_socket_addrs()
            .map(|addresses| addresses.take(ADDRESSES).collect());
        let _ = tell.send(addresses.unwrap_or_default());
    };
    // Without a thread the sender is dropped, and no address is known.
    drop(thread::Builder::new().spawn(look));
    told.recv_timeout(timeout).unwrap_or_default()
}

/// A connection with one deadline for all reads and writes.
struct Timed {
    stream: TcpStream,
    until: Instant,
}

impl Timed {
    fn left(&self) -> io::Result<Option<Duration>> {
        let left = self.until.saturating_duration_since(Instant::now());
        if left.is_zero() { Err(io::ErrorKind::TimedOut.into()) } else { Ok(Some(left)) }
    }
}

impl Read for Timed {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.stream.set_read_timeout(self.left()?)?;
        self.stream.read(buffer)
    }
}

impl Write for Timed {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.stream.set_write_timeout(self.left()?)?;
        self.stream.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.stream.flush()
    }
}

fn connect(addresses: &[SocketAddr], timeout: Duration) -> Result<TcpStream, Reach> {
    let mut reach = Reach::NameNotFound;
    for address in addresses {
        match TcpStream::connect_timeout(address, timeout) {
            Ok(stream) => return Ok(stream),
            Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => {
                reach = Reach::Refused;
            }
            // A refused connection has more information: the machine is reachable.
            Err(_) if reach == Reach::Refused => {}
            Err(_) => reach = Reach::Unreachable,
        }
    }
    Err(reach)
}

/// Asks the proxy for a tunnel and returns the status of its answer.
fn tunnel(stream: &mut Timed, endpoint: &Endpoint, proxy: &Proxy) -> io::Result<u16> {
    stream.write_all(&proxy.connect_request(endpoint))?;
    let mut head = Vec::new();
    // Byte by byte, because what follows belongs to TLS.
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        if head.len() == ANSWER_LIMIT || stream.read(&mut byte)? == 0 {
            return Err(io::ErrorKind::InvalidData.into());
        }
        head.push(byte[0]);
    }
    Proxy::status(&head).ok_or_else(|| io::ErrorKind::InvalidData.into())
}

fn shake(
    mut stream: Timed,
    endpoint: &Endpoint,
    trust: &Trust,
    probe: &mut Probe,
    evidence: &mut Evidence,
) {
    let (config, shown) = trust.recording_config();
    let made =
        ServerName::try_from(bare(endpoint.host()).to_owned()).map_err(|_| TlsFailure::Other);
    let made = made.and_then(|name| {
        ClientConnection::new(Arc::new(config), name)
            .map_err(|error| ccfs_tls::classify_error(&error))
    });
    let mut connection = match made {
        Ok(connection) => connection,
        Err(failure) => return evidence.tls = Some(failure),
    };
    while connection.is_handshaking() && evidence.tls.is_none() {
        // A connection that ends in the middle of the handshake is a failure of TLS, too.
        evidence.tls = connection
            .complete_io(&mut stream)
            .err()
            .map(|error| ccfs_tls::classify_io_error(&error).unwrap_or_default());
    }
    connection.send_close_notify();
    // Sending close_notify may fail, which does not matter.
    let _ = connection.write_tls(&mut stream);
    let shown = shown.lock().unwrap_or_else(PoisonError::into_inner);
    probe.tls_version = connection.protocol_version().map(version);
    probe.certificates = shown.certificates.iter().map(|der| Certificate::read(der)).collect();
    evidence.is_client_certificate_missing = shown.is_client_certificate_missing;
    let own = probe.certificates.first();
    evidence.rsa_bits = own.and_then(|own| own.rsa_bits);
    evidence.x509_version = own.and_then(|own| own.version);
}

fn version(version: ProtocolVersion) -> &'static str {
    match version {
        ProtocolVersion::TLSv1_3 => "1.3",
        ProtocolVersion::TLSv1_2 => "1.2",
        _ => "an old version",
    }
}
