//! `ccfs.to_parquet`.

use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use ccfs::archive::{Archive, IndexKind, Member, ReadOptions};
use ccfs::arrow::{ParquetOptions, ParquetWriter};
use ccfs::{Overwrite, WholeFile};
use pyo3::prelude::*;

use crate::errors::{invalid, of_archive, of_arrow, of_file};
use crate::options::{Selection, kind as kind_of, on_bad_row as action_of};
use crate::reading::{Reading, State};
use crate::source::Source;

/// Converts the records of an archive to a Parquet file, and returns their number.
#[pyfunction]
#[pyo3(signature = (
    source, target, kind=None, tz=None, on_bad_row="stop", overwrite=false, charset=None,
))]
#[expect(clippy::too_many_arguments, reason = "they have names in Python")]
pub(crate) fn to_parquet(
    py: Python<'_>,
    source: Source,
    target: PathBuf,
    kind: Option<&str>,
    tz: Option<&str>,
    on_bad_row: &str,
    overwrite: bool,
    charset: Option<&str>,
) -> PyResult<u64> {
    let (kind, action) = (kind.map(kind_of).transpose()?, action_of(on_bad_row)?);
    let overwrite = if overwrite { Overwrite::Replace } else { Overwrite::Refuse };
    py.detach(|| {
        let kind = kind.map_or_else(|| only_kind(&source), Ok)?;
        let selection = Selection::new(kind, None, action, tz, 8192)?.charset(charset)?;
        let state = Arc::new(Mutex::new(State::default()));
        let mut reading = Reading::begin(&source, &selection, &state)?;
        let mut file = WholeFile::create(target, overwrite).map_err(of_file)?;
        let options = ParquetOptions::new();
        let mut writer =
            ParquetWriter::new(&mut file, &reading.schema(), &options).map_err(of_arrow)?;
        while let Some(batch) = Python::attach(|py| reading.next_checked(py))? {
            writer.write(&batch).map_err(of_arrow)?;
        }
        let rows = writer.finish().map_err(of_arrow)?;
        let length = file.written();
        file.commit(length).map_err(of_file)?;
        Ok(rows)
    })
}

/// Returns the kind of an archive with files of one kind.
fn only_kind(source: &Source) -> PyResult<IndexKind> {
    let archive = Archive::open_with(source.open()?, &ReadOptions::new()).map_err(of_archive)?;
    let mut kinds: Vec<_> = archive.members().iter().filter_map(Member::kind).collect();
    kinds.sort_unstable();
    kinds.dedup();
    match kinds[..] {
        [kind] => Ok(kind),
        [] => Err(invalid("the archive has no index file of a known kind; pass the kind")),
        _ => {
            let names: Vec<_> = kinds.iter().map(|kind| kind.as_str()).collect();
            let names = names.join(" and ");
            Err(invalid(format!(
                "the archive has {names} files, whose columns differ; pass the kind"
            )))
        }
    }
}
