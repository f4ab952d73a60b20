//! Finds out why a proxy did not open a tunnel.

use ccfs_driver::{Proxy, Session};
use ccfs_proto::{Endpoint, FailureKind};
use reqwest::Error;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::failure::chain;

/// Classifies `error` if the proxy answered `CONNECT` with another status than 200.
///
/// hyper-util reports the status only if it is 407, and as text, because its error type is private.
/// For any other status the proxy is asked once more.
pub(crate) async fn refusal(
    session: &Session,
    proxy: Option<&Proxy>,
    error: &Error,
) -> Option<FailureKind> {
    let text =
        chain(error).map(ToString::to_string).find(|text| text.starts_with("tunnel error"))?;
    if text.ends_with("authorization required") {
        return Some(FailureKind::of_proxy(407));
    }
    if !text.ends_with("unsuccessful") {
        return None;
    }
    let status = timeout(session.connect_timeout(), status(proxy?, session.endpoint())).await;
    // A proxy that opens the tunnel now may open it for the next attempt, too.
    status.ok().flatten().map(FailureKind::of_proxy)
}

/// Asks `proxy` for a tunnel to `endpoint`, and returns the status of its answer.
///
/// # Panics
///
/// If `proxy` is a name and the system refuses the thread that resolves it: `tokio::task::spawn_blocking` has no error.
/// The resolver of reqwest, which has just resolved the same name, panics in the same case.
async fn status(proxy: &Proxy, endpoint: &Endpoint) -> Option<u16> {
    let host = proxy.host().trim_matches(['[', ']']);
    let mut stream = TcpStream::connect((host, proxy.port())).await.ok()?;
    stream.write_all(&proxy.connect_request(endpoint)).await.ok()?;
    let mut start = [0; b"HTTP/1.1 200".len()];
    stream.read_exact(&mut start).await.ok()?;
    Proxy::status(&start)
}
