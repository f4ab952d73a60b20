//! `cargo xtask dist`: archives, a Debian package and a container image of the command, with SHA-256 sums.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::workspace::{done, members, metadata, output, root, text, without_cargo_variables};

/// Targets, each with the argument of `cargo zigbuild --target`.
const TARGETS: &[(&str, &str)] = &[
    ("x86_64-unknown-linux-gnu", "x86_64-unknown-linux-gnu.2.17"),
    ("x86_64-unknown-linux-musl", "x86_64-unknown-linux-musl"),
];
/// The newest glibc that the dynamic binary may need.
const GLIBC: (u32, u32) = (2, 17);
/// The target whose binary is static, for the image.
const STATIC: &str = "x86_64-unknown-linux-musl";

/// The files of the distribution.
struct Dist {
    folder: PathBuf,
    target: PathBuf,
    version: String,
    made: Vec<PathBuf>,
}

pub(crate) fn run() -> Result<(), String> {
    let metadata = metadata()?;
    let target = PathBuf::from(text(&metadata["target_directory"]));
    let version = members(&metadata)
        .iter()
        .find(|member| member.name == "ccfs-cli")
        .map(|member| text(&member.json["version"]).to_owned())
        .ok_or("the workspace has no ccfs-cli")?;
    let folder = target.join("dist");
    let _ = fs::remove_dir_all(&folder);
    create(&folder)?;
    let mut dist = Dist { folder, target, version, made: Vec::new() };
    if !works(&["cargo", "zigbuild", "--help"]) {
        return Err(String::from(
            "cargo-zigbuild is not installed; pip install cargo-zigbuild ziglang, in an environment that is in PATH",
        ));
    }
    for (target, argument) in TARGETS {
        let library = ["--print", "target-libdir", "--target", target];
        if !Path::new(output(Command::new("rustc").args(library))?.trim()).exists() {
            println!("{target} is not built: run rustup target add {target}");
            continue;
        }
        dist.build(target, argument)?;
    }
    dist.debian()?;
    dist.image()?;
    dist.sums()
}

impl Dist {
    /// Builds the command for a target, and packs it with its manual pages and completions.
    fn build(&mut self, target: &str, argument: &str) -> Result<(), String> {
        let mut build = Command::new("cargo");
        build.args(["zigbuild", "--release", "--locked", "--package", "ccfs-cli"]);
        build.args(["--target", argument]).current_dir(root());
        done(without_cargo_variables(&mut build))?;
        let program = self.target.join(target).join("release/ccfs");
        if target.ends_with("gnu") {
            check_glibc(&program)?;
        }
        let name = format!("ccfs-{}-{target}", self.version);
        let tree = self.folder.join(&name);
        create(&tree.join("completions"))?;
        copy(&program, &tree.join("ccfs"))?;
        for file in ["README.md", "CHANGELOG.md", "LICENSE-MIT", "LICENSE-APACHE"] {
            copy(&root().join(file), &tree.join(file))?;
        }
        done(Command::new(&program).arg("man").arg("--out").arg(tree.join("man/man1")))?;
        for (shell, file) in [("bash", "ccfs"), ("zsh", "_ccfs"), ("fish", "ccfs.fish")] {
            let script = output(Command::new(&program).args(["completions", shell]))?;
            let path = tree.join("completions").join(file);
            fs::write(&path, script).map_err(|error| format!("{}: {error}", path.display()))?;
        }
        print!("{name}: {}", output(Command::new(&program).arg("--version"))?);
        let archive = self.folder.join(format!("{name}.tar.gz"));
        let mut tar = Command::new("tar");
        tar.args(["--sort=name", "--owner=0", "--group=0", "--numeric-owner", "--mtime=@0"]);
        done(tar.arg("-C").arg(&self.folder).arg("-czf").arg(&archive).arg(&name))?;
        self.made.push(archive);
        Ok(())
    }

