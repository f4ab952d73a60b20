//! Runs every target once over its committed corpus: without instrumentation, in a few seconds.

use std::collections::BTreeSet;
use std::fs;
use std::panic::catch_unwind;
use std::path::{Path, PathBuf};

use ccfs_fuzz::TARGETS;

/// All corpora together, in bytes: they are seeds, not what a long run gathers.
const LARGEST: u64 = 1 << 20;

fn folder(name: &str) -> PathBuf {
    [env!("CARGO_MANIFEST_DIR"), name].iter().collect()
}

fn names(folder: &Path) -> BTreeSet<String> {
    let entries =
        fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    entries
        .map(|entry| entry.expect("a name").file_name().into_string().expect("a plain name"))
        .collect()
}

#[test]
fn no_input_of_a_corpus_breaks_a_promise() {
    let mut broken = Vec::new();
    for (target, run) in TARGETS {
        let folder = folder("corpus").join(target);
        let inputs = names(&folder);
        assert!(inputs.len() >= 4, "{target} has {} seeds", inputs.len());
        for name in inputs {
            let input = fs::read(folder.join(&name)).expect("a seed");
            if catch_unwind(|| run(&input)).is_err() {
                broken.push(format!("{target}/{name}"));
            }
        }
    }
    assert!(broken.is_empty(), "broken by {}", broken.join(", "));
}

#[test]
fn every_target_has_a_program_and_a_corpus() {
    let targets: BTreeSet<String> = TARGETS.iter().map(|(name, _)| (*name).to_owned()).collect();
    let programs: BTreeSet<String> = names(&folder("fuzz_targets"))
        .iter()
        .map(|name| name.trim_end_matches(".rs").to_owned())
        .collect();
    assert_eq!(targets, programs);
    assert_eq!(targets, names(&folder("corpus")));
}

#[test]
fn corpora_stay_small() {
    let files = TARGETS.iter().flat_map(|(target, _)| {
        let folder = folder("corpus").join(target);
        names(&folder).into_iter().map(move |name| folder.join(name))
    });
    let bytes: u64 = files.map(|file| fs::metadata(file).expect("a seed").len()).sum();
    assert!(bytes < LARGEST, "{bytes} bytes of seeds");
}

/// Any target can begin with nothing, and with what says nothing.
#[test]
fn odd_inputs_are_inputs() {
    for (_, run) in TARGETS {
        for input in [&b""[..], &[0], &[0; 300], &[0xFF; 300], &[b'1'; 3000]] {
            run(input);
        }
    }
}
