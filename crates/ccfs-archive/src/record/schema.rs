//! Traits of records, their fields, and the macro that defines a record by a table of columns.

use std::fmt;

use ccfs_time::{LocalTime, Timestamp};

use super::column::{Column, ColumnType, Value};
use super::skills::SkillList;
use crate::code::{DeviceType, OperateType};
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
    /// The borrowed form, which readers return.
    type Ref<'a>: RecordRef<'a, Owned = Self>;

    /// Whether the rows of this file can be read as this record.
    fn reads(kind: IndexKind) -> bool;

    #[doc(hidden)]
    fn view(fields: Fields<'_>) -> Self::Ref<'_>;
}

/// A [`Record`] of exactly one kind of index file.
pub trait FileRecord: Record {
    /// The kind.
    const KIND: IndexKind;
}

/// The borrowed form of a [`Record`]. It can't be implemented elsewhere.
pub trait RecordRef<'a>: Copy + std::fmt::Debug + sealed::View<'a> {
    /// The form that owns its texts.
    type Owned;

    /// Copies the texts, with one allocation for each text cell.
    fn into_owned(self) -> Self::Owned;

    /// The row: its cells as text, its member and its line.
    fn row(&self) -> Row<'a> {
        self.fields().row
    }

    /// The kind of file that the record comes from.
    fn kind(&self) -> IndexKind {
        self.fields().schema.kind
    }

    /// The value of a column, by its index in [`IndexKind::columns`]; [`Value::Null`] for other indexes.
    ///
    /// ```
    /// use ccfs_archive::{AgentSkillChange, RecordRef, Records, Value};
    ///
    /// let mut rows = Records::<AgentSkillChange>::from_csv("r1,dev,acc,7".as_bytes());
    /// let row = rows.next_record()?.unwrap();
    /// assert_eq!((row.value(0), row.value(3)), (Value::Text("r1"), Value::Integer(7)));
    /// # Ok::<(), ccfs_archive::Error>(())
    /// ```
    fn value(&self, index: usize) -> Value<'a> {
        self.fields().value(index)
    }

    /// The code in a column, by its index: a number, or text that is one, as in `op_type` of agentOprInfo. `None` for
    /// other values.
    fn code(&self, index: usize) -> Option<i64> {
        self.fields().code(index)
    }

    /// Cells of unknown columns, which newer releases may add.
    fn extra(&self) -> Cells<'a> {
        self.fields().extra()
    }
}

pub(crate) mod sealed {
    use super::Fields;

    pub trait Sealed {}

    pub trait View<'a> {
        fn fields(&self) -> &Fields<'a>;
    }
}

/// The columns of an index file.
#[derive(Debug)]
pub(crate) struct Schema {
    pub(crate) kind: IndexKind,
    /// Name of the type of its records.
    pub(crate) name: &'static str,
    pub(crate) columns: &'static [Column],
    /// The names of codes, which an export may add as columns.
    pub(crate) code_names: &'static [CodeName],
}

/// A column that is not in the file, with the names of the codes in another column.
///
/// ```
/// use ccfs_archive::IndexKind;
///
/// let [names] = IndexKind::AgentSkillInfo.code_names() else { panic!("one column has codes") };
/// assert_eq!((names.label(), names.column()), ("operate_type_name", 8));
/// assert_eq!((names.name(1), names.name(9001)), (Some("sign in"), None));
/// ```
#[derive(Debug, Clone, Copy)]
pub struct CodeName {
    pub(crate) label: &'static str,
    pub(crate) code: usize,
    pub(crate) name: fn(i64) -> Option<&'static str>,
}

impl CodeName {
    /// Name of the column, such as `operate_type_name`.
    pub const fn label(&self) -> &'static str {
        self.label
    }

    /// Index in [`IndexKind::columns`] of the column with the codes.
    pub const fn column(&self) -> usize {
        self.code
    }

    /// Returns the name of a code; `None` if no name is published.
    pub fn name(&self, code: i64) -> Option<&'static str> {
        (self.name)(code)
    }
}

/// The fields of a record: its row, and the values of numbers and times.
#[derive(Clone, Copy)]
pub struct Fields<'a> {
    pub(crate) schema: &'static Schema,
    pub(crate) row: Row<'a>,
    /// One for each column; `Null` for types that are read from the row.
    pub(crate) values: &'a [Value<'static>],
}

impl<'a> Fields<'a> {
    #[inline]
    pub(crate) fn value(&self, index: usize) -> Value<'a> {
        match self.schema.columns.get(index).map(Column::column_type) {
            Some(ColumnType::Text) => self.text(index).map_or(Value::Null, Value::Text),
            Some(ColumnType::List) => Value::List(self.skills(index)),
            Some(_) => self.values[index],
            None => Value::Null,
        }
    }

    #[inline]
    pub(crate) fn text(&self, index: usize) -> Option<&'a str> {
        self.row.text(index)
    }

    #[inline]
    pub(crate) fn skills(&self, index: usize) -> SkillList<'a> {
        SkillList::new(self.text(index).unwrap_or_default())
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

    #[inline]
    pub(crate) fn operation(&self, index: usize) -> Option<OperateType> {
        self.int(index).map(OperateType::from)
    }

    #[inline]
    pub(crate) fn device(&self, index: usize) -> Option<DeviceType> {
        self.int(index).map(DeviceType::from)
    }

    /// The code in a column of codes, or in one of text that holds a number.
    pub(crate) fn code(&self, index: usize) -> Option<i64> {
        self.int(index).or_else(|| self.text(index)?.parse().ok())
    }

    pub(crate) fn extra(&self) -> Cells<'a> {
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

