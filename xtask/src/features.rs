//! Every combination of a library's features builds: features only add.

use std::process::Command;

use crate::workspace::{done, members, metadata, root};

/// With more features than this, only none, each alone, all but one, and all are built.
const WHOLE_POWERSET: usize = 4;

pub(crate) fn run() -> Result<(), String> {
    let metadata = metadata()?;
    for library in members(&metadata).iter().filter(|member| member.is_library()) {
        let features = library.features();
        if features.is_empty() {
            continue;
        }
        let combinations = combinations(&features);
        for combination in &combinations {
            let mut check = Command::new(env!("CARGO"));
            check
                .args([
                    "clippy",
                    "--quiet",
                    "--locked",
                    "--package",
                    library.name,
                    "--no-default-features",
                ])
                .current_dir(root());
            // Items that are used only with a feature must be gated by it.
            check.arg("--features").arg(combination.join(",")).args(["--", "-D", "warnings"]);
            done(&mut check)?;
        }
        println!(
            "{}: {} combinations of {} features build",
            library.name,
            combinations.len(),
            features.len()
        );
    }
    Ok(())
}

/// Documents each library alone with default features, because cargo merges the features of crates that it documents together.
pub(crate) fn rustdoc() -> Result<(), String> {
    let metadata = metadata()?;
    for library in members(&metadata).iter().filter(|member| member.is_library()) {
        let mut doc = Command::new(env!("CARGO"));
        doc.args(["doc", "--quiet", "--no-deps", "--locked", "--package", library.name])
            .env("RUSTDOCFLAGS", "-D warnings")
            .current_dir(root());
        done(&mut doc)?;
        println!("{}: its documentation builds", library.name);
    }
    Ok(())
}

fn combinations<'f>(features: &[&'f str]) -> Vec<Vec<&'f str>> {
    let all = 1_u32 << features.len();
    let is_wanted = |set: &u32| {
        let (on, count) = (set.count_ones() as usize, features.len());
        count <= WHOLE_POWERSET || on <= 1 || on >= count - 1
    };
    let wanted = (0..all).filter(is_wanted);
    let named = |set: u32| {
        features
            .iter()
            .enumerate()
            .filter(move |(index, _)| set >> index & 1 == 1)
            .map(|(_, feature)| *feature)
    };
    wanted.map(|set| named(set).collect()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_features_are_combined_in_every_way() {
        assert_eq!(combinations(&["a", "b"]), [vec![], vec!["a"], vec!["b"], vec!["a", "b"]]);
        assert_eq!(combinations(&["a", "b", "c", "d"]).len(), 16);
    }

    #[test]
    fn of_many_features_one_is_on_or_off() {
        let found = combinations(&["a", "b", "c", "d", "e"]);
        assert_eq!(found.len(), 1 + 5 + 5 + 1);
        assert_eq!(found.last().unwrap().len(), 5);
    }
}
