//! The two backends of the house.

use std::path::Path;

use ccfs_driver::{Error, Overwrite};
use ccfs_proto::{DownloadAgentSkillInfoFile, FileReceipt, GenerationJob, QueryAgentSkillInfoData};
use ccfs_tls::Trust;

use crate::backend::{Backend, Setup};

fn trust(setup: &Setup) -> Trust {
    let none = Trust::none();
    setup.ca_pem.as_ref().map_or(none.clone(), |pem| none.add_pem(pem.as_bytes()).unwrap())
}

/// `ccfs-ureq`.
#[derive(Debug)]
pub struct Blocking(ccfs_ureq::Client);

impl Backend for Blocking {
    fn new(setup: &Setup) -> Self {
        let builder = ccfs_ureq::Client::builder(setup.endpoint.clone(), setup.credentials.clone());
        let builder = builder.policy(setup.policy.clone()).trust(trust(setup)).clock(setup.clock.clone()).jitter(|| u64::MAX);
        Self(builder.build().unwrap())
    }

    fn query(&self, operation: QueryAgentSkillInfoData) -> Result<GenerationJob, Error> {
        self.0.call(operation)
    }

    fn to_file(&self, operation: DownloadAgentSkillInfoFile, path: &Path, overwrite: Overwrite) -> Result<FileReceipt, Error> {
        self.0.download(operation).overwrite(overwrite).to_file(path)
    }

    fn to_writer(&self, operation: DownloadAgentSkillInfoFile) -> (Result<FileReceipt, Error>, Vec<u8>) {
        let mut taken = Vec::new();
        (self.0.download(operation).to_writer(&mut taken), taken)
    }
}

/// `ccfs-reqwest`, on a runtime of its own.
#[derive(Debug)]
pub struct Async {
    client: ccfs_reqwest::Client,
    runtime: tokio::runtime::Runtime,
}

impl Backend for Async {
    fn new(setup: &Setup) -> Self {
        let builder = ccfs_reqwest::Client::builder(setup.endpoint.clone(), setup.credentials.clone());
        let builder = builder.policy(setup.policy.clone()).trust(trust(setup)).clock(setup.clock.clone()).jitter(|| u64::MAX);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        Self { client: builder.build().unwrap(), runtime }
    }

    fn query(&self, operation: QueryAgentSkillInfoData) -> Result<GenerationJob, Error> {
        self.runtime.block_on(self.client.call(operation))
    }

    fn to_file(&self, operation: DownloadAgentSkillInfoFile, path: &Path, overwrite: Overwrite) -> Result<FileReceipt, Error> {
        self.runtime.block_on(self.client.download(operation).overwrite(overwrite).to_file(path))
    }

    fn to_writer(&self, operation: DownloadAgentSkillInfoFile) -> (Result<FileReceipt, Error>, Vec<u8>) {
        let mut taken = Vec::new();
        (self.runtime.block_on(self.client.download(operation).to_writer(&mut taken)), taken)
    }
}
