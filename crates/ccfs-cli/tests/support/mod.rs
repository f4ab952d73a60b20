//! Runs the command in a temporary folder, without the settings of this machine.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Child, ChildStderr, ChildStdout, Command, Stdio};

use ccfs_emulator::Emulator;
use tempfile::TempDir;

/// One record, without a header row.
pub(crate) const SKILLS_CSV: &str = "1a,dev,acc,1,2,3,2015-02-08 20:23:30,4,1,1;2,sn,1,2015-02-08 20:23:30,0,2015-02-08 12:23:30,2\n";

/// Arguments of `query`, after the command.
pub(crate) const QUERY: [&str; 6] = [
    "--begin",
    "2023-04-05 00:00:00",
    "--end",
    "2023-04-06 00:00:00",
    "--callback",
    "http://127.0.0.1:9/cb",
];

/// The command, its folder and its environment.
pub(crate) struct Ccfs {
    folder: TempDir,
    variables: Vec<(String, String)>,
    /// Beside the folder that is looked at, so that it does not count among the files there.
    _settings: Option<TempDir>,
}

impl Ccfs {
    pub(crate) fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap(), variables: Vec::new(), _settings: None }
    }

    /// With the settings of an emulator.
    pub(crate) fn against(emulator: &Emulator) -> Self {
        let settings = tempfile::tempdir().unwrap();
        let ca = settings.path().join("ca.pem");
        fs::write(&ca, emulator.ca_pem().unwrap()).unwrap();
        let (access_key, secret_key) = keys_of(emulator);
        let ccfs = Self::new()
            .env("CCFS_ENDPOINT", &emulator.endpoint().to_string())
            .env("CCFS_CA", ca.to_str().unwrap())
            .env("CCFS_ACCESS_KEY", &access_key)
            .env("CCFS_SECRET_KEY", &secret_key);
        Self { _settings: Some(settings), ..ccfs }
    }

    /// With the keys and the endpoint of an emulator, and nothing about its certificate.
    pub(crate) fn at(emulator: &Emulator) -> Self {
        let (access_key, secret_key) = keys_of(emulator);
        let endpoint = emulator.endpoint().to_string();
        Self::new()
            .env("CCFS_ENDPOINT", &endpoint)
            .env("CCFS_ACCESS_KEY", &access_key)
            .env("CCFS_SECRET_KEY", &secret_key)
    }

    pub(crate) fn env(mut self, name: &str, value: &str) -> Self {
        self.variables.push((name.into(), value.into()));
        self
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Returns the names of the entries of a folder.
    pub(crate) fn files(&self, folder: &str) -> Vec<String> {
        let entries = fs::read_dir(self.path(folder)).into_iter().flatten().map(Result::unwrap);
        let files = entries.flat_map(|entry| {
            let name = entry.file_name().into_string().unwrap();
            if !entry.file_type().unwrap().is_dir() {
                return vec![name];
            }
            let below = self.files(&format!("{folder}/{name}"));
            below.iter().map(|below| format!("{name}/{below}")).collect()
        });
        files.collect()
    }

    fn command(&self, arguments: &[&str]) -> Command {
        self.program(env!("CARGO_BIN_EXE_ccfs"), arguments)
    }

    /// Another program, which may run the command, in this folder and environment.
    pub(crate) fn program(&self, program: &str, arguments: &[&str]) -> Command {
        let mut command = Command::new(program);
        let of_this_machine =
            |name: &str| name.starts_with("CCFS_") || name.to_ascii_lowercase().ends_with("_proxy");
        for (name, _) in std::env::vars().filter(|(name, _)| of_this_machine(name)) {
            command.env_remove(name);
        }
        command
            .args(arguments)
            .current_dir(self.folder.path())
            .env("XDG_CONFIG_HOME", self.folder.path());
        command.envs(self.variables.iter().cloned());
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Run {
        self.run_with(arguments, b"")
    }

    pub(crate) fn run_with(&self, arguments: &[&str], stdin: &[u8]) -> Run {
        let mut child = self.command(arguments).spawn().unwrap();
        // A command that does not read it may be gone already.
        let _ = child.stdin.take().unwrap().write_all(stdin);
        let output = child.wait_with_output().unwrap();
        Run {
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: without_times(&String::from_utf8(output.stderr).unwrap()),
        }
    }

    pub(crate) fn start(&self, arguments: &[&str]) -> Running {
        let mut child = self.command(arguments).spawn().unwrap();
        let (stdout, stderr) = (child.stdout.take().unwrap(), child.stderr.take().unwrap());
        Running { child, stdout: Some(BufReader::new(stdout)), stderr: BufReader::new(stderr) }
    }
}

/// Messages without the times at the beginning of their lines.
pub(crate) fn without_times(stderr: &str) -> String {
    stderr.split_inclusive('\n').map(|line| time_and_text(line).1).collect()
}

/// Splits `2026-11-27T20:31:01.143Z error: …`; the time is empty if the line has none.
pub(crate) fn time_and_text(line: &str) -> (&str, &str) {
    match line.split_at_checked(25) {
        Some((time, text)) if time[..24].parse::<ccfs::Timestamp>().is_ok() => {
            (time.trim_end(), text)
        }
        _ => ("", line),
    }
}

/// A run that is over.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Run {
    pub(crate) fn ends_with_code(&self, code: i32) {
        assert_eq!(self.code, Some(code), "stdout: {}\nstderr: {}", self.stdout, self.stderr);
    }
}

/// A process in the background; it is killed at the end of the test.
pub(crate) struct Running {
    child: Child,
    stdout: Option<BufReader<ChildStdout>>,
    stderr: BufReader<ChildStderr>,
}

impl Running {
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// The next line of stdout.
    pub(crate) fn line(&mut self) -> String {
        let mut line = String::new();
        self.stdout.as_mut().unwrap().read_line(&mut line).unwrap();
        line.trim_end().to_owned()
    }

    /// The next line of stderr.
    pub(crate) fn error_line(&mut self) -> String {
        let mut line = String::new();
        self.stderr.read_line(&mut line).unwrap();
        without_times(&line).trim_end().to_owned()
    }

    /// Returns whether it has ended on its own.
    pub(crate) fn is_over(&mut self) -> bool {
        self.child.try_wait().unwrap().is_some()
    }

    /// Waits until this is so, while it runs.
    #[track_caller]
    pub(crate) fn until(&mut self, what: &str, mut is_so: impl FnMut() -> bool) {
        ccfs_tests::wait_until(what, || {
            let so = is_so();
            assert!(so || !self.is_over(), "it is over already: {what}");
            so
        });
    }

    /// Waits for its end: the exit code.
    pub(crate) fn wait(&mut self) -> Option<i32> {
        self.child.wait().unwrap().code()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The commands that `ccfs --help` lists.
pub(crate) fn commands(overview: &str) -> Vec<&str> {
    let list = overview
        .lines()
        .skip_while(|line| *line != "Commands:")
        .skip(1)
        .take_while(|line| !line.is_empty());
    let names: Vec<&str> = list
        .filter_map(|line| line.split_whitespace().next())
        .filter(|name| *name != "help")
        .collect();
    assert!(names.len() > 10 && names.contains(&"pull"), "{names:?}");
    names
}

pub(crate) fn keys_of(emulator: &Emulator) -> (String, String) {
    (emulator.access_key().to_owned(), emulator.secret_key().to_owned())
}
