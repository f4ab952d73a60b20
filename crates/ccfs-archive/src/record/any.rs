//! A record of any of the four kinds, and the traits of records.

use std::fmt;

use ccfs_time::{LocalTime, Timestamp};

use super::{
    AgentOperation, AgentSkillChange, Call, CodeName, Column, ColumnType, Recording, Schema,
    SkillList, Value, agent_operation, agent_skill, call, recording,
};
use crate::csv::{Cells, Row};
use crate::kind::IndexKind;

/// A type of record that rows can be read as.
///
/// Implemented by [`AgentSkillChange`](crate::AgentSkillChange), [`AgentOperation`](crate::AgentOperation),
/// [`Recording`](crate::Recording), [`Call`](crate::Call), each for its own file, and by
/// [`AnyRecord`](crate::AnyRecord) for all four. It can't be implemented elsewhere.
///
/// The type itself owns its texts; [`Ref`](Record::Ref) borrows them and needs no allocation.
pub trait Record: Sized + std::fmt::Debug + sealed::Sealed {
    /// The borrowed form, which readers return. It has the methods of [`AnyRecordRef`].
    type Ref<'a>: Copy + std::fmt::Debug + Into<AnyRecordRef<'a>>;

    /// The files whose rows can be read as this record.
    const KINDS: &'static [IndexKind];

    /// Copies the texts, with one allocation for each text cell: `into_owned` of the borrowed form.
    fn from_ref(record: Self::Ref<'_>) -> Self;

    #[doc(hidden)]
    fn view(record: AnyRecordRef<'_>) -> Self::Ref<'_>;
}

/// A [`Record`] of exactly one kind of index file.
pub trait FileRecord: Record {
    /// The kind.
    const KIND: IndexKind;
}

pub(crate) mod sealed {
    pub trait Sealed {}
}

/// A record of any of the four kinds, owning its texts. Serialized like the record in it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize), serde(untagged))]
#[non_exhaustive]
pub enum AnyRecord {
    /// A row of the file [`AgentSkillInfo`](IndexKind::AgentSkillInfo).
    AgentSkillInfo(AgentSkillChange),
    /// A row of the file [`AgentOprInfo`](IndexKind::AgentOprInfo).
    AgentOprInfo(AgentOperation),
    /// A row of the file [`Record`](IndexKind::Record).
    Record(Recording),
    /// A row of the file [`Call`](IndexKind::Call).
    Call(Call),
}

impl sealed::Sealed for AnyRecord {}

impl Record for AnyRecord {
    type Ref<'a> = AnyRecordRef<'a>;

    const KINDS: &'static [IndexKind] = &IndexKind::ALL;

    fn from_ref(record: AnyRecordRef<'_>) -> Self {
        record.into_owned()
    }

    #[inline]
    fn view(record: AnyRecordRef<'_>) -> AnyRecordRef<'_> {
        record
    }
}

/// A record of any kind, borrowed from the reader: its row, and the values of numbers and times.
///
/// Serialized like the record of its kind, which [`read_as`](Self::read_as) returns.
#[derive(Clone, Copy)]
pub struct AnyRecordRef<'a> {
    pub(crate) schema: &'static Schema,
    pub(crate) row: Row<'a>,
    /// One for each column; `Null` for types that are read from the row.
    pub(crate) values: &'a [Value<'static>],
}

impl<'a> AnyRecordRef<'a> {
    /// The kind of file that the record comes from.
    pub const fn kind(&self) -> IndexKind {
        self.schema.kind
    }

    /// Returns the record of one kind of file; `None` if this record comes from another kind.
    ///
    /// ```
    /// use ccfs_archive::{AgentSkillChange, AnyRecord, Call, IndexKind, ReadOptions, Records};
    ///
    /// let (csv, kind) = ("r1,dev,acc,7".as_bytes(), IndexKind::AgentSkillInfo);
    /// let mut rows = Records::<AnyRecord>::from_csv_with(csv, kind, &ReadOptions::new());
    /// let row = rows.next_record()?.unwrap();
    /// assert_eq!(row.read_as::<AgentSkillChange>().unwrap().sub_cc_no(), Some(7));
    /// assert!(row.read_as::<Call>().is_none());
    /// # Ok::<(), ccfs_archive::Error>(())
    /// ```
    pub fn read_as<T: FileRecord>(self) -> Option<T::Ref<'a>> {
        (self.kind() == T::KIND).then(|| T::view(self))
    }

    /// Copies the texts, with one allocation for each text cell.
    pub fn into_owned(self) -> AnyRecord {
        match self.kind() {
            IndexKind::AgentSkillInfo => {
                AnyRecord::AgentSkillInfo(AgentSkillChange::view(self).into_owned())
            }
            IndexKind::AgentOprInfo => {
                AnyRecord::AgentOprInfo(AgentOperation::view(self).into_owned())
            }
            IndexKind::Record => AnyRecord::Record(Recording::view(self).into_owned()),
            IndexKind::Call => AnyRecord::Call(Call::view(self).into_owned()),
        }
    }

