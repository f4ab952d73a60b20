//! The dependency rules, checked by reading `cargo metadata` and `cargo tree`. See `docs/architecture.md`.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::workspace::{cargo, members, metadata, text, verdict};

/// The allowed dependencies of each crate. Any other crate or dependency is a violation.
pub(crate) const ARROWS: &[(&str, &[&str])] = &[
    ("ccfs-time", &[]),
    ("ccfs-proto", &["ccfs-time"]),
    ("ccfs-archive", &["ccfs-time"]),
    ("ccfs-arrow", &["ccfs-archive"]),
    ("ccfs-tls", &["ccfs-proto"]),
    ("ccfs-driver", &["ccfs-proto"]),
    ("ccfs-ureq", &["ccfs-proto", "ccfs-driver", "ccfs-tls"]),
    ("ccfs-reqwest", &["ccfs-proto", "ccfs-driver", "ccfs-tls"]),
    ("ccfs-listener", &["ccfs-proto", "ccfs-driver", "ccfs-tls"]),
    (
        "ccfs-pull",
        &[
            "ccfs-proto",
            "ccfs-time",
            "ccfs-driver",
            "ccfs-ureq",
            "ccfs-reqwest",
            "ccfs-tls",
            "ccfs-archive",
            "ccfs-arrow",
        ],
    ),
    ("ccfs-doctor", &["ccfs-proto", "ccfs-driver", "ccfs-tls", "ccfs-ureq"]),
    (
        "ccfs",
        &[
            "ccfs-proto",
            "ccfs-doctor",
            "ccfs-driver",
            "ccfs-listener",
            "ccfs-pull",
            "ccfs-tls",
            "ccfs-ureq",
            "ccfs-reqwest",
            "ccfs-archive",
            "ccfs-arrow",
        ],
    ),
    ("ccfs-emulator", &["ccfs-proto", "ccfs-archive"]),
    ("ccfs-conformance", &["ccfs-proto", "ccfs-driver", "ccfs-emulator"]),
    ("ccfs-cli", &["ccfs", "ccfs-emulator"]),
    ("ccfs-python", &["ccfs"]),
    (
        "ccfs-tests",
        &[
            "ccfs",
            "ccfs-conformance",
            "ccfs-proto",
            "ccfs-archive",
            "ccfs-driver",
            "ccfs-tls",
            "ccfs-ureq",
            "ccfs-reqwest",
            "ccfs-emulator",
        ],
    ),
    ("xtask", &[]),
];

/// Crates that open connections or run them.
const NETWORK: &[&str] = &[
    "hyper",
    "hyper-util",
    "h2",
    "reqwest",
    "ureq",
    "ureq-proto",
    "curl",
    "isahc",
    "tokio",
    "async-std",
    "smol",
    "mio",
    "socket2",
    "rustls",
    "ring",
    "native-tls",
    "openssl",
    "aws-lc-rs",
    "webpki-roots",
    "rustls-native-certs",
    "quinn",
];

/// Crates that must not be in a layer's tree.
const KEPT_OUT: &[(&str, &[&str])] = &[
    ("ccfs-proto", &["zip", "csv", "tempfile", "rand"]),
    ("ccfs-archive", &["http", "tempfile", "rand", "hmac", "sha2"]),
    ("ccfs-arrow", &["http", "tempfile", "rand", "hmac", "sha2"]),
];

/// How many crates a layer's default tree may have, itself included: the number when it was set, and a few more for what those crates
/// may bring along. Raising one is a decision, and goes into the change's message.
const BUDGETS: &[(&str, usize)] = &[
    ("ccfs-time", 1),
    ("ccfs-proto", 30),
    ("ccfs-archive", 22),
    ("ccfs-arrow", 44),
    ("ccfs-tls", 46),
    ("ccfs-driver", 40),
    ("ccfs-ureq", 60),
    ("ccfs-reqwest", 115),
    ("ccfs-listener", 70),
    ("ccfs-pull", 60),
    ("ccfs-doctor", 85),
    ("ccfs", 70),
    ("ccfs-emulator", 80),
    ("ccfs-conformance", 86),
    ("ccfs-cli", 252),
    ("ccfs-python", 198),
];

