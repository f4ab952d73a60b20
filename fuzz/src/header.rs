//! Header rows of index files.

use ccfs_archive::{AnyRecord, Charset, ColumnType, IndexKind, ReadOptions, Records};

use crate::tape::Tape;

/// The bytes are a kind, the names of a header row, and the number of rows.
///
/// If at least half of the names are names of columns, each column gets the cells below its name, and the cells of other
/// names come last, in their order. A repeated name and the header of another kind are errors. Other headers do not panic.
pub fn header(input: &[u8]) {
    let mut tape = Tape::new(input);
    let kind = IndexKind::ALL[usize::from(tape.byte()) % IndexKind::ALL.len()];
    let rows = tape.byte() % 6;
    let names: Vec<String> = (0..tape.byte() % 24).map(|_| name(&mut tape, kind)).collect();

    let columns_of = |kind: IndexKind| -> Vec<Option<usize>> {
        let at = |name: &String| {
            kind.columns().iter().position(|column| letters(column.name()) == letters(name))
        };
        names.iter().map(at).collect()
    };
    let known = |kind: IndexKind| {
        let mut columns: Vec<usize> = columns_of(kind).into_iter().flatten().collect();
        columns.sort_unstable();
        columns.dedup();
        if columns.len() * 2 < names.len() { 0 } else { columns.len() }
    };
    let columns = columns_of(kind);
    let other_kind = IndexKind::ALL.into_iter().any(|other| known(other) > known(kind));
    let is_header = known(kind) > 0 && !other_kind;
    let is_repeated = columns.iter().flatten().count() > {
        let mut distinct: Vec<_> = columns.iter().flatten().collect();
        distinct.sort_unstable();
        distinct.dedup();
        distinct.len()
    };

    let mut writer = csv::Writer::from_writer(Vec::new());
    let mut expected = Vec::new();
    if !names.is_empty() {
        writer.write_record(&names).expect("a Vec takes all");
    }
    for row in 0..rows {
        let cell = |(at, column): (usize, &Option<usize>)| match column
            .map(|column| kind.columns()[column].column_type())
        {
            Some(ColumnType::Integer | ColumnType::Code) => format!("{row}{at}"),
            Some(ColumnType::LocalTime | ColumnType::UtcTime) => {
                format!("2024-01-{:02} 00:00:0{row}", at + 1)
            }
            _ => format!("text {row} {at}"),
        };
        let cells: Vec<String> = columns.iter().enumerate().map(cell).collect();
        if !cells.is_empty() {
            writer.write_record(&cells).expect("a Vec takes all");
        }
        let below = |wanted: Option<usize>| {
            let cells = cells.iter().zip(&columns).filter(move |(_, column)| **column == wanted);
            cells.map(|(cell, _)| cell.clone())
        };
        let in_order =
            (0..kind.columns().len()).map(|column| below(Some(column)).next().unwrap_or_default());
        expected.push(in_order.chain(below(None)).collect::<Vec<_>>());
    }
    let text = writer.into_inner().expect("a Vec takes all");

    let options = ReadOptions::new().charset(Charset::Utf8);
    let mut records = Records::<AnyRecord>::from_csv_with(text.as_slice(), kind, &options);
    let mut read = Vec::new();
    let result = loop {
        match records.next_record() {
            Ok(Some(record)) => {
                let cells = record.row().cells();
                read.push(cells.iter().map(str::to_owned).collect::<Vec<_>>());
            }
            Ok(None) => break Ok(()),
            Err(error) => break Err(error.to_string()),
        }
    };
    if is_header && !is_repeated {
        assert_eq!((result, read), (Ok(()), expected));
    } else if is_header || other_kind {
        assert!(result.is_err() && read.is_empty());
    }
}

/// A name of a column in one of its spellings, or any text without digits: it must not look like a cell.
fn name(tape: &mut Tape<'_>, kind: IndexKind) -> String {
    let choice = tape.byte();
    let kind = if choice & 0x40 == 0 { kind } else { IndexKind::ALL[usize::from(choice & 3)] };
    if let Some(column) = kind.columns().get(usize::from(choice & 0x1F)) {
        return match choice >> 5 {
            0 | 2 | 4 | 6 => column.name().to_owned(),
            1 | 3 => column.name().to_uppercase().replace('_', " "),
            _ => format!("  \"{}\"\t", column.name().replace('_', "-")),
        };
    }
    let is_kept = |char: &char| !char.is_ascii_digit() && !char.is_control() && *char != '\u{FEFF}';
    let text: String = tape.text().chars().filter(is_kept).collect();
    // A name must not be empty.
    format!("x{text}")
}

/// What counts in a name.
fn letters(name: &str) -> String {
    let letters = name.chars().filter(|char| char.is_ascii_alphanumeric() || !char.is_ascii());
    letters.collect::<String>().to_ascii_lowercase()
}
