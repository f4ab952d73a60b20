//! The command line: every command with its purpose. The arguments of a command are in its module.

use clap::{Parser, Subcommand};

use crate::command;
use crate::command::call::CallArgs;
use crate::command::convert::ConvertArgs;
use crate::command::demo::DemoArgs;
use crate::command::doctor::DoctorArgs;
use crate::command::download::DownloadArgs;
use crate::command::inspect::InspectArgs;
use crate::command::listen::ListenArgs;
use crate::command::man::ManArgs;
use crate::command::pull::PullArgs;
use crate::command::query::QueryArgs;
use crate::command::serve::ServeArgs;
use crate::command::signature::{SignArgs, VerifyArgs};
use crate::message::MessageArgs;
use crate::settings::SettingsArgs;

/// Downloads data from CC-FS, the file server of Huawei's AICC call center: who changed which agent's skills, and when.
///
/// Data goes to stdout, messages go to stderr. Exit codes: 0 success; 1 the server refused or the data is bad; 2 usage; 3 network or TLS;
/// 4 authentication (401, 403); 130 interrupted; 143 ended by SIGTERM.
#[derive(Debug, Parser)]
#[command(name = "ccfs", version, max_term_width = 100)]
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
    #[command(after_help = "Example:\n  ccfs demo --out demo-files")]
    Demo(DemoArgs),
    /// Download an index file of agent skill changes
    ///
    /// Checks the CRC of every member and writes the ZIP atomically.
    #[command(
        after_help = "Example:\n  ccfs download 20230406_9239cb50a8384bb0ab503441bf089446.zip -o skills/"
    )]
    Download(DownloadArgs),
    /// Request that the server generates an index file
    #[command(
        after_help = "Example:\n  ccfs query --begin '2023-04-05 00:00:00' --end '2023-04-06 00:00:00' \\\n    --callback http://10.9.8.7:9080/callback"
    )]
    Query(QueryArgs),
    /// Call any interface of CC-FS, by name
    ///
    /// The fields of an interface are flags; `ccfs call INTERFACE --help` lists them.
    #[command(after_help = "Example:\n  ccfs call downloadRecord --callId 1577-0001 -o call.wav")]
    Call(CallArgs),
    /// Receive callbacks, verify their signatures, print each as a JSON line
    ///
    /// If the callback URL is https, give the certificate with --tls-cert and --tls-key, or use a proxy that terminates TLS.
    #[command(
        after_help = "Example:\n  ccfs listen --bind 0.0.0.0:9080 --once\n  ccfs listen --bind 0.0.0.0:9443 --path /callback --tls-cert cert.pem --tls-key key.pem"
    )]
    Listen(ListenArgs),
    /// Pull the files of a range of days into a folder, or continue an earlier pull
    ///
    /// Splits the range into windows that the server accepts, requests the file of each, waits until it is ready, downloads and checks it.
    /// A journal in the folder records the progress. A pull that was killed at any moment and is run again continues without gaps, and does
    /// not request files again that the server still has. Days that have not ended yet, in the time zone of the call center, are left for a later run.
    ///
    /// Prints the windows that changed in this run, and a summary.
    #[command(
        after_help = command::pull::HELP, after_long_help = command::pull::LONG_HELP
    )]
    Pull(PullArgs),
    /// Convert archives and CSV files to JSON lines, CSV or Parquet
    #[command(
        after_help = "Example:\n  ccfs convert skills.zip --to jsonl -o skills.jsonl\n  ccfs convert folder --to csv --names --rejects bad.csv -o skills.csv\n  ccfs convert - --to csv < skills.zip\n  ccfs convert folder --to parquet --tz Asia/Shanghai -o skills.parquet"
    )]
    Convert(ConvertArgs),
    /// Report on archives, Parquet files and CSV files: rows, times, operations
    #[command(
        after_help = command::inspect::HELP, after_long_help = command::inspect::LONG_HELP
    )]
    Inspect(InspectArgs),
    /// Diagnose failing calls and suggest fixes
    ///
    /// Resolves the host name, connects, shows the certificates and their pin, makes exactly one signed call (for a file that cannot exist,
    /// which changes nothing), and compares the clocks. Without keys, no signed call is made.
    #[command(after_help = "Example:\n  ccfs doctor --endpoint https://10.1.2.3:8443")]
    Doctor(DoctorArgs),
    /// Print the Authorization value of a request
    #[command(
        after_help = "Example:\n  ccfs sign --method POST --path /CCFS/resource/ccfs/queryAgentSkillInfoData \\\n    --header 'host: 10.1.2.3:8443' --timestamp 2021-08-31T09:38:50.872Z --body-file body.json"
    )]
    Sign(SignArgs),
    /// Check an Authorization value and show differences
    #[command(
        after_help = "Example:\n  ccfs verify --authorization \"$VALUE\" --method POST --path /callback \\\n    --header 'host: 10.9.8.7' --body-file callback.json"
    )]
    Verify(VerifyArgs),
    /// Run the emulator, for development
    #[command(after_help = command::serve::help())]
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
