//! The Python package: builds the wheel, installs it into a virtual environment, and runs its tests and type checks there.

use std::env::consts::EXE_SUFFIX;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use xshell::{Cmd, Shell, cmd};

use crate::engines::has_java;
use crate::workspace::{root, shell, target};

/// The oldest Python that the wheel supports.
const OLDEST: &str = "3.10";
/// What the tests need.
const REQUIREMENTS: &str = "crates/ccfs-python/requirements.txt";
/// What the tests with Spark need besides.
const SPARK_REQUIREMENTS: &str = "crates/ccfs-python/requirements-spark.txt";

pub(crate) fn run() -> Result<()> {
    let sh = shell()?;
    let folder = target()?.join("python");
    let prepared = Environment::prepare(&sh, &folder, OLDEST, &[REQUIREMENTS])?;
    let Some(environment) = prepared else { return Ok(()) };
    let command = command(&sh)?;
    environment.install_wheel("dev")?;
    environment.python("-m pytest").env("CCFS_COMMAND", command).run()?;
    // The installed package, as its users check theirs against it.
    environment.python(r"-m mypy --strict --exclude spark\.py$ -p ccfs").run()?;
    environment.python(r"-m mypy --strict --exclude spark\.py$ examples tests").run()?;
    Ok(environment.python("-m mypy.stubtest ccfs._native").run()?)
}

/// The part of the package that needs Spark.
///
/// Separate from the rest, which CI runs on every change, because pyspark is a download of 500 MB, uses 600 MB of disk space,
/// and needs Java, and its tests start a cluster.
pub(crate) fn spark() -> Result<()> {
    let sh = shell()?;
    if !has_java(&sh)? {
        return Ok(());
    }
    let folder = target()?.join("python/spark");
    let requirements = [REQUIREMENTS, SPARK_REQUIREMENTS];
    let prepared = Environment::prepare(&sh, &folder, OLDEST, &requirements)?;
    let Some(environment) = prepared else { return Ok(()) };
    let command = command(&sh)?;
    environment.install_wheel("dev")?;
    environment.python("-m pytest tests/test_spark.py").env("CCFS_COMMAND", command).run()?;
    environment.python("-m mypy --strict -p ccfs").run()?;
    Ok(environment.python("-m mypy --strict tests/test_spark.py").run()?)
}

/// The benchmarks, with the optimized wheel: `bench.py`, and with the first argument `scale`, `scale.py`.
pub(crate) fn bench(arguments: &[&str]) -> Result<()> {
    let sh = shell()?;
    let folder = target()?.join("python");
    let (program, arguments) = match arguments {
        ["scale", rest @ ..] => ("scale.py", rest),
        _ => ("bench.py", arguments),
    };
    let prepared = if program == "scale.py" && has_java(&sh)? {
        let requirements = [REQUIREMENTS, SPARK_REQUIREMENTS];
        Environment::prepare(&sh, &folder.join("spark"), OLDEST, &requirements)?
    } else {
        Environment::prepare(&sh, &folder, OLDEST, &[REQUIREMENTS])?
    };
    let Some(environment) = prepared else { return Ok(()) };
    environment.install_wheel("release")?;
    let program = root().join("xtask/bench/python").join(program);
    Ok(environment.python("").arg(program).arg("--folder").arg(folder).args(arguments).run()?)
}

/// Builds the command, whose emulator the tests call, and returns its path.
pub(crate) fn command(sh: &Shell) -> Result<PathBuf> {
    cmd!(sh, "cargo build --quiet --package ccfs-cli --locked").run()?;
    Ok(target()?.join("debug").join(format!("ccfs{EXE_SUFFIX}")))
}

/// A virtual environment with packages of the package index.
pub(crate) struct Environment {
    sh: Shell,
    folder: PathBuf,
}

impl Environment {
    /// Creates the environment in `folder` with the packages in the files `requirements`, or reuses the one of an earlier run.
    /// `None` where Python or the package index is missing, which is printed.
    pub(crate) fn prepare(
        sh: &Shell,
        folder: &Path,
        oldest: &str,
        requirements: &[&str],
    ) -> Result<Option<Self>> {
        let environment = Self { sh: sh.clone(), folder: folder.join("venv") };
        environment.sh.change_dir("crates/ccfs-python");
        let wanted =
            requirements.iter().map(|file| sh.read_file(file)).collect::<Result<String, _>>()?;
        let stamp = folder.join("requirements.txt");
        if sh.read_file(&stamp).is_ok_and(|installed| installed == wanted) {
            return Ok(Some(environment));
        }
        let system = if cfg!(windows) { "python" } else { "python3" };
        let version = oldest.replace('.', ", ");
        let probe =
            format!("import ensurepip, sys, venv; sys.exit(sys.version_info < ({version}))");
        if cmd!(sh, "{system} -c {probe}").quiet().run().is_err() {
            skip(&format!("Python {oldest} or newer with venv is not installed"))?;
            return Ok(None);
        }
        sh.remove_path(&environment.folder)?;
        let folder = &environment.folder;
        cmd!(sh, "{system} -m venv {folder}").run()?;
        let files =
            requirements.iter().flat_map(|file| ["--requirement".into(), root().join(file)]);
        let install = environment.python("-m pip install --quiet --disable-pip-version-check");
        if let Err(error) = install.args(files).run() {
            skip(&format!("the Python packages could not be installed: {error}"))?;
            return Ok(None);
        }
        sh.write_file(&stamp, wanted)?;
        Ok(Some(environment))
    }

    /// Builds the wheel with a profile of cargo, and installs it.
    fn install_wheel(&self, profile: &str) -> Result<()> {
        let sh = &self.sh;
        let wheels = self.folder.with_file_name("wheels");
        sh.remove_path(&wheels)?;
        let (maturin, python) = (self.program("maturin"), self.program("python"));
        let build = cmd!(sh, "{maturin} build --quiet --locked --profile {profile}");
        build.arg("--interpreter").arg(python).arg("--out").arg(&wheels).run()?;
        let wheel = sh.read_dir(&wheels)?.pop().context("maturin built no wheel")?;
        let install = self.python("-m pip install --quiet --force-reinstall --no-deps");
        Ok(install.arg(wheel).run()?)
    }

    /// A command of the environment's Python, in the folder of the package, with arguments between blanks.
    pub(crate) fn python(&self, arguments: &str) -> Cmd<'_> {
        self.sh.cmd(self.program("python")).args(arguments.split_whitespace())
    }

    fn program(&self, name: &str) -> PathBuf {
        let folder = if cfg!(windows) { "Scripts" } else { "bin" };
        self.folder.join(folder).join(format!("{name}{EXE_SUFFIX}"))
    }
}

/// Prints what is not checked and why. It is an error if `CCFS_TESTS_NEED_TOOLS` is set.
pub(crate) fn skip(reason: &str) -> Result<()> {
    if std::env::var_os("CCFS_TESTS_NEED_TOOLS").is_some() {
        bail!("{reason}");
    }
    println!("skipped: {reason}");
    Ok(())
}
