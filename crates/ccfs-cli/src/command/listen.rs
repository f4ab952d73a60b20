//! `ccfs listen`: receives callbacks, checks them, prints one JSON line each.

mod printer;
mod spool;

use std::fmt::Arguments;
use std::iter;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use ccfs::listener::{ConnectionError, Event, Refusal};
use ccfs::{Callback, Listener, Timestamp};
use clap::Args;
use serde::Serialize;

use self::printer::Printer;
use self::spool::Spool;
use crate::failure::{Failure, Kind};
use crate::reading::read_secret;
use crate::settings::Settings;
use crate::{days, interrupt, message, table};

#[derive(Args, Debug)]
pub(crate) struct ListenArgs {
    #[command(flatten)]
    pub(crate) receiver: ReceiverArgs,
    /// Stop after the first valid callback
    #[arg(long)]
    pub(crate) once: bool,
    /// File for callbacks that were answered but cannot be printed; the next start prints and removes them [default: they are written to stderr]
    #[arg(long, value_name = "FILE")]
    pub(crate) spool: Option<PathBuf>,
}

/// Options for receiving callbacks.
#[derive(Args, Debug)]
pub(crate) struct ReceiverArgs {
    /// Address to receive callbacks on; 0.0.0.0:9080 listens on all addresses of this machine
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:9080", value_parser = address)]
    pub(crate) bind: SocketAddr,
    /// Accept callbacks only at this path, the path of the callback URL [default: any path]
    #[arg(long, value_name = "PATH", value_parser = path)]
    pub(crate) path: Option<String>,
    /// PEM file of the TLS certificate for receiving callbacks, followed by its chain [default: plain HTTP]
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    pub(crate) tls_cert: Option<PathBuf>,
    /// PEM file of that certificate's key, without a password
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    pub(crate) tls_key: Option<PathBuf>,
    /// How long a caller may take for the TLS handshake, and for the head of its request
    #[arg(long, value_name = "TIME", default_value = "5s", value_parser = days::duration)]
    pub(crate) head_timeout: Duration,
    /// How long a caller may take for the body of its request
    #[arg(long, value_name = "TIME", default_value = "10s", value_parser = days::duration)]
    pub(crate) body_timeout: Duration,
    /// Maximum number of open connections; a further one closes the oldest that has not sent a complete request
    #[arg(long, value_name = "N", default_value_t = 1024, value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) connections: u32,
    /// Maximum number of open connections from one address; behind a proxy, set it to the value of --connections
    #[arg(long, value_name = "N", default_value_t = 64, value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) connections_per_address: u32,
}

/// Parses the address of `--bind`.
pub(crate) fn address(text: &str) -> Result<SocketAddr, String> {
    text.parse()
        .map_err(|_| String::from("an address is an IP and a port, such as 127.0.0.1:9080, or 0.0.0.0:9080 for all of this machine's"))
}

fn path(text: &str) -> Result<String, String> {
    let is_path = text.starts_with('/') && !text.contains(['?', '#']);
    if is_path {
        Ok(text.to_owned())
    } else {
        Err("a path begins with / and has no query, such as /callback".into())
    }
}

