//! The Python package: builds the wheel, installs it into a virtual environment, and runs its tests and type checks there.

use std::env::consts::EXE_SUFFIX;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use xshell::{Cmd, Shell, cmd};

use crate::workspace::{root, shell, target};

/// What the tests need.
const REQUIREMENTS: &str = "crates/ccfs-python/requirements.txt";
/// What the tests with Spark need besides.
const SPARK_REQUIREMENTS: &str = "crates/ccfs-python/requirements-spark.txt";

pub(crate) fn run() -> Result<()> {
    let sh = shell()?;
    let Some(environment) = environment(&sh, false)? else { return Ok(()) };
    environment.install_wheel("dev")?;
    environment.python("-m pytest").env("CCFS_COMMAND", command(&sh)?).run()?;
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
    let Some(environment) = environment(&sh, true)? else { return Ok(()) };
    environment.install_wheel("dev")?;
    let test = environment.python("-m pytest tests/test_spark.py");
    test.env("CCFS_COMMAND", command(&sh)?).run()?;
    environment.python("-m mypy --strict -p ccfs").run()?;
    Ok(environment.python("-m mypy --strict tests/test_spark.py").run()?)
}

/// The benchmarks, with the optimized wheel: `bench.py`, and with the first argument `scale`, `scale.py`, which also measures Spark
/// if there is Java.
pub(crate) fn bench(arguments: &[&str]) -> Result<()> {
    let sh = shell()?;
    let (program, spark, arguments) = match arguments {
        ["scale", rest @ ..] => ("scale.py", has_java(&sh)?, rest),
        _ => ("bench.py", false, arguments),
    };
    let Some(environment) = environment(&sh, spark)? else { return Ok(()) };
    environment.install_wheel("release")?;
    let program = root().join("xtask/bench/python").join(program);
    let folder = target()?.join("python");
    Ok(environment.python("").arg(program).arg("--folder").arg(folder).args(arguments).run()?)
}

/// The environment of the package's tests, which may include Spark.
fn environment(sh: &Shell, spark: bool) -> Result<Option<Environment>> {
    let requirements = [REQUIREMENTS, SPARK_REQUIREMENTS];
    let (folder, files) = if spark { ("python/spark", 2) } else { ("python", 1) };
    Environment::prepare(sh, &target()?.join(folder), &requirements[..files])
}

/// Builds the command, whose emulator the tests call, and returns its path.
pub(crate) fn command(sh: &Shell) -> Result<PathBuf> {
    cmd!(sh, "cargo build --quiet --package ccfs-cli --locked").run()?;
    Ok(target()?.join("debug").join(format!("ccfs{EXE_SUFFIX}")))
}

/// Whether the Java that Spark would start is installed.
pub(crate) fn has_java(sh: &Shell) -> Result<bool> {
    let home = std::env::var_os("JAVA_HOME").map(|home| Path::new(&home).join("bin/java"));
    let java = home.unwrap_or_else(|| "java".into());
    let is_installed = cmd!(sh, "{java} -version").quiet().output().is_ok();
    if !is_installed {
        skip("spark: Java is not installed")?;
    }
    Ok(is_installed)
}

/// A virtual environment with packages of the package index.
pub(crate) struct Environment {
    sh: Shell,
    folder: PathBuf,
}

impl Environment {
    /// Creates the environment in `folder` with the packages in the files `requirements`, or updates the one of an earlier run.
    /// `None` where Python or the package index is missing, which is printed.
    pub(crate) fn prepare(
        sh: &Shell,
        folder: &Path,
        requirements: &[&str],
    ) -> Result<Option<Self>> {
        let environment = Self { sh: sh.clone(), folder: folder.join("venv") };
        environment.sh.change_dir("crates/ccfs-python");
        let system = if cfg!(windows) { "python" } else { "python3" };
        let folder = &environment.folder;
        let create = cmd!(sh, "{system} -m venv {folder}").run();
        let files =
            requirements.iter().flat_map(|file| ["--requirement".into(), root().join(file)]);
        let install = environment.python("-m pip install --quiet --disable-pip-version-check");
        if let Err(error) = create.and_then(|()| install.args(files).run()) {
            skip(&format!("no Python with these packages: {error}"))?;
            return Ok(None);
        }
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
