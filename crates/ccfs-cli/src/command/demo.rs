//! `ccfs demo`: the complete workflow against an emulator on this machine.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Arguments;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

use ccfs::archive::{AgentSkillChange, AgentSkillChangeRef, Archive, OperateType};
use ccfs::pull::{Format, Zone};
use ccfs::{
    AsyncClient, Callback, Client, Config, DownloadAgentSkillInfoFile, Endpoint, Listener,
    LocalTime, Overwrite, QueryAgentSkillInfoData, Timestamp, Trust,
};
use ccfs_emulator::Emulator;
use clap::Args;

use crate::command::convert;
use crate::failure::{Failure, Kind};
use crate::{backend, output, table};

/// The tenant's UTC offset in the demo: China Standard Time.
const UTC_OFFSET: i32 = 8 * 3600;
/// How long to wait for the callback.
const PATIENCE: Duration = Duration::from_secs(60);
/// Number of records that are printed.
const SHOWN: usize = 5;

#[derive(Args, Debug)]
pub(crate) struct DemoArgs {
    /// Folder for the ZIP and the converted files; created if it is missing
    #[arg(long, value_name = "DIR", default_value = "ccfs-demo")]
    pub(crate) out: PathBuf,
    /// Records that the emulator generates
    #[arg(long, value_name = "N", default_value_t = 1000)]
    pub(crate) rows: u64,
    /// Seed of the emulator's data
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(crate) seed: u64,
}

pub(crate) fn run(args: &DemoArgs) -> Result<(), Failure> {
    output::folder(&args.out)?;
    let mut since = Instant::now();
    // Prints a step with the time since the one before.
    let mut done = |name: &str, text: Arguments<'_>| {
        let millis = since.elapsed().as_secs_f64() * 1000.0;
        since = Instant::now();
        output::line(format_args!("{name:<9} {millis:>7.1} ms  {text}"))
    };

    let emulator =
        Emulator::builder().seed(args.seed).rows(args.rows).utc_offset(UTC_OFFSET).start();
    let emulator = emulator.map_err(|error| Failure::new(Kind::Network, error))?;
    done(
        "emulator",
        format_args!("emulated CC-FS at {}, certificate signed by its own CA", emulator.endpoint()),
    )?;

    let listener = Listener::builder(&emulator.credentials())
        .path("/callback")
        .bind(([127, 0, 0, 1], 0).into());
    let listener = listener.map_err(|error| {
        Failure::new(Kind::Network, format_args!("the callback receiver cannot start: {error}"))
    })?;
    let callback_url = format!("http://{}/callback", listener.address());
    done("receiver", format_args!("waits for callbacks at {callback_url}"))?;

    let trust = Trust::none()
        .add_pem(emulator.ca_pem().unwrap_or_default().as_bytes())
        .map_err(Failure::usage)?;
    let client = Client::with_trust(
        Config::new(emulator.endpoint().clone(), emulator.credentials()),
        &trust,
    );
    let client = client.map_err(Failure::usage)?;
    let (begin, end) = yesterday();
    let job = client.call(QueryAgentSkillInfoData::new(begin, end, &callback_url))?;
    done("query", format_args!("asked for the changes from {begin} to {end}"))?;
    wire(&emulator)?;
    below(format_args!("the job is {}", job.response_id))?;

    let callback = wait_for_callback(&listener)?;
    done(
        "callback",
        format_args!("signature checked, answered first; the file is {}", callback.file_name),
    )?;

    let archive = args.out.join(callback.file_name.as_str());
    let download = DownloadAgentSkillInfoFile::new(callback.file_name.clone());
    let receipt =
        client.download(download.clone()).overwrite(Overwrite::Replace).to_file(&archive)?;
    done(
        "download",
        format_args!(
            "blocking (ureq): {} bytes to {}",
            table::thousands(receipt.bytes),
            archive.display()
        ),
    )?;
    wire(&emulator)?;

    let bytes = download_async(emulator.endpoint().clone(), &emulator, &trust, download)?;
    done(
        "download",
        format_args!("async (reqwest): {} bytes to memory", table::thousands(bytes.len() as u64)),
    )?;
    wire(&emulator)?;
    if fs::read(&archive).map_err(Failure::cannot("read", &archive))? != bytes {
        return Err(Failure::data("the two backends got different bytes"));
    }
    done("compare", format_args!("both backends got the same bytes"))?;

    let jsonl = archive.with_extension("jsonl");
    convert::archive(&archive, Format::Jsonl, None, &jsonl)?;
    done("convert", format_args!("JSON lines: {}", converted(&jsonl)?))?;
    let parquet = archive.with_extension("parquet");
    let zone = Zone::named("Asia/Shanghai").map_err(Failure::data)?;
    convert::archive(&archive, Format::Parquet, Some(zone), &parquet)?;
    done("convert", format_args!("Parquet: {}", converted(&parquet)?))?;

    output::line("")?;
    output::line(Summary::read(&archive)?.render().trim_end())?;
    output::line("\nQuery the Parquet file, with DuckDB for example (pip install duckdb-cli):")?;
    output::line(format_args!(
        r#"  duckdb -c "SELECT operate_type_name, count(*) FROM '{}' GROUP BY 1 ORDER BY 2 DESC""#,
        parquet.display()
    ))
}

