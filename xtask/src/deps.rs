//! The dependency rules, checked with `cargo metadata` and `cargo tree`. See `docs/architecture.md`.

use std::collections::BTreeSet;

use anyhow::Result;
use cargo_metadata::DependencyKind;
use xshell::{Shell, cmd};

use crate::workspace::{metadata, shell, verdict};

/// Each crate, the crates of the workspace that it may depend on, and how many crates its default tree may have, itself included:
/// the number when it was set, and a few more for what those crates may bring along. Raising one is a decision, and goes into the
/// change's message. Crates that only the project itself uses have no limit.
const LAYERS: &[(&str, &str, Option<usize>)] = &[
    ("ccfs-time", "", Some(1)),
    ("ccfs-proto", "ccfs-time", Some(30)),
    ("ccfs-archive", "ccfs-time", Some(22)),
    ("ccfs-arrow", "ccfs-archive", Some(44)),
    ("ccfs-tls", "ccfs-proto", Some(46)),
    ("ccfs-driver", "ccfs-proto", Some(42)),
    ("ccfs-ureq", "ccfs-proto ccfs-driver ccfs-tls", Some(60)),
    ("ccfs-reqwest", "ccfs-proto ccfs-driver ccfs-tls", Some(115)),
    ("ccfs-listener", "ccfs-proto ccfs-driver ccfs-tls", Some(70)),
    (
        "ccfs-pull",
        "ccfs-proto ccfs-time ccfs-driver ccfs-ureq ccfs-reqwest ccfs-tls ccfs-archive ccfs-arrow",
        Some(60),
    ),
    ("ccfs-doctor", "ccfs-proto ccfs-driver ccfs-tls ccfs-ureq", Some(85)),
    (
        "ccfs",
        "ccfs-proto ccfs-doctor ccfs-driver ccfs-listener ccfs-pull ccfs-tls ccfs-ureq ccfs-reqwest \
         ccfs-archive ccfs-arrow",
        Some(70),
    ),
    ("ccfs-emulator", "ccfs-proto", Some(80)),
    ("ccfs-conformance", "ccfs-proto ccfs-driver ccfs-emulator", Some(86)),
    ("ccfs-cli", "ccfs ccfs-emulator", Some(252)),
    ("ccfs-python", "ccfs", Some(198)),
    (
        "ccfs-tests",
        "ccfs ccfs-conformance ccfs-proto ccfs-archive ccfs-driver ccfs-tls ccfs-ureq ccfs-reqwest \
         ccfs-emulator",
        None,
    ),
    ("xtask", "", None),
];

/// Crates that open connections or run them.
const NETWORK: &str = "hyper hyper-util h2 reqwest ureq ureq-proto curl isahc tokio async-std smol mio \
    socket2 rustls ring native-tls openssl aws-lc-rs webpki-roots rustls-native-certs quinn";

/// Crates that must not be in a layer's tree, and neither may those of `NETWORK`.
const KEPT_OUT: &[(&str, &str)] = &[
    ("ccfs-proto", "zip csv tempfile rand"),
    ("ccfs-archive", "http tempfile rand hmac sha2"),
    ("ccfs-arrow", "http tempfile rand hmac sha2"),
];

pub(crate) fn run() -> Result<()> {
    let sh = shell()?;
    let metadata = metadata()?;
    let mut wrong = Vec::new();
    let members = metadata.workspace_packages();
    let promised = members[0].rust_version.as_ref();
    let packages = metadata.packages.iter();
    for package in packages.filter(|package| package.rust_version.as_ref() > promised) {
        wrong.push(format!("{} needs a newer Rust than the workspace promises", package.id));
    }
    for package in members {
        let name = package.name.as_str();
        let normal = |kind| kind != DependencyKind::Development;
        let below = package.dependencies.iter().filter(|dependency| normal(dependency.kind));
        wrong.extend(forbidden_arrows(name, below.map(|dependency| dependency.name.as_str())));
        if let Some((_, _, Some(budget))) = LAYERS.iter().find(|(layer, ..)| *layer == name) {
            let count = tree(&sh, name, &["--edges", "normal", "--format", "{p}"])?.len();
            println!("{name:16} {count:3} crates in its default tree, at most {budget}");
            if count > *budget {
                wrong.push(format!("{name} has {count} crates in its default tree"));
            }
        }
    }
    for (layer, kept_out) in KEPT_OUT {
        let all = ["--edges", "normal,build", "--all-features", "--target", "all"];
        for name in tree(&sh, layer, &all)?.iter().filter_map(|line| line.split(' ').next()) {
            if kept_out.split(' ').chain(NETWORK.split(' ')).any(|kept_out| kept_out == name) {
                wrong.push(format!("{layer} must not have {name} in its tree"));
            }
        }
    }
    verdict(&wrong, "dependency rules are broken", "every dependency rule holds")
}

/// The dependencies of a crate on crates of the workspace that are not in `LAYERS`.
fn forbidden_arrows<'a>(name: &str, below: impl Iterator<Item = &'a str>) -> Vec<String> {
    let Some((_, allowed, _)) = LAYERS.iter().find(|(layer, ..)| *layer == name) else {
        return vec![format!("docs/architecture.md and xtask/src/deps.rs do not know {name}")];
    };
    let ours = below.filter(|name| LAYERS.iter().any(|(layer, ..)| layer == name));
    let forbidden = ours.filter(|name| !allowed.split(' ').any(|allowed| allowed == *name));
    forbidden
        .map(|below| format!("{name} must not depend on {below}: arrows point down only"))
        .collect()
}

/// The crates in the tree of `layer`, itself included, as `name version`.
fn tree(sh: &Shell, layer: &str, options: &[&str]) -> Result<BTreeSet<String>> {
    let printed = cmd!(sh, "cargo tree --locked --package {layer} --prefix none {options...}")
        .quiet()
        .read()?;
    let lines = printed.lines().map(|line| line.trim_end_matches(" (*)").trim().to_owned());
    Ok(lines.filter(|line| !line.is_empty()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arrows_point_down() {
        let wrong = |name, below: &[&'static str]| forbidden_arrows(name, below.iter().copied());
        assert_eq!(wrong("ccfs-driver", &["ccfs-proto", "bytes"]), [""; 0]);
        assert_eq!(
            wrong("ccfs-proto", &["ccfs-archive"]),
            ["ccfs-proto must not depend on ccfs-archive: arrows point down only"]
        );
        assert_eq!(wrong("ccfs-new", &[]).len(), 1);
    }
}
