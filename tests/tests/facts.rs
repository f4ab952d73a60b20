//! The code and `crates/ccfs-proto/docs/protocol.md` agree in both directions: codes, interfaces, fields, limits, columns.

use std::collections::BTreeSet;

use ccfs_archive::{CallDirection, ColumnType, DeviceType, IndexKind, OperateType, TaskStatus};
use ccfs_proto::ResultCode;
use ccfs_proto::answer::Advice;
use ccfs_proto::operation::{FieldForm, INTERFACES, Interface};

const DOCUMENT: &str = include_str!("../../crates/ccfs-proto/docs/protocol.md");
/// The success code of CC-CMS, which the document distinguishes.
const NEIGHBOURS_SUCCESS: &str = "0100000";

/// The text from a heading to the next one.
fn section(heading: &str) -> &'static str {
    let begin = DOCUMENT
        .find(&format!("\n## {heading}\n"))
        .unwrap_or_else(|| panic!("missing heading: {heading}"));
    DOCUMENT[begin + 1..].split("\n## ").next().unwrap()
}

/// The rows of a section's tables, each as its cells, without the line of dashes.
fn rows(section: &'static str) -> Vec<Vec<&'static str>> {
    let lines = section.lines().filter(|line| line.starts_with("| ") && !line.starts_with("|--"));
    lines.map(|line| line.trim_matches('|').split(" | ").map(str::trim).collect()).collect()
}

/// The text between backticks.
fn names(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2)
}

#[test]
fn result_codes_are_the_tables() {
    let told: Vec<String> =
        rows(section("Result codes")).into_iter().skip(1).map(|cells| cells.join(" | ")).collect();
    let known: Vec<String> = ResultCode::DOCUMENTED
        .iter()
        .map(|code| format!("`{code}` | {} | {}", code.meaning(), code.advice()))
        .collect();
    assert_eq!(told, known);
    let again: Vec<_> = ResultCode::DOCUMENTED
        .iter()
        .filter(|code| code.advice() == Advice::TryLater)
        .map(ResultCode::as_str)
        .collect();
    assert_eq!(again, ["0300008", "0300009"], "the ones that the document names");
}

#[test]
fn no_document_names_an_unknown_code() {
    let documents =
        [DOCUMENT, include_str!("../../docs/reliability.md"), include_str!("../../README.md")];
    for name in documents
        .into_iter()
        .flat_map(names)
        .filter(|name| name.len() == 7 && name.bytes().all(|byte| byte.is_ascii_digit()))
    {
        assert!(
            name == NEIGHBOURS_SUCCESS || !matches!(ResultCode::from(name), ResultCode::Other(_)),
            "{name}"
        );
    }
}

/// What the document says of an interface: the cells of its row, or for the two that the project exists for, the section.
fn told(interface: &Interface) -> (String, String) {
    let ours = section("Agent skill interfaces");
    if ours.contains(&format!("\n`{}` ", interface.name)) {
        return (interface.name.to_owned(), ours.to_owned());
    }
    let others = rows(section("Other interfaces"));
    let is_it = |cell: &str| cell.trim_matches('`').split('?').next() == Some(interface.name);
    let row = others
        .iter()
        .find(|cells| is_it(cells[0]))
        .unwrap_or_else(|| panic!("{} has no row", interface.name));
    (row[0].to_owned(), row[1].to_owned())
}

#[test]
fn interfaces_are_those_of_the_document() {
    let mut told: BTreeSet<&str> = rows(section("Other interfaces"))
        .iter()
        .skip(1)
        .map(|cells| cells[0].trim_matches('`'))
        .collect();
    // There a paragraph begins with the name.
    told.extend(
        section("Agent skill interfaces")
            .split("\n\n")
            .filter_map(|paragraph| paragraph.strip_prefix('`')?.split('`').next()),
    );
    let told: BTreeSet<&str> =
        told.into_iter().map(|name| name.split('?').next().unwrap()).collect();
    let known: BTreeSet<&str> = INTERFACES.iter().map(|interface| interface.name).collect();
    assert_eq!(told, known);
}

#[test]
fn fields_and_their_limits_are_those_of_the_document() {
    for interface in INTERFACES {
        let (name, mut text) = told(interface);
        assert_eq!(text.contains("unsigned"), !interface.signed, "{name}");
        if text.contains("as `queryAgentSkillInfoData`") {
            text.push_str(section("Agent skill interfaces"));
        }
        for field in interface.fields {
            let in_query = field.in_query && name.contains(&format!("?{}=", field.name));
            let named =
                in_query || names(&text).any(|told| told.split('=').next() == Some(field.name));
            assert!(named, "{name}: the document does not name {}", field.name);
            if let FieldForm::Text(limit) | FieldForm::Path(limit) | FieldForm::Url(limit) =
                field.form
            {
                // After its name, in the description of its row, or below the table.
                let behind = text.split(&format!("`{}` ", field.name)).nth(1).unwrap_or_default();
                let number: String = behind.chars().take_while(char::is_ascii_digit).collect();
                let below = section("Other interfaces").rsplit("\n|").next().unwrap();
                let ours = section("Agent skill interfaces")
                    .lines()
                    .find(|line| line.contains(&format!("| `{}` ", field.name)))
                    .unwrap_or_default();
                let is_told = |text: &str| {
                    text.split(|character: char| !character.is_ascii_digit())
                        .any(|word| word == limit.to_string())
                };
                let right = if number.is_empty() {
                    is_told(below) || is_told(&text) || is_told(ours)
                } else {
                    number == limit.to_string()
                };
                assert!(
                    right,
                    "{name}: {} takes {limit} characters, which the document does not say",
                    field.name
                );
            }
        }
    }
}