pub(crate) fn run() -> Result<(), String> {
    let metadata = metadata()?;
    let graph = Graph::read(&metadata)?;
    let mut wrong = Vec::new();
    graph.check_arrows(&mut wrong);
    graph.check_kept_out(&mut wrong);
    graph.check_rust_versions(&mut wrong);
    for member in members(&metadata).iter().filter(|member| {
        let is_built = |kind| member.targets(kind).next().is_some();
        member.is_library() || is_built("bin") || is_built("cdylib")
    }) {
        let layer = member.name;
        let Some((_, budget)) = BUDGETS.iter().find(|(name, _)| *name == layer) else {
            if member.is_library() {
                wrong.push(format!("{layer} has no budget in xtask/src/deps.rs"));
            }
            continue;
        };
        let count = tree_size(layer)?;
        if count > *budget {
            wrong.push(format!(
                "{layer} has {count} crates in its default tree, and {budget} are allowed"
            ));
        }
        println!("{layer:14} {count:3} crates in its default tree, at most {budget}");
    }
    let holds = format!(
        "{} crates of the workspace, {} in all: every dependency rule holds",
        ARROWS.len(),
        graph.packages.len()
    );
    verdict(&wrong, "dependency rules are broken", &holds)
}

/// The output of `cargo metadata`.
struct Graph<'a> {
    packages: BTreeMap<&'a str, &'a Value>,
    members: BTreeSet<&'a str>,
    /// Normal and build dependencies, by package id.
    edges: BTreeMap<&'a str, Vec<&'a str>>,
}

impl<'a> Graph<'a> {
    fn read(metadata: &'a Value) -> Result<Self, String> {
        let list = |value: &'a Value| {
            value
                .as_array()
                .map(Vec::as_slice)
                .ok_or("cargo metadata has another shape than expected")
        };
        let packages = list(&metadata["packages"])?
            .iter()
            .map(|package| (text(&package["id"]), package))
            .collect();
        let members = list(&metadata["workspace_members"])?.iter().map(text).collect();
        let mut edges = BTreeMap::new();
        for node in list(&metadata["resolve"]["nodes"])? {
            let counts = |dep: &&Value| {
                dep["dep_kinds"]
                    .as_array()
                    .is_some_and(|kinds| kinds.iter().any(|kind| kind["kind"] != "dev"))
            };
            let deps =
                list(&node["deps"])?.iter().filter(counts).map(|dep| text(&dep["pkg"])).collect();
            edges.insert(text(&node["id"]), deps);
        }
        Ok(Self { packages, members, edges })
    }

    fn name(&self, id: &str) -> &'a str {
        self.packages.get(id).map_or("", |package| text(&package["name"]))
    }

    fn check_arrows(&self, wrong: &mut Vec<String>) {
        let ours: BTreeSet<&str> = self.members.iter().map(|id| self.name(id)).collect();
        for id in &self.members {
            let name = self.name(id);
            let Some((_, allowed)) = ARROWS.iter().find(|(layer, _)| *layer == name) else {
                wrong.push(format!(
                    "{name} is a crate that docs/architecture.md and xtask/src/deps.rs do not know"
                ));
                continue;
            };
            for dependency in self.edges[id].iter().map(|id| self.name(id)) {
                if ours.contains(dependency) && !allowed.contains(&dependency) {
                    wrong.push(format!(
                        "{name} must not depend on {dependency}: arrows point down only"
                    ));
                }
            }
        }
    }

    fn check_kept_out(&self, wrong: &mut Vec<String>) {
        for (layer, kept_out) in KEPT_OUT {
            for found in self.tree(layer) {
                if kept_out.contains(&found) || NETWORK.contains(&found) {
                    wrong.push(format!("{layer} must not have {found} in its tree"));
                }
            }
        }
    }

    fn check_rust_versions(&self, wrong: &mut Vec<String>) {
        let ours =
            self.members.iter().next().and_then(|id| version(&self.packages[id]["rust_version"]));
        for package in self.packages.values() {
            let name = text(&package["name"]);
            if version(&package["rust_version"]) > ours {
                wrong.push(format!(
                    "{name} {} needs a newer Rust than the workspace promises",
                    text(&package["version"])
                ));
            }
        }
    }

    /// Names of all crates below `layer`.
    fn tree(&self, layer: &str) -> BTreeSet<&'a str> {
        let mut open: Vec<&str> =
            self.members.iter().copied().filter(|id| self.name(id) == layer).collect();
        let mut seen: BTreeSet<&str> = BTreeSet::new();
        while let Some(id) = open.pop() {
            if seen.insert(id) {
                open.extend(self.edges.get(id).into_iter().flatten());
            }
        }
        seen.into_iter().map(|id| self.name(id)).filter(|name| *name != layer).collect()
    }
}