/// Returns the size and the path of a converted file.
fn converted(path: &Path) -> Result<String, Failure> {
    let bytes = path.metadata().map_err(Failure::file)?.len();
    Ok(format!("{} bytes to {}", table::thousands(bytes), path.display()))
}

/// Prints the last request that the server received, and its answer, below a step.
fn wire(emulator: &Emulator) -> Result<(), Failure> {
    let log = emulator.received();
    let Some(request) = log.last() else { return Ok(()) };
    let signed = request
        .header("authorization")
        .and_then(|value| value.split('/').nth(3))
        .unwrap_or_default();
    let (method, path, bytes) = (&request.method, &request.path, request.body_len);
    below(format_args!("sent: {method} {path}, {bytes} bytes, signed over {signed}"))?;
    match request.status {
        Some(status) => below(format_args!("received: HTTP {status}, signature accepted")),
        None => Ok(()),
    }
}

fn below(text: Arguments<'_>) -> Result<(), Failure> {
    output::line(format_args!("{:<22}{text}", ""))
}

/// Returns yesterday in the tenant's time zone, from midnight to midnight.
fn yesterday() -> (LocalTime, LocalTime) {
    let now = LocalTime::at_offset(Timestamp::from(SystemTime::now()), UTC_OFFSET);
    let midnight = now.day().midnight();
    (midnight.plus_seconds(-24 * 3600).unwrap_or(midnight), midnight)
}

fn wait_for_callback(listener: &Listener) -> Result<Callback, Failure> {
    match listener.recv_timeout(PATIENCE).map(|event| event.callback) {
        Some(Ok(callback)) => Ok(callback),
        Some(Err(refusal)) => {
            Err(Failure::data(format_args!("the callback was refused: {refusal}")))
        }
        None => Err(Failure::new(
            Kind::Network,
            format_args!("no callback arrived within {} s", PATIENCE.as_secs()),
        )),
    }
}

fn download_async(
    endpoint: Endpoint,
    emulator: &Emulator,
    trust: &Trust,
    download: DownloadAgentSkillInfoFile,
) -> Result<Vec<u8>, Failure> {
    let client = AsyncClient::with_trust(Config::new(endpoint, emulator.credentials()), trust)
        .map_err(Failure::usage)?;
    backend::run(async {
        let mut bytes = Vec::new();
        client.download(download).to_writer(&mut bytes).await?;
        Ok(bytes)
    })
}

/// Contents of the archive.
#[derive(Default)]
struct Summary {
    first: Vec<[String; 5]>,
    rows: u64,
    agents: BTreeSet<i64>,
    by_type: BTreeMap<OperateType, u64>,
}

impl Summary {
    fn read(path: &Path) -> Result<Self, Failure> {
        let mut summary = Self::default();
        let file = File::open(path).map_err(Failure::file)?;
        let mut archive = Archive::open(file).map_err(Failure::data)?;
        let mut changes = archive.records::<AgentSkillChange>();
        while let Some(change) = changes.next_record().map_err(Failure::data)? {
            summary.add(change);
        }
        Ok(summary)
    }

    fn add(&mut self, change: AgentSkillChangeRef<'_>) {
        self.rows += 1;
        self.agents.extend(change.agent_id());
        if let Some(operation) = change.operate_type() {
            *self.by_type.entry(operation).or_default() += 1;
        }
        if self.first.len() < SHOWN {
            let skills: Vec<&str> = change.skill_list().iter().collect();
            self.first.push([
                change.operate_time().map(|time| time.to_string()).unwrap_or_default(),
                change.agent_id().map(|id| id.to_string()).unwrap_or_default(),
                change.operate_id().map(|id| id.to_string()).unwrap_or_default(),
                change.operate_type().map(|operation| operation.to_string()).unwrap_or_default(),
                skills.join(" "),
            ]);
        }
    }

    fn render(&self) -> String {
        let mut rows =
            vec![["when (tenant)", "agent", "changed by", "operation", "skills"].map(String::from)];
        rows.extend(self.first.iter().cloned());
        let mut types: Vec<_> = self.by_type.iter().collect();
        types.sort_by_key(|(_, count)| std::cmp::Reverse(**count));
        let most = types.first().map_or(1, |(_, count)| **count);
        let types: Vec<[String; 3]> = types
            .into_iter()
            .map(|(operation, &count)| {
                [operation.to_string(), table::thousands(count), table::bar(count, most, 30)]
            })
            .collect();
        format!(
            "{}\n{} operations of {} agents, by type:\n{}",
            table::aligned(&rows, &[false, true, true, false, false]),
            table::thousands(self.rows),
            self.agents.len(),
            table::aligned(&types, &[false, true, false]),
        )
    }
}
