//! The Python package: builds the wheel, installs it into a virtual environment, and runs its tests and type checks there.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::engines::has_java;
use crate::workspace::{cargo, done, metadata, output, read, root, text};

/// The oldest Python that the wheel supports.
const OLDEST: (u32, u32) = (3, 10);
/// What the tests need, in the package's folder.
const REQUIREMENTS: &str = "requirements.txt";
/// What the tests with Spark need besides.
const SPARK_REQUIREMENTS: &str = "requirements-spark.txt";

pub(crate) fn run() -> Result<(), String> {
    let target = PathBuf::from(text(&metadata()?["target_directory"]));
    let Some(environment) = Environment::prepare(&target.join("python"), &[REQUIREMENTS])? else {
        return Ok(());
    };
    environment.install_wheel(false)?;
    done(environment.python(&["-m", "pytest"]).env("CCFS_COMMAND", emulator(&target)?))?;
    // The installed package, as its users check theirs against it.
    let mypy = ["-m", "mypy", "--strict", "--exclude", r"spark\.py$"];
    done(environment.python(&mypy).args(["-p", "ccfs"]))?;
    done(environment.python(&mypy).args(["examples", "tests"]))?;
    done(&mut environment.python(&["-m", "mypy.stubtest", "ccfs._native"]))?;
    println!("the Python package is built, tested and type-checked");
    Ok(())
}

/// The part of the package that needs Spark.
///
/// Separate from the rest, which CI runs on every change, because pyspark is a download of 500 MB, uses 600 MB of disk space,
/// and needs Java, and its tests start a cluster.
pub(crate) fn spark() -> Result<(), String> {
    if !has_java()? {
        return Ok(());
    }
    let target = PathBuf::from(text(&metadata()?["target_directory"]));
    let requirements = [REQUIREMENTS, SPARK_REQUIREMENTS];
    let folder = target.join("python/spark");
    let Some(environment) = Environment::prepare(&folder, &requirements)? else { return Ok(()) };
    environment.install_wheel(false)?;
    let mut tests = environment.python(&["-m", "pytest", "tests/test_spark.py"]);
    done(tests.env("CCFS_COMMAND", emulator(&target)?))?;
    done(&mut environment.python(&["-m", "mypy", "--strict", "-p", "ccfs"]))?;
    done(&mut environment.python(&["-m", "mypy", "--strict", "tests/test_spark.py"]))?;
    println!("the data source of Spark is tested and type-checked");
    Ok(())
}

/// Builds the command, whose emulator the tests call, and returns its path.
fn emulator(target: &Path) -> Result<PathBuf, String> {
    cargo(&["build", "--quiet", "--package", "ccfs-cli", "--locked"])?;
    Ok(target.join("debug").join(format!("ccfs{}", std::env::consts::EXE_SUFFIX)))
}

/// The benchmarks, with the optimized wheel: `bench.py`, and with the first argument `scale`, `scale.py`.
pub(crate) fn bench(arguments: &[&str]) -> Result<(), String> {
    let folder = PathBuf::from(text(&metadata()?["target_directory"])).join("python");
    let (program, arguments) = match arguments {
        ["scale", rest @ ..] => ("scale.py", rest),
        _ => ("bench.py", arguments),
    };
    let prepared = if program == "scale.py" && has_java()? {
        Environment::prepare(&folder.join("spark"), &[REQUIREMENTS, SPARK_REQUIREMENTS])?
    } else {
        Environment::prepare(&folder, &[REQUIREMENTS])?
    };
    let Some(environment) = prepared else { return Ok(()) };
    environment.install_wheel(true)?;
    let program = root().join("xtask/bench/python").join(program);
    let mut bench = environment.python(&[]);
    done(bench.arg(program).arg("--folder").arg(folder).args(arguments))
}

/// A virtual environment with packages of the package index.
struct Environment {
    folder: PathBuf,
}

impl Environment {
    /// Creates the environment in `folder` with the packages in the files `requirements`, or reuses the one of an earlier run.
    /// `None` where Python or the package index is missing, which is printed.
    fn prepare(folder: &Path, requirements: &[&str]) -> Result<Option<Self>, String> {
        let environment = Self { folder: folder.join("venv") };
        let wanted = requirements
            .iter()
            .map(|name| read(&package().join(name)))
            .collect::<Result<String, _>>()?;
        let stamp = folder.join("requirements.txt");
        if stamp.is_file() && read(&stamp)? == wanted {
            return Ok(Some(environment));
        }
        let Some(python) = interpreter() else {
            println!(
                "the Python package is not tested: Python {}.{} or newer is not installed",
                OLDEST.0, OLDEST.1
            );
            return Ok(None);
        };
        let _ = fs::remove_dir_all(&environment.folder);
        output(Command::new(python).args(["-m", "venv"]).arg(&environment.folder))?;
        let mut install = environment.python(&["-m", "pip", "install", "--quiet"]);
        install.args(requirements.iter().flat_map(|name| ["--requirement", name]));
        if let Err(error) = output(&mut install) {
            println!("the Python package is not tested: {error}");
            return Ok(None);
        }
        fs::write(&stamp, wanted).map_err(|error| format!("{}: {error}", stamp.display()))?;
        Ok(Some(environment))
    }

    /// Builds the wheel, optimized for benchmarks, and installs it.
    fn install_wheel(&self, optimized: bool) -> Result<(), String> {
        let wheels = self.folder.with_file_name("wheels");
        let _ = fs::remove_dir_all(&wheels);
        let python = self.program("python");
        let mut build = Command::new(self.program("maturin"));
        build.args(["build", "--quiet", "--locked", "--interpreter"]).arg(python);
        build.args(if optimized { &["--release"][..] } else { &[] });
        done(build.arg("--out").arg(&wheels).current_dir(package()))?;
        let wheel = fs::read_dir(&wheels)
            .ok()
            .and_then(|mut found| found.next())
            .and_then(Result::ok)
            .ok_or("maturin built no wheel")?;
        let install = ["-m", "pip", "install", "--quiet", "--force-reinstall", "--no-deps"];
        output(self.python(&install).arg(wheel.path())).map(drop)
    }

    /// A command of the environment's Python, in the package's folder.
    fn python(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(self.program("python"));
        command.args(arguments).current_dir(package());
        command
    }

    fn program(&self, name: &str) -> PathBuf {
        let folder = if cfg!(windows) { "Scripts" } else { "bin" };
        self.folder.join(folder).join(format!("{name}{}", std::env::consts::EXE_SUFFIX))
    }
}

fn package() -> PathBuf {
    root().join("crates/ccfs-python")
}

/// Returns a Python that is new enough.
fn interpreter() -> Option<&'static str> {
    let asks = "import sys, venv, ensurepip; print(*sys.version_info[:2])";
    ["python3", "python"].into_iter().find(|name| {
        let version = output(Command::new(name).args(["-c", asks])).unwrap_or_default();
        parse(&version).is_some_and(|version| version >= OLDEST)
    })
}

fn parse(version: &str) -> Option<(u32, u32)> {
    let (major, minor) = version.trim().split_once(' ')?;
    Some((major.parse().ok()?, minor.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_compared_as_numbers() {
        assert!(parse("3 9\n") < Some(OLDEST));
        assert!(parse("3 10\n") >= Some(OLDEST));
        assert_eq!(parse(""), None);
    }
}
