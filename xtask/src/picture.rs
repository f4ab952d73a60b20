//! The pictures of README.md: the data flow, from the tables below, and a terminal, from a run of the command.

use std::fmt::Write as _;
use std::fs;
use std::process::Command;

use crate::deps::ARROWS;
use crate::workspace::{output, root, without_cargo_variables};

/// The picture of the data flow.
pub(crate) const FLOW: &str = "docs/pictures/data-flow.svg";
const TERMINAL: &str = "docs/pictures/inspect.svg";

/// A box. Its title names crates of the workspace, or something outside it.
struct Part {
    title: &'static str,
    notes: &'static [&'static str],
    x: i32,
    y: i32,
    width: i32,
    height: i32,
}

const fn part(
    title: &'static str,
    notes: &'static [&'static str],
    [x, y, width, height]: [i32; 4],
) -> Part {
    Part { title, notes, x, y, width, height }
}

const PARTS: &[Part] = &[
    part("CC-FS", &["file server of the", "AICC call center"], [20, 20, 170, 386]),
    part("ccfs-listener", &["verifies callbacks"], [400, 20, 240, 62]),
    part("ccfs-pull", &["splits days into periods, resumes"], [400, 128, 240, 62]),
    part("ccfs-ureq, ccfs-reqwest", &["sign, send, retry"], [400, 236, 240, 62]),
    part("ccfs-archive, ccfs-arrow", &["check and read ZIP and CSV"], [400, 344, 240, 62]),
    part(
        "Your folder",
        &["journal, ZIP archives,", "JSON lines, CSV,", "Parquet"],
        [790, 128, 170, 170],
    ),
    part("Analysis", &["DuckDB, Spark, polars"], [790, 344, 170, 62]),
];

/// An arrow between two parts, by their indices, and its label. The last number moves it to the side.
const FLOWS: &[(usize, usize, &str, i32)] = &[
    (3, 0, "1  signed request", -14),
    (0, 1, "2  callback (optional)", 0),
    (0, 3, "3  ZIP archive", 16),
    (1, 2, "file name", 0),
    (2, 3, "next call", 0),
    (3, 4, "ZIP", 0),
    (2, 5, "progress", 0),
    (3, 5, "ZIP", 0),
    (5, 6, "one table", 0),
];

/// From the readers to the folder, around the corner.
const CORNER: &str = "M640 375 H715 V283 H789";

