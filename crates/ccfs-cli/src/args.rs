//! The command line.

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::path::PathBuf;

use crate::command::call::CallArgs;
use ccfs::archive::{ExportFormat, FileKind};
use ccfs_emulator::Fault;
use clap::{Args, Parser, Subcommand, ValueEnum};

/// Gets data out of the file server (CC-FS) of Huawei's AICC call center: who changed which agent's skills, and when.
///
/// Data goes to stdout, talk to stderr. Exit codes: 0 done; 1 the server said no, or the data is bad; 2 usage; 3 network or TLS;
/// 4 authentication (401, 403); 130 interrupted.
#[derive(Debug, Parser)]
#[command(name = "ccfs", version, max_term_width = 100)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) settings: SettingsArgs,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// Settings that most commands need. A flag goes before the environment, which goes before the configuration file.
#[derive(Args, Debug, Default)]
#[command(next_help_heading = "Settings")]
pub(crate) struct SettingsArgs {
    /// Configuration file [default: `$XDG_CONFIG_HOME/ccfs/config.toml`, where it is there]
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Base URL of the CC-FS, https://ip:port; a path prefix is allowed
    #[arg(long, global = true, value_name = "URL", env = "CCFS_ENDPOINT")]
    pub(crate) endpoint: Option<String>,
    /// Access key (appId) of the developer account
    #[arg(long, global = true, value_name = "KEY", env = "CCFS_ACCESS_KEY")]
    pub(crate) access_key: Option<String>,
    /// File that holds the secret key, - for stdin; or set `CCFS_SECRET_KEY`
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) secret_key_file: Option<PathBuf>,
    /// PEM file of roots that are trusted beside the system's
    #[arg(long, global = true, value_name = "FILE", env = "CCFS_CA")]
    pub(crate) ca: Option<PathBuf>,
    /// Accept exactly the certificate with this SHA-256, whatever its names; several around a renewal, with commas
    #[arg(long, global = true, value_name = "HEX", env = "CCFS_PIN_SHA256")]
    pub(crate) pin_sha256: Option<String>,
    /// PEM file of the certificate to show to servers that ask for one
    #[arg(long, global = true, value_name = "FILE", env = "CCFS_CLIENT_CERT")]
    pub(crate) client_cert: Option<PathBuf>,
    /// PEM file of that certificate's key, without a password
    #[arg(long, global = true, value_name = "FILE", env = "CCFS_CLIENT_KEY")]
    pub(crate) client_key: Option<PathBuf>,
    /// The tenant's time zone, such as Asia/Shanghai
    #[arg(long, global = true, value_name = "ZONE", env = "CCFS_TZ")]
    pub(crate) tz: Option<String>,
    /// What the signature has for an absent query: no line, or an empty one [default: omit]
    #[arg(long, global = true, value_name = "DIALECT", env = "CCFS_QUERY_LINE")]
    pub(crate) query_line: Option<QueryLineArg>,
    /// Which HTTP client does the calls [default: blocking]
    #[arg(long, global = true, value_name = "KIND", env = "CCFS_BACKEND")]
    pub(crate) backend: Option<Backend>,
    /// Print answers and errors as JSON
    #[arg(long, global = true)]
    pub(crate) json: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum QueryLineArg {
    Omit,
    Empty,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Backend {
    #[default]
    Blocking,
    Async,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Show the whole job against an emulator on this machine
    ///
    /// Starts the emulator over TLS on loopback, asks it to generate a file, takes its signed callback, downloads with both backends,
    /// converts, and shows what happened. Needs no network and no settings.
    #[command(after_help = "Example:\n  ccfs demo --out demo-files")]
    Demo(DemoArgs),
    /// Download an index file of agent skill changes
    ///
    /// The ZIP is checked (every member's CRC) and is there whole or not at all.
    #[command(after_help = "Example:\n  ccfs download 20230406_9239cb50a8384bb0ab503441bf089446.zip -o skills/")]
    Download(DownloadArgs),
    /// Ask the server to generate an index file
    #[command(
        after_help = "Example:\n  ccfs query --begin '2023-04-05 00:00:00' --end '2023-04-06 00:00:00' \\\n    --callback http://10.9.8.7:9080/callback"
    )]
    Query(QueryArgs),
    /// Call any interface of CC-FS, by name
    ///
    /// Each interface has its fields as flags; `ccfs call INTERFACE --help` tells them.
    #[command(after_help = "Example:\n  ccfs call downloadRecord --callId 1577-0001 -o call.wav")]
    Call(CallArgs),
    /// Receive callbacks, check their signatures, print one JSON line each
    ///
    /// Speaks plain HTTP; put a TLS end before it where the callback URL is https.
    #[command(after_help = "Example:\n  ccfs listen --bind 0.0.0.0:9080 --once")]
    Listen(ListenArgs),
    /// Pull the files of a range of days into a folder; go on where an earlier run stopped
    ///
    /// Cuts the range into windows that the server takes, asks for each, waits for its file, downloads and checks it. A journal in the folder
    /// says what is done: killed at any moment and started again, the pull goes on, loses nothing, and asks for nothing that the server
    /// still has. Days that are not over yet on the tenant's clock are left for a later run.
    #[command(
        after_help = "Example:\n  ccfs pull --from 2023-04-01 --to 2023-04-30 --tz Asia/Shanghai --out skills\n  ccfs pull --from 2021-01-01 --to 2022-12-31 --out skills --convert jsonl --in-flight 8 \\\n    --wait callback --bind 0.0.0.0:9080 --callback http://10.9.8.7:9080/callback"
    )]
    Pull(PullArgs),
    /// Turn an archive or a CSV into JSON lines or clean CSV
    #[command(after_help = "Example:\n  ccfs convert skills.zip --to jsonl -o skills.jsonl\n  ccfs convert - --to csv < skills.zip")]
    Convert(ConvertArgs),
    /// Look into an archive: members, rows, times, what happened how often
    #[command(after_help = "Example:\n  ccfs inspect skills.zip")]
    Inspect(InspectArgs),
    /// Find out why the server does not answer as it should, and what to do
    ///
    /// Looks up the name, connects, shows the certificates and their pin, makes exactly one signed call (for a file that cannot exist, which
    /// changes nothing), and compares the clocks. Without keys nothing is signed.
    #[command(after_help = "Example:\n  ccfs doctor --endpoint https://10.1.2.3:8443")]
    Doctor(DoctorArgs),
    /// Print the Authorization value of a request
    #[command(
        after_help = "Example:\n  ccfs sign --method POST --path /CCFS/resource/ccfs/queryAgentSkillInfoData \\\n    --header 'host: 10.1.2.3:8443' --timestamp 2021-08-31T09:38:50.872Z --body-file body.json"
    )]
    Sign(SignArgs),
    /// Check an Authorization value; say which step differs
    #[command(
        after_help = "Example:\n  ccfs verify --authorization \"$VALUE\" --method POST --path /callback \\\n    --header 'host: 10.9.8.7' --body-file callback.json"
    )]
    Verify(VerifyArgs),
    /// Run the emulator, for developing against
    #[command(after_help = serve_help())]
    Serve(ServeArgs),
    /// Print shell completions
    #[command(after_help = "Example:\n  ccfs completions bash > /etc/bash_completion.d/ccfs")]
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
    /// Print the manual page, or write a page for every command
    #[command(after_help = "Example:\n  ccfs man --out ~/.local/share/man/man1")]
    Man(ManArgs),
}