impl ReceiverArgs {
    /// Starts to listen, and prints the address.
    pub(crate) fn listen(&self, settings: &Settings) -> Result<Listener, Failure> {
        let mut builder = Listener::builder(&settings.credentials()?)
            .on_connection_error(report)
            .head_timeout(self.head_timeout)
            .body_timeout(self.body_timeout)
            .connection_limit(count(self.connections))
            .peer_connection_limit(count(self.connections_per_address));
        if let Some(path) = &self.path {
            builder = builder.path(path);
        }
        let tls = self.tls_cert.as_deref().zip(self.tls_key.as_deref());
        if let Some((certificate, key)) = tls {
            let pem = read_secret(certificate, "certificate")?;
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
            Failure::new(Kind::Network, format_args!("cannot listen on {}: {error}", self.bind))
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

fn count(number: u32) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

/// Reports a connection that ended without a request.
#[expect(clippy::needless_pass_by_value, reason = "the listener hands the error over")]
fn report(error: ConnectionError) {
    let ConnectionError { peer, at, fault, suppressed, .. } = error;
    note(format_args!("no request: {fault}"), peer, at, suppressed);
}

/// Returns an event's callback. Refusals are printed, at most one a second for each reason.
pub(crate) fn callback(event: Event) -> Option<Callback> {
    let Event { peer, at, callback, suppressed, .. } = event;
    let tell = |refusal| {
        let Some(suppressed) = suppressed else { return };
        // The second of a pair is answered like the first.
        let what = if refusal == Refusal::Duplicate { "repeated" } else { "refused" };
        note(format_args!("{what}: {refusal}"), peer, at, suppressed);
    };
    callback.map_err(tell).ok()
}

fn note(what: Arguments<'_>, peer: SocketAddr, at: Timestamp, suppressed: u64) {
    let others = match suppressed {
        0 => String::new(),
        others => format!("; {others} more since the last report"),
    };
    message::note(format_args!("{what} (from {peer}, at {at}{others})"));
}

#[derive(Serialize)]
struct Line<'a> {
    response_id: &'a str,
    file_name: &'a str,
    account_id: Option<&'a str>,
}

fn line(callback: &Callback) -> String {
    let line = Line {
        response_id: callback.response_id.as_str(),
        file_name: callback.file_name.as_str(),
        account_id: callback.account_id.as_deref(),
    };
    serde_json::to_string(&line).unwrap_or_else(|_| unreachable!("texts serialise"))
}

pub(crate) fn run(settings: &Settings, args: &ListenArgs) -> Result<(), Failure> {
    let mut spool = args.spool.as_deref().map(Spool::open).transpose()?;
    let mut printer = Printer::start()?;
    message::detach()?;
    let listener = args.receiver.listen(settings)?;
    interrupt::ends_itself();
    match print(&listener, &mut printer, spool.as_mut(), args.once) {
        Ok(true) => Ok(()),
        Ok(false) => Err(Failure::new(Kind::Interrupted, "interrupted")),
        Err(failure) => Err(keep(&listener, printer, spool, &failure)),
    }
}

/// Prints callbacks until a signal or, with `once`, until the first. Returns whether one arrived.
fn print(
    listener: &Listener,
    printer: &mut Printer,
    spool: Option<&mut Spool>,
    once: bool,
) -> Result<bool, Failure> {
    if let Some(spool) = spool {
        // After a failure the lines are still in the spool.
        spool.replay(|line| printer.print(line)).inspect_err(|_| printer.forget())?;
    }
    let mut done = false;
    while !done && !interrupt::came() {
        if let Some(callback) = listener.recv_timeout(Duration::from_millis(50)).and_then(callback)
        {
            printer.print(line(&callback))?;
            done = once;
        }
    }
    // What came meanwhile was answered, so the server does not call again.
    listener.stop();
    for line in queued(listener) {
        printer.print(line)?;
    }
    Ok(done)
}

/// After stdout failed, writes the answered callbacks that its reader may not have read to the spool
/// or stderr. Returns the error that the command ends with.
fn keep(
    listener: &Listener,
    printer: Printer,
    mut spool: Option<Spool>,
    failure: &Failure,
) -> Failure {
    // From here on, the server calls again.
    listener.stop_accepting();
    let (mut kept, mut in_spool) = (0, true);
    let mut keep = |lines: Vec<String>| {
        kept += lines.len();
        in_spool &= write(spool.as_mut(), &lines);
    };
    keep(printer.into_recent().into_iter().chain(queued(listener)).collect());
    listener.stop();
    // Those whose answers were on their way.
    keep(queued(listener).collect());
    let place = match &spool {
        Some(spool) if in_spool => {
            format!("in {}; the next start with this spool prints them", spool.path().display())
        }
        _ => "on stderr as JSON lines".into(),
    };
    Failure::file(format_args!(
        "{}; {} that may not have been read: {place}",
        failure.message,
        table::counted(kept as u64, "callback")
    ))
}

/// Writes lines to the spool, or to stderr without a spool or if it fails. Returns whether they are
/// in the spool.
fn write(spool: Option<&mut Spool>, lines: &[String]) -> bool {
    match spool.map(|spool| spool.append(lines)) {
        Some(Ok(())) => return true,
        Some(Err(error)) => message::error(format_args!("error: cannot write the spool: {error}")),
        None => {}
    }
    for line in lines {
        message::plain(format_args!("{line}"));
    }
    false
}

/// Returns the callbacks in the queue, as lines.
fn queued(listener: &Listener) -> impl Iterator<Item = String> {
    iter::from_fn(|| listener.try_recv()).filter_map(callback).map(|callback| line(&callback))
}
