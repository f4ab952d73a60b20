//! Makes one call with each backend, for tests of connections.

use ccfs_driver::{Config, Error, Proxy};
use ccfs_proto::{Credentials, Endpoint, Policy};
use ccfs_tls::Trust;

use crate::calls::{download, runtime};

/// The outcome of one call: the result code of the server's answer, or the error.
pub type Outcome = Result<String, Error>;

/// Requests a missing file once with each backend, through this proxy or directly: the code `0300011` shows that the request reached the server.
pub fn ask_both(
    endpoint: &Endpoint,
    credentials: &Credentials,
    trust: &Trust,
    proxy: Option<&Proxy>,
) -> [(&'static str, Outcome); 2] {
    let policy = Policy::default().max_retries(0);
    let session =
        Config::new(endpoint.clone(), credentials.clone()).policy(policy).proxy(proxy.cloned());
    let client = ccfs_ureq::Client::with_trust(session.clone(), trust).unwrap();
    let blocking = client.download(download()).to_writer(std::io::sink());
    let client = ccfs_reqwest::Client::with_trust(session, trust).unwrap();
    let runtime = runtime();
    let asynchronous = runtime.block_on(client.download(download()).to_writer(tokio::io::sink()));
    [("blocking", blocking), ("async", asynchronous)].map(|(name, result)| (name, outcome(result)))
}

fn outcome<T>(result: Result<T, Error>) -> Outcome {
    match result {
        Ok(_) => Ok("a file".into()),
        Err(Error::Exchange(error)) if error.result_code().is_some() => {
            Ok(error.result_code().map(ToString::to_string).unwrap_or_default())
        }
        Err(error) => Err(error),
    }
}