    /// The row: its cells as text, its member and its line.
    pub const fn row(&self) -> Row<'a> {
        self.row
    }

    /// The value of a column, by its index in [`IndexKind::columns`]; [`Value::Null`] for other indexes.
    ///
    /// ```
    /// use ccfs_archive::{AgentSkillChange, Records, Value};
    ///
    /// let mut rows = Records::<AgentSkillChange>::from_csv("r1,dev,acc,7".as_bytes());
    /// let row = rows.next_record()?.unwrap();
    /// assert_eq!((row.value(0), row.value(3)), (Value::Text("r1"), Value::Integer(7)));
    /// # Ok::<(), ccfs_archive::Error>(())
    /// ```
    #[inline]
    pub fn value(&self, index: usize) -> Value<'a> {
        match self.schema.columns.get(index).map(Column::column_type) {
            Some(ColumnType::Text) => self.row.text(index).map_or(Value::Null, Value::Text),
            Some(ColumnType::List) => Value::List(self.skills(index)),
            Some(_) => self.values[index],
            None => Value::Null,
        }
    }

    #[inline]
    pub(crate) fn skills(&self, index: usize) -> SkillList<'a> {
        SkillList::new(self.row.text(index).unwrap_or_default())
    }

    #[inline]
    pub(crate) fn int(&self, index: usize) -> Option<i64> {
        match *self.values.get(index)? {
            Value::Integer(number) | Value::Code(number) => Some(number),
            _ => None,
        }
    }

    #[inline]
    pub(crate) fn tenant(&self, index: usize) -> Option<LocalTime> {
        if let Value::LocalTime(time) = self.values[index] { Some(time) } else { None }
    }

    #[inline]
    pub(crate) fn utc(&self, index: usize) -> Option<Timestamp> {
        if let Value::UtcTime(time) = self.values[index] { Some(time) } else { None }
    }

    /// The code in the column with this index: a number, or text that is a number, as in `op_type` of agentOprInfo.
    /// `None` for other values.
    pub fn code(&self, index: usize) -> Option<i64> {
        self.int(index).or_else(|| self.row.text(index)?.parse().ok())
    }

    /// The time of the event, in local time of the call center: `operate_time`, `begin_time`, `call_begin` or
    /// `wait_begin`.
    pub fn event_time(&self) -> Option<LocalTime> {
        self.tenant(self.schema.event_time)
    }

    /// Cells of unknown columns, which newer releases may add.
    pub fn extra(&self) -> Cells<'a> {
        self.row.cells_from(self.schema.columns.len())
    }

    /// The names of the codes, if they have one.
    #[cfg(feature = "json")]
    pub(crate) fn code_names(&self) -> impl Iterator<Item = (&'static str, Option<&'static str>)> {
        self.schema
            .code_names
            .iter()
            .map(|code_name| (code_name.label, self.code(code_name.code).and_then(code_name.name)))
    }
}

impl fmt::Debug for AnyRecordRef<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut record = f.debug_struct(self.schema.name);
        for (index, column) in self.schema.columns.iter().enumerate() {
            record.field(column.name, &self.value(index));
        }
        record.field("extra", &self.extra()).finish()
    }
}

#[cfg(feature = "serde")]
impl serde::Serialize for AnyRecordRef<'_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeStruct;
        let (columns, extra) = (self.schema.columns, self.extra());
        let fields = columns.len() + usize::from(!extra.is_empty());
        let mut record = serializer.serialize_struct(self.schema.name, fields)?;
        for (index, column) in columns.iter().enumerate() {
            record.serialize_field(column.name, &self.value(index))?;
        }
        if !extra.is_empty() {
            record.serialize_field("extra", &extra)?;
        }
        record.end()
    }
}

impl IndexKind {
    /// The columns of the file, in order.
    ///
    /// ```
    /// use ccfs_archive::{ColumnType, IndexKind};
    ///
    /// let columns = IndexKind::AgentSkillInfo.columns();
    /// assert_eq!(columns[6].name(), "operate_time");
    /// assert_eq!(columns[6].column_type(), ColumnType::LocalTime);
    /// ```
    pub const fn columns(self) -> &'static [Column] {
        self.schema().columns
    }

    /// The columns with names of codes, which are not in the file; an export can add them.
    pub const fn code_names(self) -> &'static [CodeName] {
        self.schema().code_names
    }

    pub(crate) const fn schema(self) -> &'static Schema {
        match self {
            Self::AgentSkillInfo => &agent_skill::SCHEMA,
            Self::AgentOprInfo => &agent_operation::SCHEMA,
            Self::Record => &recording::SCHEMA,
            Self::Call => &call::SCHEMA,
        }
    }

    /// Returns the index of a column by its name.
    pub fn column(self, name: &str) -> Option<usize> {
        self.columns().iter().position(|column| column.name() == name)
    }
}
