//! Causes of errors.

use std::io;

use arrow_schema::ArrowError;
use ccfs_archive::Error;

/// Cause of an [`ArrowError`] that this crate returned.
///
/// ```
/// use ccfs_archive::{AgentSkillChange, IndexKind, Records};
/// use ccfs_arrow::{Batches, Cause, Options};
///
/// let records = Records::<AgentSkillChange>::from_csv("r1,dev,acc,7\nr2,dev,acc,x\n".as_bytes());
/// let mut batches = Batches::new(records, IndexKind::AgentSkillInfo, &Options::new())?;
/// assert_eq!(batches.next().unwrap()?.num_rows(), 1);
/// let error = batches.next().unwrap().unwrap_err();
/// let Cause::Archive(ccfs_archive::Error::Row(row)) = Cause::from(error) else { panic!("a bad row") };
/// assert_eq!(row.at.line, Some(2));
/// # Ok::<(), arrow_schema::ArrowError>(())
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub enum Cause {
    /// Reading the records failed.
    Archive(Error),
    /// Reading or writing a Parquet file failed.
    Io(io::Error),
    /// Another error, such as a column that the schema does not have.
    Arrow(ArrowError),
}

impl From<ArrowError> for Cause {
    fn from(error: ArrowError) -> Self {
        let ArrowError::ExternalError(source) = error else { return Self::Arrow(error) };
        match source.downcast::<Error>() {
            Ok(error) => Self::Archive(*error),
            Err(source) => match source.downcast::<io::Error>() {
                Ok(error) => Self::Io(*error),
                Err(source) => Self::Arrow(ArrowError::ExternalError(source)),
            },
        }
    }
}

/// Returns an error of the archive so that callers can downcast it.
pub(crate) fn external(error: Error) -> ArrowError {
    ArrowError::ExternalError(Box::new(error))
}
