//! The picture of a terminal in README.md: the output of `ccfs inspect` after a demo.

use std::fmt::Write as _;

use anyhow::{Context as _, Result};
use xshell::cmd;

use crate::workspace::{shell, without_cargo_variables};

const PICTURE: &str = "docs/pictures/inspect.svg";
/// Height of a line.
const LINE: usize = 18;

pub(crate) fn run() -> Result<()> {
    let sh = shell()?;
    let picture = sh.current_dir().join(PICTURE);
    sh.create_dir("target/picture")?;
    sh.change_dir("target/picture");
    let cargo = || without_cargo_variables(cmd!(sh, "cargo run --quiet --release --"));
    cargo().arg("demo").run()?;
    let files = sh.read_dir("ccfs-demo")?.into_iter();
    let parquet = files.filter(|path| path.extension().is_some_and(|it| it == "parquet")).max();
    let parquet = parquet.context("the demo wrote no Parquet file")?;
    let file = parquet.strip_prefix(sh.current_dir())?.display().to_string();
    let output = cargo().args(["inspect", &file]).read()?;
    sh.write_file(picture, terminal(&format!("ccfs inspect {file}"), &output))?;
    println!("{PICTURE} is written");
    Ok(())
}

/// Draws a command and its output. The background is dark on every page.
fn terminal(command: &str, text: &str) -> String {
    let lines: Vec<&str> = text.trim_end().lines().collect();
    let width = lines.iter().map(|line| line.chars().count()).max().unwrap_or(0);
    let (width, height) = (width.max(command.len() + 2) * 8 + 40, (lines.len() + 1) * LINE + 36);
    let (right, bottom) = (width - 1, height - 1);
    let mut svg = format!(
        r##"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img" aria-label="Output of ccfs inspect">
<style>text {{ fill: #e6edf3; font: 13px ui-monospace, 'DejaVu Sans Mono', Menlo, Consolas, monospace; white-space: pre }} .command {{ fill: #7ee787 }} .bar {{ fill: #58a6ff }}</style>
<rect x="0.5" y="0.5" width="{right}" height="{bottom}" rx="8" fill="#0d1117" stroke="#8b949e"/>
<text class="command" x="20" y="30">$ {command}</text>
"##
    );
    for (line, number) in lines.iter().zip(2..) {
        let bar = line.find(|character| ('\u{2580}'..='\u{259F}').contains(&character));
        let (plain, bar) = line.split_at(bar.unwrap_or(line.len()));
        let (plain, y) = (plain.replace('&', "&amp;").replace('<', "&lt;"), number * LINE + 16);
        let _ = writeln!(
            svg,
            r#"<text x="20" y="{y}" xml:space="preserve">{plain}<tspan class="bar">{bar}</tspan></text>"#
        );
    }
    svg + "</svg>\n"
}
