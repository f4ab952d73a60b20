//! Options of conversion.

use std::fmt;
use std::sync::Arc;

use ccfs_archive::LocalTime;

/// Options of schemas and batches.
///
/// ```
/// use ccfs_archive::IndexKind;
/// use ccfs_arrow::Options;
///
/// let options = Options::new().columns(["agent_id", "operate_time", "operate_time_utc"]).time_zone("Asia/Shanghai", |_| Some(8 * 3600));
/// let schema = ccfs_arrow::schema(IndexKind::AgentSkillInfo, &options)?;
/// assert_eq!(schema.field(2).name(), "operate_time_utc");
/// # Ok::<(), arrow_schema::ArrowError>(())
/// ```
#[derive(Debug, Clone)]
pub struct Options {
    pub(crate) batch_rows: usize,
    pub(crate) columns: Option<Vec<String>>,
    pub(crate) zone: Option<Zone>,
}

/// Returns the seconds east of UTC at a local time.
type Offset = dyn Fn(LocalTime) -> Option<i32> + Send + Sync;

/// The time zone of the call center.
#[derive(Clone)]
pub(crate) struct Zone {
    pub(crate) name: Arc<str>,
    pub(crate) offset: Arc<Offset>,
}

impl Options {
    /// Default options: batches of 8,192 rows, all columns, no time zone.
    #[must_use]
    pub const fn new() -> Self {
        Self { batch_rows: 8192, columns: None, zone: None }
    }

    /// Sets the number of rows of a batch: 1 to 1,048,576; other values count as the nearest of these. Default: 8,192.
    ///
    /// The last batch may have fewer rows, and so may a batch before an error, or one with 8 MiB of text.
    #[must_use]
    pub const fn batch_rows(mut self, rows: usize) -> Self {
        const MOST: usize = 1 << 20;
        self.batch_rows = if rows == 0 {
            1
        } else if rows > MOST {
            MOST
        } else {
            rows
        };
        self
    }

    /// Selects columns of the schema by their names, in this order. Default: all.
    ///
    /// Columns that are not selected are read and checked, but not converted. To skip them while reading, pass
    /// [`file_columns`](Self::file_columns) to [`ReadOptions::columns`](ccfs_archive::ReadOptions::columns).
    #[must_use]
    pub fn columns<'n>(mut self, names: impl IntoIterator<Item = &'n str>) -> Self {
        self.columns = Some(names.into_iter().map(str::to_owned).collect());
        self
    }

    /// Sets the time zone of the call center. Adds a column `x_utc` for each column `x` of local times. Default: none.
    ///
    /// `name` is the IANA name of the time zone; it becomes the entry [`TIME_ZONE`](crate::TIME_ZONE) of the schema's
    /// metadata. `offset` returns the seconds east of UTC at a local time, or `None` for null in the column `x_utc`.
    /// For an hour that is repeated or skipped because clocks change, it should return the offset before the change;
    /// for a repeated hour, that is the offset of the earlier instant.
    #[must_use]
    pub fn time_zone(
        mut self,
        name: &str,
        offset: impl Fn(LocalTime) -> Option<i32> + Send + Sync + 'static,
    ) -> Self {
        self.zone = Some(Zone { name: name.into(), offset: Arc::new(offset) });
        self
    }
}

impl Default for Options {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Zone({})", self.name)
    }
}
