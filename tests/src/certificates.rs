//! A TLS server that asks for a client certificate, for clients without one.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::Arc;
use std::thread;

use ccfs_emulator::Emulator;
use ccfs_tls::Pin;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{
    RootCertStore, ServerConfig, ServerConnection, StreamOwned, SupportedProtocolVersion,
};

/// Starts a server that answers the first bytes of each connection with `answer` and closes it. Returns its base URL and its pin.
///
/// If a certificate is required, the handshake fails, and no byte of a request is read.
pub fn asks_for_certificate(
    versions: &[&'static SupportedProtocolVersion],
    is_required: bool,
    answer: &'static str,
) -> (String, Pin) {
    let emulator = Emulator::builder().start().unwrap();
    let identity = emulator.client_identity().unwrap();
    let certificate = CertificateDer::from_pem_slice(identity.certificate_pem.as_bytes()).unwrap();
    let key = PrivateKeyDer::from_pem_slice(identity.key_pem.as_bytes()).unwrap();
    let mut roots = RootCertStore::empty();
    let ca = emulator.ca_pem().unwrap();
    roots.add(CertificateDer::from_pem_slice(ca.as_bytes()).unwrap()).unwrap();
    let verifier =
        WebPkiClientVerifier::builder_with_provider(Arc::new(roots), ccfs_tls::provider());
    let verifier = if is_required { verifier } else { verifier.allow_unauthenticated() };
    let config = ServerConfig::builder_with_provider(ccfs_tls::provider())
        .with_protocol_versions(versions)
        .unwrap()
        .with_client_cert_verifier(verifier.build().unwrap())
        .with_single_cert(vec![certificate.clone()], key)
        .unwrap();
    let config = Arc::new(config);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("https://{}", listener.local_addr().unwrap());
    thread::spawn(move || {
        for stream in listener.incoming() {
            let connection = ServerConnection::new(Arc::clone(&config)).unwrap();
            let mut tls = StreamOwned::new(connection, stream.unwrap());
            if tls.read(&mut [0; 4096]).is_ok_and(|len| len > 0) {
                let _ = tls.write_all(answer.as_bytes());
            }
        }
    });
    (url, Pin::of(&certificate))
}
