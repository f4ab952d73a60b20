//! `ccfs serve`: the emulator, for developing against.

use std::fmt::Write as _;
use std::fs::OpenOptions;
use std::io::{self, Write};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use ccfs::Overwrite;
use ccfs_emulator::{Emulator, Fault, FaultRule};
use clap::Args;
use serde::Serialize;

use super::listen::address;
use crate::failure::{Failure, Kind};
use crate::settings::Settings;
use crate::{interrupt, message, output};

#[derive(Args, Debug)]
pub(crate) struct ServeArgs {
    /// Address to listen on; with port 0, the system chooses a free port
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:0", value_parser = address)]
    pub(crate) bind: SocketAddr,
    /// Use plain HTTP instead of TLS
    #[arg(long)]
    pub(crate) plain: bool,
    /// Accept the keys of the settings instead of keys generated from the seed; the secret key is then not printed
    #[arg(long)]
    pub(crate) use_configured_keys: bool,
    /// Seed of the data and of the keys
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(crate) seed: u64,
    /// Records in each file [default: those of 60 agents]
    #[arg(long, value_name = "N")]
    pub(crate) rows: Option<u64>,
    /// File to write the CA certificate to, as PEM
    #[arg(long, value_name = "FILE", conflicts_with = "plain")]
    pub(crate) ca_out: Option<PathBuf>,
    /// Fault to inject: `FAULT[:ARG][@INTERFACE][*N]`, see below; may be repeated
    #[arg(long = "fault", value_name = "FAULT")]
    pub(crate) faults: Vec<String>,
    /// File to append one JSON line per request to, or - for stdout
    #[arg(long, value_name = "FILE")]
    pub(crate) log: Option<PathBuf>,
}

#[derive(Serialize)]
struct Ready<'a> {
    endpoint: String,
    access_key: &'a str,
    /// Of the emulator; not of the settings.
    #[serde(skip_serializing_if = "Option::is_none")]
    secret_key: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pin_sha256: Option<String>,
}

/// Log of requests. The first failed write is reported, and the emulator continues.
struct Log(Mutex<Option<Box<dyn Write + Send>>>);

impl Log {
    fn open(path: &Path) -> Result<Self, Failure> {
        if path.as_os_str() == "-" {
            return Ok(Self(Mutex::new(Some(Box::new(io::stdout())))));
        }
        let file = OpenOptions::new().create(true).append(true).open(path);
        let file = file.map_err(|error| {
            Failure::file(format_args!("{} cannot be written: {error}", path.display()))
        })?;
        Ok(Self(Mutex::new(Some(Box::new(file)))))
    }

    fn write(&self, line: &str) {
        let mut log = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let written = log.as_mut().map_or(Ok(()), |log| {
            log.write_all(format!("{line}\n").as_bytes()).and_then(|()| log.flush())
        });
        if let Err(error) = written {
            message::note(format_args!("warning: the log cannot be written any more: {error}"));
            *log = None;
        }
    }
}

pub(crate) fn run(settings: &Settings, args: &ServeArgs) -> Result<(), Failure> {
    let mut builder = Emulator::builder().bind(args.bind).seed(args.seed);
    if let Some(rows) = args.rows {
        builder = builder.rows(rows);
    }
    if args.plain {
        builder = builder.plain();
    }
    if args.use_configured_keys {
        let (access_key, secret_key) = settings.keys()?;
        builder = builder.keys(access_key, String::clone(&secret_key));
    }
    for fault in &args.faults {
        let rule: FaultRule = fault
            .parse()
            .map_err(|error| Failure::usage(format_args!("--fault {fault}: {error}")))?;
        builder = builder.fault(rule);
    }
    if let Some(path) = &args.log {
        let log = Log::open(path)?;
        builder = builder.on_request(move |request| log.write(&request.to_json_line()));
    }
    let emulator = builder.start().map_err(|error| Failure::new(Kind::Network, error))?;
    if let (Some(path), Some(pem)) = (&args.ca_out, emulator.ca_pem()) {
        let mut file = output::Target::open(path, Overwrite::Replace)?;
        file.write_all(pem.as_bytes()).map_err(Failure::file)?;
        file.commit()?;
    }
    let ready = Ready {
        endpoint: emulator.endpoint().to_string(),
        access_key: emulator.access_key(),
        secret_key: (!args.use_configured_keys).then(|| emulator.secret_key()),
        pin_sha256: emulator.certificate_sha256(),
    };
    if settings.json {
        output::json(&ready)?;
    } else {
        output::line(format_args!("endpoint    {}", ready.endpoint))?;
        output::line(format_args!("access key  {}", ready.access_key))?;
        match ready.secret_key {
            Some(key) => output::line(format_args!("secret key  {key} (only of this emulator)"))?,
            None => output::line("secret key  the configured one")?,
        }
        if let Some(pin) = &ready.pin_sha256 {
            output::line(format_args!("pin         {pin}"))?;
        }
        if let Some(path) = &args.ca_out {
            output::line(format_args!("CA          {}", path.display()))?;
        }
    }
    message::note(format_args!("ready; Ctrl-C or SIGTERM stops it"));
    interrupt::wait();
    emulator.shutdown();
    Ok(())
}

/// Returns `begin`, every fault by name, and the example.
pub(crate) fn help(begin: &str) -> String {
    let mut text = begin.to_owned();
    text.push_str(
        "A fault applies to every request that it fits; @INTERFACE limits it to one interface, and *N to N requests. If several fit, the first one applies.\nFaults:\n",
    );
    let width = Fault::HELP.iter().map(|fault| fault.form.len()).max().unwrap_or(0);
    for fault in Fault::HELP {
        let _ = writeln!(text, "  {:width$}  {}", fault.form, fault.does);
    }
    text + "\nExample:\n  ccfs serve --bind 127.0.0.1:8443 --ca-out ca.pem --rows 1000 \\\n    --fault busy:2@downloadAgentSkillInfoFile*1 --fault slow --log requests.jsonl"
}