#[derive(Args, Debug)]
pub(crate) struct ManArgs {
    /// Folder for the pages, ccfs.1 and one for each command; made where it is not there
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
}

#[derive(Args, Debug)]
pub(crate) struct DemoArgs {
    /// Folder for the ZIP and the JSON lines; made where it is not there
    #[arg(long, value_name = "DIR", default_value = "ccfs-demo")]
    pub(crate) out: PathBuf,
    /// Records that the emulator generates
    #[arg(long, default_value_t = 1000)]
    pub(crate) rows: u64,
    /// Seed of the emulator's data
    #[arg(long, default_value_t = 1)]
    pub(crate) seed: u64,
}

#[derive(Args, Debug)]
pub(crate) struct DownloadArgs {
    /// Name of the file: yyyyMMdd_{responseId}.zip
    pub(crate) name: String,
    /// File to write, or folder to write it into
    #[arg(short, long, value_name = "FILE|DIR", default_value = ".")]
    pub(crate) output: PathBuf,
    /// Replace the file where it is there already
    #[arg(long)]
    pub(crate) force: bool,
    /// Take every name that the server's own rule takes
    #[arg(long)]
    pub(crate) lenient: bool,
}

#[derive(Args, Debug)]
pub(crate) struct QueryArgs {
    /// Begin, "yyyy-MM-dd HH:mm:ss" on the tenant's clock
    #[arg(long, value_name = "TIME")]
    pub(crate) begin: String,
    /// End, at most three days later
    #[arg(long, value_name = "TIME")]
    pub(crate) end: String,
    /// URL that the server calls when the file is there
    #[arg(long, value_name = "URL")]
    pub(crate) callback: String,
    /// Only this tenant space
    #[arg(long, value_name = "ID")]
    pub(crate) account: Option<String>,
    /// Only this agent
    #[arg(long, value_name = "ID")]
    pub(crate) agent: Option<String>,
}

