//! One call over each backend, for tests of how the connection is made.

use ccfs_conformance::file_name;
use ccfs_driver::{Config, Error, Proxy};
use ccfs_proto::{Credentials, DownloadAgentSkillInfoFile, Endpoint, Policy};
use ccfs_tls::Trust;

/// How one call went: the result code that the server answered with, or the error.
pub type Outcome = Result<String, Error>;

/// Asks for a file that is not there, once, over both backends, through this proxy or none: `0300011` says that everything up to the server works.
pub fn ask_both(
    endpoint: &Endpoint,
    credentials: &Credentials,
    trust: &Trust,
    proxy: Option<&Proxy>,
) -> [(&'static str, Outcome); 2] {
    let policy = Policy::default().max_retries(0);
    let download = || DownloadAgentSkillInfoFile::new(file_name());
    let session =
        Config::new(endpoint.clone(), credentials.clone()).policy(policy).proxy(proxy.cloned());
    let client = ccfs_ureq::Client::with_trust(session.clone(), trust).unwrap();
    let blocking = client.download(download()).to_writer(std::io::sink());
    let client = ccfs_reqwest::Client::with_trust(session, trust).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
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
