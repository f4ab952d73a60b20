//! `cargo xtask dist`: archives, a Debian package and a container image of the command, with SHA-256 sums.

use std::path::PathBuf;

use anyhow::Result;
use xshell::{Shell, cmd};

use crate::workspace::{shell, target, without_cargo_variables};

/// The target of the dynamic binary, which is built for `GLIBC`.
const DYNAMIC: &str = "x86_64-unknown-linux-gnu";
/// The target whose binary is static, for the image.
const STATIC: &str = "x86_64-unknown-linux-musl";
/// The newest glibc that the dynamic binary may need: zig links it with the symbols of that version only.
const GLIBC: &str = "2.17";
/// The version of all crates of the workspace.
const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The files of the distribution.
struct Dist {
    sh: Shell,
    folder: PathBuf,
    target: PathBuf,
}

pub(crate) fn run() -> Result<()> {
    let sh = shell()?;
    let target = target()?;
    let folder = target.join("dist");
    sh.remove_path(&folder)?;
    let dist = Dist { sh, folder, target };
    dist.build(DYNAMIC, &format!("{DYNAMIC}.{GLIBC}"))?;
    dist.build(STATIC, STATIC)?;
    dist.debian()?;
    dist.image()?;
    dist.sums()
}

impl Dist {
    /// The folder that is packed for a target.
    fn tree(&self, target: &str) -> PathBuf {
        self.folder.join(format!("ccfs-{VERSION}-{target}"))
    }

    /// Builds the command for a target, and packs it with its manual pages and completions.
    fn build(&self, target: &str, argument: &str) -> Result<()> {
        let sh = &self.sh;
        let library = cmd!(sh, "rustc --print target-libdir --target {target}").read()?;
        if !sh.path_exists(library) {
            println!("{target} is not built: run rustup target add {target}");
            return Ok(());
        }
        let build =
            cmd!(sh, "cargo zigbuild --release --locked --package ccfs-cli --target {argument}");
        without_cargo_variables(build).run()?;
        let program = self.target.join(target).join("release/ccfs");
        let tree = self.tree(target);
        sh.create_dir(tree.join("completions"))?;
        for file in ["README.md", "CHANGELOG.md", "LICENSE-MIT", "LICENSE-APACHE"] {
            sh.copy_file(file, &tree)?;
        }
        sh.copy_file(&program, &tree)?;
        let pages = tree.join("man/man1");
        cmd!(sh, "{program} man --out {pages}").run()?;
        for (shell, file) in [("bash", "ccfs"), ("zsh", "_ccfs"), ("fish", "ccfs.fish")] {
            let script = cmd!(sh, "{program} completions {shell}").output()?.stdout;
            sh.write_file(tree.join("completions").join(file), script)?;
        }
        cmd!(sh, "{program} --version").run()?;
        let (folder, name) = (&self.folder, tree.file_name().unwrap_or_default());
        let archive = format!("{}.tar.gz", tree.display());
        let reproducible = "--sort=name --owner=0 --group=0 --numeric-owner --mtime=@0".split(' ');
        Ok(cmd!(sh, "tar {reproducible...} -C {folder} -czf {archive} {name}").run()?)
    }

    /// Builds the Debian package from the dynamic binary. `Cargo.toml` of `ccfs-cli` lists its files.
    fn debian(&self) -> Result<()> {
        let (sh, tree) = (&self.sh, self.tree(DYNAMIC));
        if !sh.path_exists(&tree) || !self.works("cargo deb --version") {
            println!("the Debian package is not built: run cargo install cargo-deb");
            return Ok(());
        }
        // The package has the pages and completions of the archive, at a path without the version.
        let assets = self.target.join(DYNAMIC).join("release/deb-assets");
        sh.remove_path(&assets)?;
        std::fs::rename(&tree, &assets)?;
        let folder = &self.folder;
        let deb = cmd!(
            sh,
            "cargo deb --no-build --package ccfs-cli --target {DYNAMIC} --output {folder}"
        );
        Ok(deb.run()?)
    }

    /// Builds the image of the `Dockerfile` and runs it, if Docker works.
    fn image(&self) -> Result<()> {
        let (sh, tree) = (&self.sh, self.tree(STATIC));
        if !sh.path_exists(&tree) || !self.works("docker info") {
            println!("the image is not built: it needs {STATIC} and a running Docker");
            return Ok(());
        }
        let tag = format!("ccfs:{VERSION}");
        cmd!(sh, "docker build --tag {tag} --file Dockerfile {tree}").run()?;
        Ok(cmd!(sh, "docker run --rm {tag} demo").run()?)
    }

    /// Removes the folders that were packed, and writes the SHA-256 sums of the other files.
    fn sums(&self) -> Result<()> {
        let sh = &self.sh;
        sh.remove_path(self.tree(DYNAMIC))?;
        sh.remove_path(self.tree(STATIC))?;
        let made = sh.read_dir(&self.folder)?;
        sh.change_dir(&self.folder);
        let sums =
            cmd!(sh, "sha256sum").args(made.iter().filter_map(|path| path.file_name())).read()?;
        sh.write_file("SHA256SUMS", format!("{sums}\n"))?;
        println!("{}:\n{sums}", self.folder.display());
        Ok(())
    }

    /// Returns whether a command runs and succeeds.
    fn works(&self, command: &str) -> bool {
        let mut words = command.split(' ');
        let program = self.sh.cmd(words.next().unwrap_or_default()).args(words);
        program.quiet().output().is_ok()
    }
}