/// The reverse: a name in the cell of fields is a field, or one of the texts that a field accepts.
#[test]
fn the_document_names_no_unknown_field() {
    for interface in INTERFACES {
        let (name, text) = told(interface);
        if text.contains('\n') || text.starts_with("as `") {
            continue;
        }
        let texts: Vec<&str> = interface
            .fields
            .iter()
            .flat_map(|field| if let FieldForm::OneOf(texts) = field.form { texts } else { &[] })
            .copied()
            .collect();
        for told in names(&text) {
            let told = told.split('=').next().unwrap();
            // Methods and punctuation are not fields; the version is the same in every request.
            let no_field = told == "GET"
                || told == "version"
                || !told.starts_with(|character: char| character.is_ascii_lowercase());
            assert!(
                no_field || interface.field(told).is_some() || texts.contains(&told),
                "{name}: unknown field {told}"
            );
        }
    }
}

#[test]
fn columns_are_those_of_the_document() {
    let told = rows(section("Index file formats"));
    let told: Vec<&str> = told.iter().skip(1).map(|cells| cells[1].trim_matches('`')).collect();
    let columns = IndexKind::AgentSkillInfo.columns().iter();
    assert_eq!(told, columns.map(ccfs_archive::Column::name).collect::<Vec<_>>());
}

/// The page on columns is generated: on a difference, this test prints what it must be.
#[test]
fn the_page_on_columns_is_that_of_the_library() {
    use std::fmt::Write as _;
    let mut page = String::from(COLUMNS_INTRODUCTION);
    for kind in IndexKind::ALL {
        let _ = write!(page, "\n## {kind}\n\n| # | column | type | meaning |\n|---|---|---|---|\n");
        for (index, column) in kind.columns().iter().enumerate() {
            let column_type = match column.column_type() {
                ColumnType::Text => "text",
                ColumnType::Integer => "integer",
                ColumnType::Code => "code",
                ColumnType::LocalTime => "local time",
                ColumnType::UtcTime => "UTC",
                ColumnType::List => "list of text",
                other => panic!("{other:?} has no word"),
            };
            let (name, meaning) = (column.name(), column.meaning());
            let _ = writeln!(page, "| {} | `{name}` | {column_type} | {meaning} |", index + 1);
        }
    }
    let mut codes = |title: &str, names: Vec<(i64, &str)>| {
        let _ = write!(page, "\n## {title}\n\n| code | name |\n|---|---|\n");
        for (code, name) in names {
            let _ = writeln!(page, "| {code} | {name} |");
        }
    };
    codes("Operation types", named(OperateType::KNOWN, |code| (code.code(), code.name())));
    codes("Device types", named(DeviceType::KNOWN, |code| (code.code(), code.name())));
    codes("Call directions", named(CallDirection::KNOWN, |code| (code.code(), code.name())));
    codes("Task states", named(TaskStatus::KNOWN, |code| (code.code(), code.name())));
    let committed = include_str!("../../docs/columns.md");
    assert!(committed == page, "docs/columns.md must be:\n{page}");
}

fn named<C: Copy>(
    codes: &[C],
    name: impl Fn(C) -> (i64, Option<&'static str>),
) -> Vec<(i64, &'static str)> {
    codes.iter().map(|&code| name(code)).map(|(code, name)| (code, name.unwrap())).collect()
}

const COLUMNS_INTRODUCTION: &str = "# Columns of the index files

`IndexKind::columns()` of `ccfs-archive` returns the same data. [From ZIPs to answers](analysis.md) has queries.

- Every cell may be empty. The value of an empty cell is null, or an empty list for lists.
- *Local time* is `YYYY-MM-DD hh:mm:ss` in the time zone of the call center, *UTC* is the same format in UTC. Integers have 64 bits.
- A *code* is an integer from an open set. The tables below have the published codes; unknown codes are kept as numbers.
  `ccfs convert --names` writes their names. CC-FS does not publish the codes of `operate_type` in agentSkillInfo; the names
  used here are those of the agent operation types, the closest published list.
- Some columns are documented as text although they hold codes: `op_type` of agentOprInfo (operation types), `task_status`
  and `call_type` of record (task states, call directions).
- Cells after the last documented column, which newer releases may add, are in `extra`.
";
