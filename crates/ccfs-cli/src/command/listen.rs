//! `ccfs listen`: receives callbacks, checks them, prints one JSON line each.

use std::iter;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use ccfs::listener::{ConnectionError, Event, Refusal};
use ccfs::{Callback, Listener};
use clap::Args;
use serde::Serialize;

use crate::failure::{Failure, Kind};
use crate::reading::{read_bounded, read_secret};
use crate::settings::Settings;
use crate::{interrupt, message, output};

#[derive(Args, Debug)]
pub(crate) struct ListenArgs {
    #[command(flatten)]
    pub(crate) receiver: ReceiverArgs,
    /// Stop after the first valid callback
    #[arg(long)]
    pub(crate) once: bool,
}

/// Where and how callbacks are received.
#[derive(Args, Debug)]
pub(crate) struct ReceiverArgs {
    /// Address to receive callbacks at; 0.0.0.0:9080 is every address of this machine
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:9080", value_parser = address)]
    pub(crate) bind: SocketAddr,
    /// Take callbacks at this path only, that of the callback URL [default: any path]
    #[arg(long, value_name = "PATH", value_parser = path)]
    pub(crate) path: Option<String>,
    /// PEM file of the certificate to receive callbacks with over https, and the chain behind it [default: plain HTTP]
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    pub(crate) tls_cert: Option<PathBuf>,
    /// PEM file of that certificate's key, without a password
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    pub(crate) tls_key: Option<PathBuf>,
}

/// An address as `--bind` takes it.
pub(crate) fn address(text: &str) -> Result<SocketAddr, String> {
    text.parse()
        .map_err(|_| String::from("an address is an IP and a port, such as 127.0.0.1:9080, or 0.0.0.0:9080 for all of this machine's"))
}

fn path(text: &str) -> Result<String, String> {
    let is_path = text.starts_with('/') && !text.contains(['?', '#']);
    if is_path {
        Ok(text.to_owned())
    } else {
        Err("a path begins with / and goes without a query, such as /callback".into())
    }
}

impl ReceiverArgs {
    /// Begins to listen, and says where.
    pub(crate) fn listen(&self, settings: &Settings) -> Result<Listener, Failure> {
        let mut builder = Listener::builder(&settings.credentials()?).on_connection_error(report);
        if let Some(path) = &self.path {
            builder = builder.path(path);
        }
        let tls = self.tls_cert.as_deref().zip(self.tls_key.as_deref());
        if let Some((certificate, key)) = tls {
            let pem = read_bounded(certificate, "certificate")?;
            let key_pem = read_secret(key, "certificate's key")?;
            let refused = |error| {
                Failure::usage(format_args!(
                    "{}, {}: {error}",
                    certificate.display(),
                    key.display()
                ))
            };
            builder = builder.tls(&pem, &key_pem).map_err(refused)?;
        }
        let listener = builder.bind(self.bind).map_err(|error| {
            Failure::new(
                Kind::Network,
                format_args!("{} cannot be listened on: {error}", self.bind),
            )
        })?;
        let scheme = if tls.is_some() { "https" } else { "http" };
        message::note(format_args!(
            "listening on {scheme}://{}{}",
            listener.address(),
            self.path.as_deref().unwrap_or_default()
        ));
        Ok(listener)
    }
}

/// Reports a connection that never became a request.
#[expect(clippy::needless_pass_by_value, reason = "the listener hands the error over")]
fn report(error: ConnectionError) {
    let ConnectionError { peer, at, fault, suppressed, .. } = error;
    let others = match suppressed {
        0 => String::new(),
        others => format!("; {others} more since the last report"),
    };
    message::note(format_args!("no request: {fault} (from {peer}, at {at}{others})"));
}

/// An event's callback. What is none is only told.
pub(crate) fn callback(event: Event) -> Option<Callback> {
    let Event { peer, at, callback, .. } = event;
    let tell = |refusal| {
        // The second of a pair is answered like the first.
        let what = if refusal == Refusal::Duplicate { "repeated" } else { "refused" };
        message::note(format_args!("{what}: {refusal} (from {peer}, at {at})"));
    };
    callback.map_err(tell).ok()
}

#[derive(Serialize)]
struct Line<'a> {
    response_id: &'a str,
    file_name: &'a str,
    account_id: Option<&'a str>,
}

pub(crate) fn run(settings: &Settings, args: &ListenArgs) -> Result<(), Failure> {
    let listener = args.receiver.listen(settings)?;
    interrupt::ends_itself();
    let mut done = false;
    while !done && !interrupt::came() {
        if let Some(callback) = listener.recv_timeout(Duration::from_millis(50)).and_then(callback)
        {
            print(&callback)?;
            done = args.once;
        }
    }
    // What came meanwhile was answered, so the server does not call again.
    listener.stop();
    for callback in iter::from_fn(|| listener.try_recv()).filter_map(callback) {
        print(&callback)?;
    }
    if done { Ok(()) } else { Err(Failure::new(Kind::Interrupted, "interrupted")) }
}

/// Who called was answered and does not call again: what cannot be printed is at least named.
fn print(callback: &Callback) -> Result<(), Failure> {
    let printed = output::json(&Line {
        response_id: callback.response_id.as_str(),
        file_name: callback.file_name.as_str(),
        account_id: callback.account_id.as_deref(),
    });
    printed.map_err(|failure| {
        let why = if failure.kind == Kind::PipeClosed {
            "nobody reads stdout any more"
        } else {
            &failure.message
        };
        Failure::file(format_args!(
            "a callback was taken and could not be printed: {} is there ({why})",
            callback.file_name
        ))
    })
}