    /// Builds the Debian package from the dynamic binary. `Cargo.toml` of `ccfs-cli` lists its files.
    fn debian(&mut self) -> Result<(), String> {
        let (target, _) = TARGETS[0];
        if !self.target.join(target).join("release/ccfs").exists()
            || !works(&["cargo", "deb", "--version"])
        {
            println!("the Debian package is not built: run cargo install cargo-deb");
            return Ok(());
        }
        // The package has the pages and completions of the archive, at a path without the version.
        let tree = self.folder.join(format!("ccfs-{}-{target}", self.version));
        let assets = self.target.join(target).join("release/deb-assets");
        let _ = fs::remove_dir_all(&assets);
        fs::rename(&tree, &assets).map_err(|error| format!("{}: {error}", tree.display()))?;
        let mut deb = Command::new("cargo");
        deb.args(["deb", "--no-build", "--package", "ccfs-cli", "--target", target, "--output"]);
        done(deb.arg(&self.folder).current_dir(root()))?;
        let package = fs::read_dir(&self.folder)
            .into_iter()
            .flatten()
            .flatten()
            .map(|entry| entry.path())
            .find(|path| path.extension().is_some_and(|extension| extension == "deb"));
        self.made.push(package.ok_or("cargo deb wrote no package")?);
        Ok(())
    }

    /// Builds the image of the `Dockerfile` and runs it, if Docker works.
    fn image(&self) -> Result<(), String> {
        let tree = self.folder.join(format!("ccfs-{}-{STATIC}", self.version));
        if !tree.exists() || !works(&["docker", "info"]) {
            println!("the image is not built: it needs {STATIC} and a running Docker");
            return Ok(());
        }
        let tag = format!("ccfs:{}", self.version);
        let mut build = Command::new("docker");
        build.args(["build", "--tag", &tag, "--file"]).arg(root().join("Dockerfile"));
        done(build.arg(&tree))?;
        done(Command::new("docker").args(["run", "--rm", &tag, "demo"]))
    }

    /// Writes the SHA-256 sums, and removes the folders that were packed.
    fn sums(&self) -> Result<(), String> {
        for (target, _) in TARGETS {
            let _ = fs::remove_dir_all(self.folder.join(format!("ccfs-{}-{target}", self.version)));
        }
        let names = self.made.iter().filter_map(|path| path.file_name());
        let sums = output(Command::new("sha256sum").args(names).current_dir(&self.folder))?;
        let path = self.folder.join("SHA256SUMS");
        fs::write(&path, &sums).map_err(|error| format!("{}: {error}", path.display()))?;
        print!("{}:\n{sums}", self.folder.display());
        Ok(())
    }
}

fn create(folder: &Path) -> Result<(), String> {
    fs::create_dir_all(folder).map_err(|error| format!("{}: {error}", folder.display()))
}

fn copy(from: &Path, to: &Path) -> Result<(), String> {
    fs::copy(from, to).map(drop).map_err(|error| format!("{}: {error}", from.display()))
}

/// Returns whether a program runs and succeeds.
fn works(command: &[&str]) -> bool {
    let output = Command::new(command[0]).args(&command[1..]).output();
    output.is_ok_and(|output| output.status.success())
}

/// Refuses a binary that needs a newer glibc than it promises.
fn check_glibc(program: &Path) -> Result<(), String> {
    let bytes = fs::read(program).map_err(|error| format!("{}: {error}", program.display()))?;
    let newest = newest_glibc(&bytes).ok_or("the binary names no version of glibc")?;
    if newest > GLIBC {
        return Err(format!("the binary needs glibc {}.{}", newest.0, newest.1));
    }
    println!("the binary needs glibc {}.{} or newer", newest.0, newest.1);
    Ok(())
}

/// Returns the newest `GLIBC_x.y` among the names of versions in a binary.
fn newest_glibc(bytes: &[u8]) -> Option<(u32, u32)> {
    const NAME: &[u8] = b"\0GLIBC_";
    let names = bytes.windows(NAME.len()).enumerate().filter(|(_, window)| *window == NAME);
    let versions = names.filter_map(|(at, _)| {
        let rest = &bytes[at + NAME.len()..];
        let name = rest.split(|byte| *byte == 0).next()?;
        let mut numbers = std::str::from_utf8(name).ok()?.split('.').map(str::parse);
        Some((numbers.next()?.ok()?, numbers.next()?.ok()?))
    });
    versions.max()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_glibc_is_found() {
        assert_eq!(newest_glibc(b"x\0GLIBC_2.2.5\0GLIBC_2.14\0GLIBC_PRIVATE\0"), Some((2, 14)));
        assert_eq!(newest_glibc(b"GLIBC_ABI"), None);
    }
}
