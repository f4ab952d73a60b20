//! Options of reading, from the arguments of Python.

use ccfs::archive::{Charset, IndexKind, OnBadRow, ReadOptions};
use ccfs::arrow::Options;
use ccfs::pull::Zone;
use pyo3::prelude::*;

use crate::arguments::whole;
use crate::errors::{invalid, of_arrow};

/// Returns the kind of this name.
pub(crate) fn kind(name: &str) -> PyResult<IndexKind> {
    let names = || IndexKind::ALL.map(IndexKind::as_str).join(", ");
    IndexKind::ALL.into_iter().find(|kind| kind.as_str() == name).ok_or_else(|| {
        invalid(format!("{name:?} is not a kind of index file; use one of {}", names()))
    })
}

/// Returns the action of this name.
pub(crate) fn on_bad_row(name: &str) -> PyResult<OnBadRow> {
    match name {
        "stop" => Ok(OnBadRow::Stop),
        "skip" => Ok(OnBadRow::Skip),
        _ => Err(invalid(format!("on_bad_row is {name:?}; use \"stop\" or \"skip\""))),
    }
}

/// Returns the charset of this name, in any case.
pub(crate) fn charset(name: &str) -> PyResult<Charset> {
    let names = || Charset::ALL.map(Charset::as_str).join(", ");
    let found = Charset::ALL.into_iter().find(|one| one.as_str().eq_ignore_ascii_case(name));
    found.ok_or_else(|| invalid(format!("charset is {name:?}; use one of {}", names())))
}

/// Returns the time zone of this name.
pub(crate) fn zone(name: &str) -> PyResult<Zone> {
    Zone::named(name).map_err(invalid)
}

/// What is read of an archive.
#[derive(Clone)]
pub(crate) struct Selection {
    pub(crate) kind: IndexKind,
    pub(crate) read: ReadOptions,
    pub(crate) options: Options,
}

impl Selection {
    pub(crate) fn new(
        kind: IndexKind,
        columns: Option<&[String]>,
        on_bad_row: OnBadRow,
        tz: Option<&str>,
        batch_size: i64,
    ) -> PyResult<Self> {
        let rows = whole("batch_size", batch_size, 1..=1 << 20)?;
        let mut options = Options::new().batch_rows(rows);
        if let Some(name) = tz {
            let zone = zone(name)?;
            let name = zone.name().to_owned();
            options = options.time_zone(&name, move |time| zone.offset(time));
        }
        let mut read = ReadOptions::new().on_bad_row(on_bad_row);
        if let Some(columns) = columns {
            options = options.columns(columns.iter().map(String::as_str));
            read = read.columns(options.file_columns(kind).map_err(of_arrow)?).map_err(invalid)?;
        }
        Ok(Self { kind, read, options })
    }

    /// Sets the charset of all members, instead of detecting it.
    pub(crate) fn charset(mut self, name: Option<&str>) -> PyResult<Self> {
        if let Some(name) = name {
            self.read = self.read.charset(charset(name)?);
        }
        Ok(self)
    }
}
