//! What the chores share.

use std::path::{Path, PathBuf};

use anyhow::{Result, ensure};
use cargo_metadata::{Metadata, MetadataCommand, Package, TargetKind};
use xshell::{Cmd, Shell};

/// The repository's root.
pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap_or(Path::new("."))
}

/// A shell at the repository's root.
pub(crate) fn shell() -> Result<Shell> {
    let sh = Shell::new()?;
    sh.change_dir(root());
    Ok(sh)
}

/// Lets a shell find the programs of a folder first.
pub(crate) fn add_to_path(sh: &Shell, folder: &Path) -> Result<()> {
    let path = sh.var_os("PATH").unwrap_or_default();
    let folders = [folder.to_owned()].into_iter().chain(std::env::split_paths(&path));
    sh.set_var("PATH", std::env::join_paths(folders)?);
    Ok(())
}

/// Removes the variables that cargo sets for the programs that it runs. With them, cargo would build crates again whose build
/// scripts read them, such as ring.
pub(crate) fn without_cargo_variables(command: Cmd<'_>) -> Cmd<'_> {
    let names = std::env::vars_os().filter_map(|(name, _)| name.into_string().ok());
    names
        .filter(|name| name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_"))
        .fold(command, Cmd::env_remove)
}

/// What `cargo metadata` says of the workspace and its dependencies.
pub(crate) fn metadata() -> Result<Metadata> {
    let mut command = MetadataCommand::new();
    Ok(command.current_dir(root()).other_options(vec!["--locked".to_owned()]).exec()?)
}

pub(crate) fn target() -> Result<PathBuf> {
    Ok(metadata()?.target_directory.into())
}

/// The packages of the workspace that can be published, sorted by name.
pub(crate) fn published(metadata: &Metadata) -> Vec<&Package> {
    let mut packages = metadata.workspace_packages();
    packages.retain(|package| package.publish.as_ref().is_none_or(|to| !to.is_empty()));
    packages.sort_by_key(|package| &package.name);
    packages
}

/// The libraries among them.
pub(crate) fn libraries(metadata: &Metadata) -> Vec<&Package> {
    let mut libraries = published(metadata);
    libraries
        .retain(|package| package.targets.iter().any(|target| target.is_kind(TargetKind::Lib)));
    libraries
}

/// Fails with all that is wrong, or prints what holds.
pub(crate) fn verdict(wrong: &[String], heading: &str, holds: &str) -> Result<()> {
    ensure!(wrong.is_empty(), "{heading}:\n  {}", wrong.join("\n  "));
    println!("{holds}");
    Ok(())
}
