//! Measuring: `cargo xtask bench sign`, `archive` and `pull`, and `cargo xtask soak`.
//!
//! Each bench is a package of its own below `xtask/bench`, outside the workspace, because its peers should be in nobody's build. It prints ratios
//! to peers of the same run, or what a pull takes; nothing here is asserted in a test. The soak ends with 1 when a file is not right.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

/// Times that each layout is run; the least of its medians counts, for whatever else the machine does only adds to it.
const RUNS: usize = 3;

pub(crate) fn run(name: &str, arguments: &[&str]) -> Result<(), String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("bench");
    if name.contains(['/', '\\', '.']) || !folder.join(name).join("Cargo.toml").is_file() {
        return Err(format!("there is no bench {name}: there are sign, archive and pull"));
    }
    if let ("sign", ["--layouts", count]) = (name, arguments) {
        let count = count
            .parse()
            .ok()
            .filter(|count| (1..=1000).contains(count))
            .ok_or("--layouts takes a number from 1 to 1000")?;
        return layouts(&folder, count);
    }
    let status = cargo("run", &folder, name)
        .arg("--")
        .args(arguments)
        .status()
        .map_err(|error| format!("cargo could not start: {error}"))?;
    if status.success() { Ok(()) } else { Err(format!("the bench {name} ended with {status}")) }
}

fn cargo(command: &str, folder: &Path, name: &str) -> Command {
    let mut cargo = Command::new(env!("CARGO"));
    cargo
        .args([command, "--release", "--quiet", "--locked", "--manifest-path"])
        .arg(folder.join(name).join("Cargo.toml"));
    cargo.arg("--target-dir").arg(folder.join("target"));
    cargo
}

/// Links the signing bench so many times with its functions in another order, and prints what the ratios are over all of them. How code lies
/// in a program decides about a tenth of some contenders' time, so that one build alone says little about a ratio.
fn layouts(folder: &Path, count: u32) -> Result<(), String> {
    let program = folder.join("target/release/bench-sign");
    let mut ratios = [Vec::new(), Vec::new(), Vec::new(), Vec::new()];
    println!(
        "layout   sign, ns   x floor   aws alone / sign   aws alone / text   aws applied / inserted"
    );
    for seed in 1..=count {
        // Only the linker of LLVM shuffles; on Linux for x86-64 it is Rust's own choice.
        let shuffled = format!("-Clink-arg=-Wl,--shuffle-sections=.text*={seed}");
        let status = cargo("rustc", folder, "sign")
            .args(["--", &shuffled])
            .status()
            .map_err(|error| format!("cargo could not start: {error}"))?;
        if !status.success() {
            return Err("the bench could not be linked with its functions in another order: that takes LLVM's linker (lld)".to_owned());
        }
        let nanos = least_medians(&program)?;
        let of = |name: &str| {
            nanos.get(name).copied().ok_or_else(|| format!("the bench says nothing of {name}"))
        };
        let (text, sign, inserted) = (
            of("ccfs-proto, into a buffer")?,
            of("ccfs-proto, sign")?,
            of("ccfs-proto, sign and insert")?,
        );
        let (alone, applied) = (of("aws-sigv4, sign alone")?, of("aws-sigv4, sign and apply")?);
        let row = [sign / of("raw floor")?, alone / sign, alone / text, applied / inserted];
        println!(
            "{seed:>6} {sign:>10.0} {:>9.2} {:>18.2} {:>18.2} {:>24.2}",
            row[0], row[1], row[2], row[3]
        );
        for (all, ratio) in ratios.iter_mut().zip(row) {
            all.push(ratio);
        }
    }
    for all in &mut ratios {
        all.sort_by(f64::total_cmp);
    }
    for (name, at) in
        [("least", 0), ("median", (count as usize - 1) / 2), ("most", count as usize - 1)]
    {
        let [floor, strict, text, inserted] = [0, 1, 2, 3].map(|column: usize| ratios[column][at]);
        println!("{name:>6} {:>10} {floor:>9.2} {strict:>18.2} {text:>18.2} {inserted:>24.2}", "");
    }
    let held = |bar: &dyn Fn(f64) -> bool, column: usize| {
        ratios[column].iter().filter(|ratio| bar(**ratio)).count()
    };
    println!(
        "at most 1.7 times the floor in {} of {count} layouts",
        held(&|ratio| ratio <= 1.7, 0)
    );
    println!(
        "at least 8 times faster than aws-sigv4's sign alone in {} of {count} layouts",
        held(&|ratio| ratio >= 8.0, 1)
    );
    Ok(())
}

fn least_medians(program: &Path) -> Result<BTreeMap<String, f64>, String> {
    let mut least = BTreeMap::new();
    for _ in 0..RUNS {
        let run = Command::new(program)
            .arg("--brief")
            .output()
            .map_err(|error| format!("{} could not start: {error}", program.display()))?;
        if !run.status.success() {
            return Err(format!("the bench sign ended with {}", run.status));
        }
        for line in String::from_utf8_lossy(&run.stdout).lines() {
            if let Some((name, nanos)) = line.split_once('\t')
                && let Ok(nanos) = nanos.parse::<f64>()
            {
                let known = least.entry(name.to_owned()).or_insert(nanos);
                *known = known.min(nanos);
            }
        }
    }
    Ok(least)
}