#[derive(Args, Debug)]
pub(crate) struct ListenArgs {
    /// Address to listen on
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:9080")]
    pub(crate) bind: SocketAddr,
    /// Stop after the first valid callback
    #[arg(long)]
    pub(crate) once: bool,
}

#[derive(Args, Debug)]
pub(crate) struct PullArgs {
    /// First day, yyyy-MM-dd on the tenant's clock
    #[arg(long, value_name = "DATE")]
    pub(crate) from: String,
    /// Last day
    #[arg(long, value_name = "DATE")]
    pub(crate) to: String,
    /// Folder for the files and the journal; made where it is not there
    #[arg(long, value_name = "DIR")]
    pub(crate) out: PathBuf,
    /// How to learn that a file is there: ask for it, or wait for the server's callback
    #[arg(long, value_enum, default_value_t = Wait::Poll)]
    pub(crate) wait: Wait,
    /// Address to receive callbacks at
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:9080")]
    pub(crate) bind: SocketAddr,
    /// URL that the server calls when a file is there; must lead to --bind [with --wait poll: one that leads nowhere]
    #[arg(long, value_name = "URL", required_if_eq("wait", "callback"))]
    pub(crate) callback: Option<String>,
    /// Convert each window's records into a file beside its ZIP (--to is the last day here)
    #[arg(long, value_enum, value_name = "FORMAT")]
    pub(crate) convert: Option<Target>,
    /// Remove each ZIP once its records are converted
    #[arg(long, requires = "convert")]
    pub(crate) no_zip: bool,
    /// What to do about a row that cannot be read when converting
    #[arg(long, value_enum, default_value_t = BadRow::Stop)]
    pub(crate) on_bad_row: BadRow,
    /// Which of the four files
    #[arg(long, value_enum, default_value_t = KindArg::AgentSkillInfo)]
    pub(crate) kind: KindArg,
    /// Only this tenant space
    #[arg(long, value_name = "ID")]
    pub(crate) account: Option<String>,
    /// Windows under way at once
    #[arg(long, value_name = "N", default_value_t = 4, value_parser = clap::value_parser!(u8).range(1..=64))]
    pub(crate) in_flight: u8,
    /// Days in a window; no more than the server takes
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u8).range(1..=31))]
    pub(crate) window_days: u8,
}

/// How to learn that a file is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Wait {
    /// Ask for the name that it will have, until it is there
    Poll,
    /// Wait for the server's callback, and ask for the name only when none comes
    Callback,
}

#[derive(Args, Debug)]
pub(crate) struct DoctorArgs {
    /// After a 401, make a second call in the other query line dialect; when that is not the cause, it is one more bad signature,
    /// and those lock the address
    #[arg(long)]
    pub(crate) try_dialects: bool,
}

