//! The columns of a schema, and the values that they are made from.

use std::sync::Arc;

use arrow_schema::{ArrowError, DataType, Field, FieldRef, Metadata, Schema, SchemaRef, TimeUnit};
use ccfs_archive::{CodeName, ColumnType, IndexKind};

use crate::options::Options;

/// Key of the schema's metadata with the name of the time zone, if [`Options::time_zone`] is set: `ccfs.time_zone`.
pub const TIME_ZONE: &str = "ccfs.time_zone";

/// Returns the schema of a kind of index file.
///
/// It depends only on the arguments, so that all files of a kind have the same schema. All columns are nullable.
///
/// | columns | type |
/// |---|---|
/// | those of the file with its names and in its order ([`IndexKind::columns`]): | |
/// | - text | `Utf8` |
/// | - integers and codes | `Int64` |
/// | - lists | `List<Utf8>`, items named `element`; empty for an empty cell |
/// | - local times of the call center | `Timestamp(Microsecond, None)` |
/// | - UTC (`update_time`) | `Timestamp(Microsecond, "UTC")` |
/// | with [`Options::time_zone`], `x_utc` for each column `x` of local times | `Timestamp(Microsecond, "UTC")` |
/// | names of codes ([`IndexKind::code_names`]), such as `operate_type_name`; null for unknown codes | `Utf8` |
/// | `extra`: the cells after the last known column | `List<Utf8>` |
///
/// ```
/// use arrow_schema::DataType;
/// use ccfs_archive::IndexKind;
/// use ccfs_arrow::Options;
///
/// let schema = ccfs_arrow::schema(IndexKind::AgentSkillInfo, &Options::new())?;
/// assert_eq!(schema.field(0).name(), "id");
/// assert_eq!(schema.field_with_name("agent_id")?.data_type(), &DataType::Int64);
/// # Ok::<(), arrow_schema::ArrowError>(())
/// ```
///
/// # Errors
///
/// [`ArrowError::SchemaError`] if [`Options::columns`] names a column twice, or one that the schema does not have.
pub fn schema(kind: IndexKind, options: &Options) -> Result<SchemaRef, ArrowError> {
    Ok(Layout::new(kind, options)?.schema)
}

/// A schema, and the origin of each of its columns.
#[derive(Debug, Clone)]
pub(crate) struct Layout {
    pub(crate) kind: IndexKind,
    pub(crate) schema: SchemaRef,
    pub(crate) origins: Vec<Origin>,
}

/// The values that a column is made from.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Origin {
    /// The column of the file with this index.
    Value(usize),
    /// The local times in the column with this index, as UTC.
    Utc(usize),
    /// The names of codes.
    Name(CodeName),
    /// The cells after the last known column.
    Extra,
}

impl Layout {
    pub(crate) fn new(kind: IndexKind, options: &Options) -> Result<Self, ArrowError> {
        let all = all_columns(kind, options.zone.is_some());
        let selected = match &options.columns {
            None => all,
            Some(names) => names
                .iter()
                .enumerate()
                .map(|(index, name)| {
                    if names[..index].contains(name) {
                        let message = format!("column {name:?} is selected twice; name it once");
                        return Err(ArrowError::SchemaError(message));
                    }
                    all.iter()
                        .find(|(field, _)| field.name() == name)
                        .cloned()
                        .ok_or_else(|| unknown(kind, name, &all))
                })
                .collect::<Result<_, _>>()?,
        };
        let (fields, origins): (Vec<_>, Vec<_>) = selected.into_iter().unzip();
        let zone = options.zone.iter().map(|zone| (TIME_ZONE.to_owned(), zone.name.to_string()));
        let schema = Schema::new(fields).with_metadata(zone.collect::<Metadata>());
        Ok(Self { kind, schema: Arc::new(schema), origins })
    }

    /// Indexes of the columns of the file that are needed, in any order and with repetitions.
    pub(crate) fn file_columns(&self) -> impl Iterator<Item = usize> {
        self.origins.iter().filter_map(|origin| match origin {
            Origin::Value(index) | Origin::Utc(index) => Some(*index),
            Origin::Name(names) => Some(names.column()),
            Origin::Extra => None,
        })
    }
}

impl Options {
    /// Returns the columns of the file that the selected columns are made from, for
    /// [`ReadOptions::columns`](ccfs_archive::ReadOptions::columns).
    ///
    /// ```
    /// use ccfs_archive::{IndexKind, ReadOptions};
    /// use ccfs_arrow::Options;
    ///
    /// let options = Options::new().columns(["agent_id", "operate_type_name"]);
    /// let names = options.file_columns(IndexKind::AgentSkillInfo)?;
    /// assert_eq!(names, ["agent_id", "operate_type"]);
    /// let read = ReadOptions::new().columns(names)?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As [`schema`](crate::schema).
    pub fn file_columns(&self, kind: IndexKind) -> Result<Vec<&'static str>, ArrowError> {
        let layout = Layout::new(kind, self)?;
        let is_used = |index: &usize| layout.file_columns().any(|used| used == *index);
        let columns = kind.columns();
        Ok((0..columns.len()).filter(is_used).map(|index| columns[index].name()).collect())
    }
}

fn all_columns(kind: IndexKind, has_zone: bool) -> Vec<(FieldRef, Origin)> {
    let field = |name: &str, data_type| Arc::new(Field::new(name, data_type, true));
    let columns = || kind.columns().iter().enumerate();
    let mut all: Vec<_> = columns()
        .map(|(index, column)| {
            (field(column.name(), data_type(column.column_type())), Origin::Value(index))
        })
        .collect();
    if has_zone {
        let local = columns().filter(|(_, column)| column.column_type() == ColumnType::LocalTime);
        all.extend(local.map(|(index, column)| {
            let name = format!("{}_utc", column.name());
            (field(&name, data_type(ColumnType::UtcTime)), Origin::Utc(index))
        }));
    }
    let names = kind.code_names().iter();
    all.extend(names.map(|names| (field(names.label(), DataType::Utf8), Origin::Name(*names))));
    all.push((field("extra", data_type(ColumnType::List)), Origin::Extra));
    all
}

pub(crate) fn data_type(column: ColumnType) -> DataType {
    match column {
        ColumnType::Integer | ColumnType::Code => DataType::Int64,
        ColumnType::LocalTime => DataType::Timestamp(TimeUnit::Microsecond, None),
        ColumnType::UtcTime => DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
        // The name that the Parquet specification gives to items, so that files are read back with the same schema.
        ColumnType::List => DataType::List(Arc::new(Field::new("element", DataType::Utf8, true))),
        // Text, and types of newer versions of ccfs-archive.
        _ => DataType::Utf8,
    }
}

#[cold]
fn unknown(kind: IndexKind, name: &str, all: &[(FieldRef, Origin)]) -> ArrowError {
    let names: Vec<&str> = all.iter().map(|(field, _)| field.name().as_str()).collect();
    ArrowError::SchemaError(format!("{kind} has no column {name:?}; it has {}", names.join(", ")))
}