/// `1.88` or `1.88.0` as numbers; `None`, which is less than any, where none is declared.
fn version(value: &Value) -> Option<Vec<u32>> {
    let mut parts: Vec<u32> =
        value.as_str()?.split('.').filter_map(|part| part.parse().ok()).collect();
    parts.resize(3, 0);
    Some(parts)
}

/// Crates in the tree of `layer` with its default features, itself included: what a package that depends only on it gets.
fn tree_size(layer: &str) -> Result<usize, String> {
    let arguments = [
        "tree",
        "--locked",
        "--package",
        layer,
        "--edges",
        "normal",
        "--prefix",
        "none",
        "--format",
        "{p}",
    ];
    let tree = cargo(&arguments)?;
    let crates: BTreeSet<&str> = tree
        .lines()
        .map(|line| line.trim_end_matches(" (*)").trim())
        .filter(|line| !line.is_empty())
        .collect();
    Ok(crates.len())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// A workspace of `packages`, each with the names of its dependencies.
    fn wrong(packages: &[(&str, &[&str])], more: &Value) -> Vec<String> {
        let package = |name: &str| {
            let mut package =
                json!({"id": name, "name": name, "version": "1.0.0", "rust_version": "1.88"});
            if let (Some(package), Some(more)) = (package.as_object_mut(), more[name].as_object()) {
                package.extend(more.clone());
            }
            package
        };
        let node = |(name, below): &(&str, &[&str])| {
            let deps =
                below.iter().map(|dep| json!({"pkg": dep, "dep_kinds": [{"kind": if dep.ends_with("-dev") { "dev" } else { "normal" }}]}));
            json!({"id": name, "deps": deps.collect::<Vec<_>>()})
        };
        let ours: Vec<&str> = packages
            .iter()
            .map(|(name, _)| *name)
            .filter(|name| name.starts_with("ccfs"))
            .collect();
        let metadata = json!({
            "packages": packages.iter().map(|(name, _)| package(name)).collect::<Vec<_>>(),
            "workspace_members": ours,
            "resolve": {"nodes": packages.iter().map(node).collect::<Vec<_>>()},
        });
        let graph = Graph::read(&metadata).unwrap();
        let mut wrong = Vec::new();
        graph.check_arrows(&mut wrong);
        graph.check_kept_out(&mut wrong);
        graph.check_rust_versions(&mut wrong);
        wrong
    }

    #[test]
    fn arrows_point_down() {
        let good: &[(&str, &[&str])] = &[
            ("ccfs-driver", &["ccfs-proto", "bytes"]),
            ("ccfs-proto", &["bytes"]),
            ("bytes", &[]),
        ];
        assert_eq!(wrong(good, &Value::Null), [""; 0]);
        let up: &[(&str, &[&str])] = &[("ccfs-proto", &["ccfs-archive"]), ("ccfs-archive", &[])];
        assert_eq!(
            wrong(up, &Value::Null),
            ["ccfs-proto must not depend on ccfs-archive: arrows point down only"]
        );
        let unknown = wrong(&[("ccfs-new", &[])], &Value::Null);
        assert!(unknown[0].starts_with("ccfs-new is a crate that"), "{unknown:?}");
    }

    #[test]
    fn the_network_is_kept_out_however_deep() {
        let deep: &[(&str, &[&str])] = &[
            ("ccfs-archive", &["a"]),
            ("a", &["b"]),
            ("b", &["tokio", "hyper-dev"]),
            ("tokio", &[]),
            ("hyper-dev", &[]),
        ];
        assert_eq!(wrong(deep, &Value::Null), ["ccfs-archive must not have tokio in its tree"]);
    }

    #[test]
    fn crates_that_need_a_newer_rust_are_found() {
        let packages: &[(&str, &[&str])] = &[("ccfs-proto", &[]), ("young", &[])];
        let more = json!({"young": {"rust_version": "1.89.1"}});
        let expected = ["young 1.0.0 needs a newer Rust than the workspace promises"];
        assert_eq!(wrong(packages, &more), expected);
    }
}