const STYLE: &str = "
  .page { fill: #ffffff; stroke: #d0d7de }
  .part { fill: #f6f8fa; stroke: #57606a }
  .ours { fill: #ddf4ff; stroke: #0969da }
  text { fill: #1f2328; font: 13px system-ui, -apple-system, 'Segoe UI', 'DejaVu Sans', sans-serif }
  .title { font-weight: 600; font-size: 14px }
  .flow { fill: none; stroke: #57606a; stroke-width: 1.5 }
  .head { fill: #57606a }
  @media (prefers-color-scheme: dark) {
    .page { fill: #0d1117; stroke: #30363d }
    .part { fill: #161b22; stroke: #8b949e }
    .ours { fill: #0c2d4a; stroke: #58a6ff }
    text { fill: #e6edf3 }
    .flow { stroke: #8b949e }
    .head { fill: #8b949e }
  }
";

/// Writes both pictures.
pub(crate) fn run() -> Result<(), String> {
    write(FLOW, &flow())?;
    let folder = root().join("target/picture");
    let ccfs = |arguments: &[&str]| {
        output(
            without_cargo_variables(&mut Command::new(env!("CARGO")))
                .args(["run", "--quiet", "--release", "--"])
                .args(arguments)
                .current_dir(&folder),
        )
    };
    fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    ccfs(&["demo"])?;
    let parquet = fs::read_dir(folder.join("ccfs-demo"))
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| entry.file_name().into_string().ok())
        .filter(|name| name.ends_with(".parquet"))
        .max()
        .ok_or("the demo wrote no Parquet file")?;
    let file = format!("ccfs-demo/{parquet}");
    write(TERMINAL, &terminal(&format!("ccfs inspect {file}"), &ccfs(&["inspect", &file])?))
}

fn write(path: &str, text: &str) -> Result<(), String> {
    fs::write(root().join(path), text).map_err(|error| format!("{path}: {error}"))?;
    println!("{path} is written");
    Ok(())
}

/// Crates that the picture names and the workspace does not have.
pub(crate) fn unknown_crates() -> Vec<String> {
    let named = PARTS.iter().flat_map(|part| part.title.split(", "));
    let ours = named.filter(|name| name.starts_with("ccfs"));
    ours.filter(|name| !ARROWS.iter().any(|(known, _)| known == name))
        .map(|name| format!("{FLOW}: {name} is not a crate of the workspace"))
        .collect()
}

/// Returns the data flow as SVG.
pub(crate) fn flow() -> String {
    let mut svg = String::from(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 980 426\" role=\"img\" aria-label=\"Data flow between CC-FS, the crates of ccfs and a folder\">\n",
    );
    let _ = write!(
        svg,
        "<style>{STYLE}</style>\n<defs><marker id=\"head\" viewBox=\"0 0 10 10\" refX=\"9\" refY=\"5\" markerWidth=\"8\" markerHeight=\"8\" orient=\"auto\"><path class=\"head\" d=\"M0 0 L10 5 L0 10 z\"/></marker></defs>\n<rect class=\"page\" x=\"0.5\" y=\"0.5\" width=\"979\" height=\"425\" rx=\"8\"/>\n"
    );
    for part in PARTS {
        let class = if part.title.starts_with("ccfs") { "part ours" } else { "part" };
        let Part { x, y, width, height, .. } = part;
        let _ = writeln!(
            svg,
            "<rect class=\"{class}\" x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\" rx=\"6\"/>"
        );
        let lines = i32::try_from(part.notes.len()).unwrap_or(0);
        let (center, first) = (x + width / 2, y + height / 2 - lines * 10 + 5);
        let _ = writeln!(
            svg,
            "<text class=\"title\" x=\"{center}\" y=\"{first}\" text-anchor=\"middle\">{}</text>",
            part.title
        );
        for (note, at) in part.notes.iter().zip(1..) {
            let y = first + at * 20;
            let _ = writeln!(
                svg,
                "<text x=\"{center}\" y=\"{y}\" text-anchor=\"middle\">{note}</text>"
            );
        }
    }
    for &(from, to, label, shift) in FLOWS {
        let (from, to) = (&PARTS[from], &PARTS[to]);
        if from.x == to.x {
            let (x, begin, end) = (from.x + from.width / 2, from.y + from.height, to.y - 1);
            arrow(&mut svg, &format!("M{x} {begin} V{end}"));
            label_at(&mut svg, label, x + 10, i32::midpoint(begin, end) + 5, "start");
        } else {
            // At the height of the smaller box.
            let small = if from.height < to.height { from } else { to };
            let y = small.y + small.height / 2 + shift;
            let to_right = from.x < to.x;
            let begin = if to_right { from.x + from.width } else { from.x };
            let end = if to_right { to.x - 1 } else { to.x + to.width + 1 };
            arrow(&mut svg, &format!("M{begin} {y} H{end}"));
            label_at(&mut svg, label, i32::midpoint(begin, end), y - 7, "middle");
        }
    }
    arrow(&mut svg, CORNER);
    label_at(&mut svg, "records", 677, 368, "middle");
    svg.push_str("</svg>\n");
    svg
}

fn arrow(svg: &mut String, path: &str) {
    let _ = writeln!(svg, "<path class=\"flow\" d=\"{path}\" marker-end=\"url(#head)\"/>");
}

fn label_at(svg: &mut String, text: &str, x: i32, y: i32, anchor: &str) {
    let _ = writeln!(svg, "<text x=\"{x}\" y=\"{y}\" text-anchor=\"{anchor}\">{text}</text>");
}

/// Returns a terminal with a command and its output as SVG. Its background is dark on every page.
fn terminal(command: &str, text: &str) -> String {
    const LINE: usize = 18;
    let lines: Vec<&str> = text.trim_end().lines().collect();
    let width = lines.iter().map(|line| line.chars().count()).max().unwrap_or(0);
    let width = width.max(command.len() + 2) * 8 + 40;
    let height = (lines.len() + 1) * LINE + 36;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" role=\"img\" aria-label=\"Output of ccfs inspect\">
<style>text {{ fill: #e6edf3; font: 13px ui-monospace, 'DejaVu Sans Mono', Menlo, Consolas, monospace; white-space: pre }} .command {{ fill: #7ee787 }} .bar {{ fill: #58a6ff }}</style>
<rect x=\"0.5\" y=\"0.5\" width=\"{}\" height=\"{}\" rx=\"8\" fill=\"#0d1117\" stroke=\"#8b949e\"/>\n",
        width - 1,
        height - 1
    );
    let _ = writeln!(svg, "<text class=\"command\" x=\"20\" y=\"30\">$ {command}</text>");
    for (line, number) in lines.iter().zip(2..) {
        let y = number * LINE + 16;
        let bar = line.find(|character| ('\u{2580}'..='\u{259F}').contains(&character));
        let (plain, bar) = line.split_at(bar.unwrap_or(line.len()));
        let escaped = plain.replace('&', "&amp;").replace('<', "&lt;");
        let _ = writeln!(
            svg,
            "<text x=\"20\" y=\"{y}\" xml:space=\"preserve\">{escaped}<tspan class=\"bar\">{bar}</tspan></text>"
        );
    }
    svg.push_str("</svg>\n");
    svg
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_crates_of_the_picture_exist() {
        assert_eq!(unknown_crates(), [""; 0]);
    }

    #[test]
    fn text_is_escaped_and_bars_are_coloured() {
        let svg = terminal("a", "x < 1  \u{2588}\n");
        assert!(svg.contains("x &lt; 1  <tspan class=\"bar\">\u{2588}</tspan>"), "{svg}");
    }
}