impl fmt::Debug for Fields<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut record = f.debug_struct(self.schema.name);
        for (index, column) in self.schema.columns.iter().enumerate() {
            record.field(column.name(), &self.value(index));
        }
        record.field("extra", &self.extra()).finish()
    }
}

#[cfg(feature = "serde")]
impl serde::Serialize for Fields<'_> {
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

/// Expands to the code for a type of column in each form of a record.
macro_rules! column {
    (owned text) => { Option<String> };
    (owned int) => { Option<i64> };
    (owned tenant) => { Option<crate::LocalTime> };
    (owned utc) => { Option<crate::Timestamp> };
    (owned operation) => { Option<crate::OperateType> };
    (owned device) => { Option<crate::DeviceType> };
    (owned skills) => { Vec<String> };

    (view text, $a:lifetime) => { Option<&$a str> };
    (view skills, $a:lifetime) => { crate::SkillList<$a> };
    (view $type:ident, $a:lifetime) => { column!(owned $type) };

    (type text) => { crate::ColumnType::Text };
    (type int) => { crate::ColumnType::Integer };
    (type tenant) => { crate::ColumnType::LocalTime };
    (type utc) => { crate::ColumnType::UtcTime };
    (type skills) => { crate::ColumnType::List };
    (type $type:ident) => { crate::ColumnType::Code };

    (own text, $value:expr) => { $value.map(str::to_owned) };
    (own skills, $value:expr) => { $value.iter().map(str::to_owned).collect() };
    (own $type:ident, $value:expr) => { $value };
}
pub(crate) use column;

/// Defines both forms of a record and their traits by a table of columns.
macro_rules! record {
    (
        $(#[$odoc:meta])* owned $owned:ident;
        $(#[$rdoc:meta])* borrowed $view:ident;
        kind $kind:ident;
        names { $( $label:literal $code:literal $codes:ident, )+ }
        columns { $( $(#[doc = $cdoc:literal])+ $index:literal $column:literal $name:ident: $type:ident, )+ }
    ) => {
        $(#[$odoc])*
        #[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
        #[cfg_attr(feature = "serde", derive(serde::Serialize))]
        pub struct $owned {
            $( $(#[doc = $cdoc])+ #[cfg_attr(feature = "serde", serde(rename = $column))] pub $name: column!(owned $type), )+
            /// Cells of unknown columns, which newer releases may add.
            #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Vec::is_empty"))]
            pub extra: Vec<String>,
        }

        $(#[$rdoc])*
        #[derive(Clone, Copy)]
        #[cfg_attr(feature = "serde", derive(serde::Serialize), serde(transparent))]
        pub struct $view<'a>(crate::record::Fields<'a>);

        impl<'a> $view<'a> {
            $( $(#[doc = $cdoc])+ #[inline] pub fn $name(&self) -> column!(view $type, 'a) {
                self.0.$type($index)
            } )+

            /// Cells of unknown columns, which newer releases may add.
            pub fn extra(&self) -> crate::csv::Cells<'a> {
                self.0.extra()
            }

            /// Copies the texts, with one allocation for each text cell.
            pub fn into_owned(self) -> $owned {
                $owned {
                    $( $name: column!(own $type, self.$name()), )+
                    extra: self.extra().iter().map(str::to_owned).collect(),
                }
            }

            /// The row: its cells as text, its member and its line.
            pub const fn row(&self) -> crate::csv::Row<'a> {
                self.0.row
            }
        }

        pub(crate) const SCHEMA: crate::record::Schema = crate::record::Schema {
            kind: crate::IndexKind::$kind,
            name: stringify!($owned),
            columns: &[$( crate::Column {
                name: $column,
                value_type: column!(type $type),
                meaning: concat!($( $cdoc ),+),
            } ),+],
            code_names: &[$( crate::record::CodeName {
                label: $label,
                code: $code,
                name: |code| crate::$codes::from(code).name(),
            } ),+],
        };

        impl crate::record::sealed::Sealed for $owned {}

        impl crate::Record for $owned {
            type Ref<'a> = $view<'a>;

            fn reads(kind: crate::IndexKind) -> bool {
                kind == crate::IndexKind::$kind
            }

            #[inline]
            fn view(fields: crate::record::Fields<'_>) -> $view<'_> {
                $view(fields)
            }
        }

        impl crate::FileRecord for $owned {
            const KIND: crate::IndexKind = crate::IndexKind::$kind;
        }

        impl<'a> crate::record::sealed::View<'a> for $view<'a> {
            fn fields(&self) -> &crate::record::Fields<'a> {
                &self.0
            }
        }

        impl<'a> crate::RecordRef<'a> for $view<'a> {
            type Owned = $owned;

            fn into_owned(self) -> $owned {
                self.into_owned()
            }
        }

        impl std::fmt::Debug for $view<'_> {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}
pub(crate) use record;