#[derive(Args, Debug)]
pub(crate) struct ConvertArgs {
    /// Archive, CSV file, or - for either on stdin
    pub(crate) input: PathBuf,
    /// What to make of it
    #[arg(long, value_enum, default_value_t = Target::Jsonl)]
    pub(crate) to: Target,
    /// File to write [default: stdout]
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
    /// Replace the file where it is there already
    #[arg(long)]
    pub(crate) force: bool,
    /// Which of the four files it is, where its name does not tell; or which one of an archive's is wanted
    #[arg(long, value_enum)]
    pub(crate) kind: Option<KindArg>,
    /// What to do about a row that cannot be read
    #[arg(long, value_enum, default_value_t = BadRow::Stop)]
    pub(crate) on_bad_row: BadRow,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Target {
    Jsonl,
    Csv,
}

impl From<Target> for ExportFormat {
    fn from(target: Target) -> Self {
        match target {
            Target::Jsonl => Self::Jsonl,
            Target::Csv => Self::Csv,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum BadRow {
    /// Stop with its position
    Stop,
    /// Leave it out, count it, and report it on stderr
    Skip,
}

/// The four files, by the words in their names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum KindArg {
    #[value(name = "agentSkillInfo")]
    AgentSkillInfo,
    #[value(name = "agentOprInfo")]
    AgentOprInfo,
    #[value(name = "record")]
    Record,
    #[value(name = "call")]
    Call,
}

impl From<KindArg> for FileKind {
    fn from(kind: KindArg) -> Self {
        match kind {
            KindArg::AgentSkillInfo => Self::AgentSkillInfo,
            KindArg::AgentOprInfo => Self::AgentOprInfo,
            KindArg::Record => Self::Record,
            KindArg::Call => Self::Call,
        }
    }
}

#[derive(Args, Debug)]
pub(crate) struct InspectArgs {
    /// Archive
    pub(crate) input: PathBuf,
}

#[derive(Args, Debug)]
pub(crate) struct RequestArgs {
    /// Method
    #[arg(long, default_value = "POST")]
    pub(crate) method: String,
    /// Path as sent, without the query
    #[arg(long)]
    pub(crate) path: String,
    /// Query parameter as raw text, split at the first =
    #[arg(long = "query", value_name = "K=V")]
    pub(crate) query: Vec<String>,
    /// Header that is signed
    #[arg(long = "header", value_name = "NAME: VALUE", required = true)]
    pub(crate) headers: Vec<String>,
    /// File that holds the body, - for stdin
    #[arg(long, value_name = "FILE")]
    pub(crate) body_file: Option<PathBuf>,
}

#[derive(Args, Debug)]
pub(crate) struct SignArgs {
    #[command(flatten)]
    pub(crate) request: RequestArgs,
    /// Time of the signature in UTC [default: now]
    #[arg(long, value_name = "TIME")]
    pub(crate) timestamp: Option<String>,
    /// Print prefix, canonical request and signature step by step
    #[arg(long)]
    pub(crate) explain: bool,
}

#[derive(Args, Debug)]
pub(crate) struct VerifyArgs {
    #[command(flatten)]
    pub(crate) request: RequestArgs,
    /// The header's value
    #[arg(long, value_name = "VALUE")]
    pub(crate) authorization: String,
    /// Time against which the signature's age is checked [default: its age does not count]
    #[arg(long, value_name = "TIME")]
    pub(crate) timestamp: Option<String>,
}

#[derive(Args, Debug)]
pub(crate) struct ServeArgs {
    /// Address to listen on
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:0")]
    pub(crate) bind: SocketAddr,
    /// Speak plain HTTP instead of TLS
    #[arg(long)]
    pub(crate) plain: bool,
    /// Seed of the data, and of the keys where none are set
    #[arg(long, default_value_t = 1)]
    pub(crate) seed: u64,
    /// Records in each file
    #[arg(long, default_value_t = 1000)]
    pub(crate) rows: u64,
    /// Where to write the CA as PEM
    #[arg(long, value_name = "FILE", conflicts_with = "plain")]
    pub(crate) ca_out: Option<PathBuf>,
    /// Fault to inject: `FAULT[:ARG][@INTERFACE][*N]`, see below; may be repeated
    #[arg(long = "fault", value_name = "FAULT")]
    pub(crate) faults: Vec<String>,
    /// Where to write a JSON line for each request: a file, which is appended to, or - for stdout
    #[arg(long, value_name = "FILE")]
    pub(crate) log: Option<PathBuf>,
}

/// The example, and every fault by name.
fn serve_help() -> String {
    let mut text = String::from(
        "A fault strikes every request that it fits, or those to @INTERFACE only, and *N times; the first of several rules that fits strikes.\nFaults:\n",
    );
    let width = Fault::HELP.iter().map(|fault| fault.form().len()).max().unwrap_or(0);
    for fault in Fault::HELP {
        let _ = writeln!(text, "  {:width$}  {}", fault.form(), fault.does);
    }
    text + "\nExample:\n  ccfs serve --bind 127.0.0.1:8443 --ca-out ca.pem --rows 1000 \\\n    --fault busy:2@downloadAgentSkillInfoFile*1 --fault slow --log requests.jsonl"
}
