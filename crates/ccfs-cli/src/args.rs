//! The command line: every command with its purpose. The arguments of a command are in its module.

use clap::{Parser, Subcommand};

use crate::command::{
    call, convert, demo, doctor, download, inspect, listen, man, pull, query, serve, signature,
};
use crate::help;
use crate::message::MessageArgs;
use crate::settings::SettingsArgs;

/// The version with the commit and the target of the build; see `build.rs`.
const LONG_VERSION: &str =
    concat!(env!("CARGO_PKG_VERSION"), " (", env!("CCFS_COMMIT"), ", ", env!("CCFS_TARGET"), ")");

/// Downloads data from CC-FS, the file server of Huawei's AICC call center: who changed which agent's skills, and when.
///
/// Data goes to stdout, messages go to stderr. Exit codes: 0 success; 1 the server refused or the data is bad; 2 usage; 3 network or TLS;
/// 4 authentication (401, 403); 130 interrupted; 143 ended by SIGTERM.
#[derive(Parser)]
#[command(
    name = "ccfs",
    version,
    long_version = LONG_VERSION,
    max_term_width = 100,
    after_long_help = help::ROOT
)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) settings: SettingsArgs,
    #[command(flatten)]
    pub(crate) messages: MessageArgs,
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run the complete workflow against an emulator on this machine
    ///
    /// Starts the emulator with TLS on loopback, requests a file, receives the signed callback, downloads the file with both backends,
    /// converts it, and prints each step. Needs no network and no settings.
    #[command(after_help = help::DEMO.short(), after_long_help = help::DEMO.long())]
    Demo(demo::DemoArgs),
    /// Download an index file of agent skill changes
    ///
    /// Checks the CRC of every member and writes the ZIP atomically.
    #[command(after_help = help::DOWNLOAD.short(), after_long_help = help::DOWNLOAD.long())]
    Download(download::DownloadArgs),
    /// Request that the server generates an index file
    #[command(after_help = help::QUERY.short(), after_long_help = help::QUERY.long())]
    Query(query::QueryArgs),
    /// Call any interface of CC-FS, by name
    ///
    /// The fields of an interface are flags; `ccfs call INTERFACE --help` lists them.
    #[command(after_help = help::CALL.short(), after_long_help = help::CALL.long())]
    Call(call::CallArgs),
    /// Receive callbacks, verify their signatures, print each as a JSON line
    ///
    /// If the callback URL is https, give the certificate with --tls-cert and --tls-key, or use a proxy that terminates TLS.
    #[command(after_help = help::LISTEN.short(), after_long_help = help::LISTEN.long())]
    Listen(listen::ListenArgs),
    /// Pull the files of a range of days into a folder, or continue an earlier pull
    ///
    /// Splits the range into windows that the server accepts, requests the file of each, waits until it is ready, downloads and checks it.
    /// A journal in the folder records the progress. A pull that was killed at any moment and is run again continues without gaps, and does
    /// not request files again that the server still has. Days that have not ended yet, in the time zone of the call center, are left for a later run.
    ///
    /// Prints the windows that changed in this run, and a summary.
    #[command(after_help = help::PULL.short(), after_long_help = help::PULL.long())]
    Pull(Box<pull::args::PullArgs>),
    /// Convert archives and CSV files to JSON lines, CSV or Parquet
    #[command(after_help = help::CONVERT.short(), after_long_help = help::CONVERT.long())]
    Convert(convert::ConvertArgs),
    /// Report on archives, Parquet files and CSV files: rows, times, operations
    #[command(after_help = help::INSPECT.short(), after_long_help = help::INSPECT.long())]
    Inspect(inspect::InspectArgs),
    /// Diagnose failing calls and suggest fixes
    ///
    /// Resolves the host name, connects, shows the certificates and their pin, makes exactly one signed call (for a file that cannot exist,
    /// which changes nothing), and compares the clocks. Without keys, no signed call is made.
    #[command(after_help = help::DOCTOR.short(), after_long_help = help::DOCTOR.long())]
    Doctor(doctor::DoctorArgs),
    /// Print the Authorization value of a request
    #[command(after_help = help::SIGN.short(), after_long_help = help::SIGN.long())]
    Sign(signature::SignArgs),
    /// Check an Authorization value and show differences
    #[command(after_help = help::VERIFY.short(), after_long_help = help::VERIFY.long())]
    Verify(signature::VerifyArgs),
    /// Run the emulator, for development
    #[command(after_help = serve::help(""), after_long_help = serve::help(help::SERVE_JSON))]
    Serve(serve::ServeArgs),
    /// Print shell completions
    #[command(after_help = help::COMPLETIONS.short(), after_long_help = help::COMPLETIONS.long())]
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
    /// Print the manual page, or write a page for every command
    #[command(after_help = help::MAN.short(), after_long_help = help::MAN.long())]
    Man(man::ManArgs),
}
