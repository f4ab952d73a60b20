//! Traits and columns of records, and the macro that defines a record by a table of columns.

use ccfs_time::{LocalTime, Timestamp};

use super::skills::SkillList;
use crate::csv::{Cell, Row};
use crate::error::RowFault;
use crate::kind::IndexKind;

/// A type of record that rows can be read as.
///
/// Implemented by [`AgentSkillChange`](crate::AgentSkillChange), [`AgentOperation`](crate::AgentOperation),
/// [`Recording`](crate::Recording), [`Call`](crate::Call), each for its own file, and by
/// [`AnyRecord`](crate::AnyRecord) for all four. It can't be implemented elsewhere.
///
/// The type itself owns its texts; [`Ref`](Record::Ref) borrows them and needs no allocation.
pub trait Record: Sized + std::fmt::Debug + sealed::Schema {
    /// The borrowed form, which readers return.
    type Ref<'a>: RecordRef<'a, Owned = Self>;

    /// Whether the rows of this file can be read as this record.
    fn reads(kind: IndexKind) -> bool;

    #[doc(hidden)]
    fn view<'a>(row: Row<'a>, values: &'a Self::Values) -> Self::Ref<'a>;
}

/// A [`Record`] of exactly one kind of index file.
pub trait FileRecord: Record {
    /// The kind.
    const KIND: IndexKind;
}

/// The borrowed form of a [`Record`]. It can't be implemented elsewhere.
pub trait RecordRef<'a>: Copy + std::fmt::Debug + sealed::View {
    /// The form that owns its texts.
    type Owned;

    /// Copies the texts, with one allocation for each text cell.
    fn into_owned(self) -> Self::Owned;

    /// The row: its cells as text, its member and its line.
    fn row(&self) -> Row<'a>;

    /// The kind of file that the record comes from.
    fn kind(&self) -> IndexKind;

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
    fn value(&self, index: usize) -> Value<'a>;
}

/// A column of an index file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Column {
    pub(crate) name: &'static str,
    pub(crate) value_type: ColumnType,
    pub(crate) meaning: &'static str,
}

impl Column {
    /// Name of the column, as in the documentation of CC-FS.
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// Type of its values.
    pub const fn column_type(&self) -> ColumnType {
        self.value_type
    }

    /// Whether a value may be absent: an empty cell is [`Value::Null`], except in lists, where it is an empty list.
    pub const fn is_nullable(&self) -> bool {
        !matches!(self.value_type, ColumnType::List)
    }

    /// What the column means, in a sentence.
    pub const fn meaning(&self) -> &'static str {
        self.meaning.trim_ascii()
    }
}

/// Type of the values of a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize), serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum ColumnType {
    /// Text.
    Text,
    /// A whole number of 64 bits.
    Integer,
    /// A number from an open set of codes, such as [`OperateType`](crate::OperateType). Known codes have names.
    Code,
    /// Local time of the call center, in seconds.
    LocalTime,
    /// UTC, in seconds.
    UtcTime,
    /// A list of texts.
    List,
}

/// Value of a column, borrowed from the reader.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Value<'a> {
    /// The cell is empty or missing.
    Null,
    /// A value of [`ColumnType::Text`].
    Text(&'a str),
    /// A value of [`ColumnType::Integer`].
    Integer(i64),
    /// A value of [`ColumnType::Code`].
    Code(i64),
    /// A value of [`ColumnType::LocalTime`].
    LocalTime(LocalTime),
    /// A value of [`ColumnType::UtcTime`].
    UtcTime(Timestamp),
    /// A value of [`ColumnType::List`].
    List(SkillList<'a>),
}

#[cfg(feature = "serde")]
impl serde::Serialize for Value<'_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Null => serializer.serialize_none(),
            Self::Text(text) => serializer.serialize_some(text),
            Self::Integer(number) | Self::Code(number) => serializer.serialize_some(number),
            Self::LocalTime(time) => serializer.serialize_some(time),
            Self::UtcTime(time) => serializer.serialize_some(time),
            Self::List(list) => serializer.collect_seq(list.iter()),
        }
    }
}

/// A cell that does not fit its column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CellFault {
    pub(crate) column: usize,
    pub(crate) fault: RowFault,
}

/// Internal conversion of rows to records.
pub(crate) mod sealed {
    use super::{Cell, CellFault, Column, IndexKind};

    pub trait View {}

    pub trait Schema {
        /// Parsed values that borrow nothing: numbers and times.
        type Values: Default + std::fmt::Debug + Send;

        fn columns(kind: IndexKind) -> &'static [Column];

        fn code_labels(kind: IndexKind) -> &'static [&'static str];

        fn parse(
            kind: IndexKind,
            text: &[u8],
            cells: &[Cell],
            values: &mut Self::Values,
        ) -> Result<(), CellFault>;
    }
}

/// Defines both forms of a record and their traits by a table of columns.
macro_rules! record {
    (
        $(#[$odoc:meta])* owned $owned:ident;
        $(#[$rdoc:meta])* borrowed $view:ident;
        values $values:ident;
        kind $kind:ident;
        names { $( $label:literal $code:ident, )+ }
        columns { $( $(#[doc = $cdoc:literal])+ $index:literal $column:literal $name:ident: $type:ident, )+ }
    ) => {
        $(#[$odoc])*
        #[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
        #[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
        pub struct $owned {
            $( $(#[doc = $cdoc])+ #[cfg_attr(feature = "serde", serde(rename = $column))] pub $name: column!(owned $type), )+
            /// Cells of unknown columns, which newer releases may add.
            #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "Vec::is_empty"))]
            pub extra: Vec<String>,
        }

        $(#[$rdoc])*
        #[derive(Clone, Copy)]
        pub struct $view<'a> {
            row: crate::csv::Row<'a>,
            values: &'a $values,
        }

        #[derive(Debug, Default)]
        #[expect(dead_code, reason = "text is read from the row, so text columns have no parsed value")]
        pub struct $values {
            $( $name: column!(value $type), )+
        }

        impl<'a> $view<'a> {
            $( $(#[doc = $cdoc])+ #[inline] pub fn $name(&self) -> column!(view $type, 'a) {
                column!(get $type, self, $name, $index)
            } )+

            /// Cells of unknown columns, which newer releases may add.
            pub fn extra(&self) -> crate::csv::Cells<'a> {
                self.row.cells_from(COLUMNS.len())
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
                self.row
            }
        }

        const COLUMNS: &[crate::Column] = &[$( crate::Column {
            name: $column,
            value_type: column!(type $type),
            meaning: concat!($( $cdoc ),+),
        } ),+];

        impl crate::record::schema::sealed::Schema for $owned {
            type Values = $values;

            fn columns(_: crate::IndexKind) -> &'static [crate::Column] {
                COLUMNS
            }

            fn code_labels(_: crate::IndexKind) -> &'static [&'static str] {
                &[$( $label ),+]
            }

            #[inline]
            fn parse(
                _: crate::IndexKind,
                text: &[u8],
                cells: &[crate::csv::Cell],
                values: &mut $values,
            ) -> Result<(), crate::record::CellFault> {
                let mut padded = [crate::csv::Cell::EMPTY; COLUMNS.len()];
                let cells = crate::record::column::all(cells, &mut padded);
                $( column!(parse $type, text, cells, values, $name, $index); )+
                Ok(())
            }
        }

        impl crate::Record for $owned {
            type Ref<'a> = $view<'a>;

            fn reads(kind: crate::IndexKind) -> bool {
                kind == crate::IndexKind::$kind
            }

            #[inline]
            fn view<'a>(row: crate::csv::Row<'a>, values: &'a $values) -> $view<'a> {
                $view { row, values }
            }
        }

        impl crate::FileRecord for $owned {
            const KIND: crate::IndexKind = crate::IndexKind::$kind;
        }

        impl crate::record::schema::sealed::View for $view<'_> {}

        impl<'a> crate::RecordRef<'a> for $view<'a> {
            type Owned = $owned;

            fn into_owned(self) -> $owned {
                self.into_owned()
            }

            fn row(&self) -> crate::csv::Row<'a> {
                self.row
            }

            fn kind(&self) -> crate::IndexKind {
                crate::IndexKind::$kind
            }

            #[inline]
            fn value(&self, index: usize) -> crate::Value<'a> {
                match index {
                    $( $index => column!(wrap $type, self.$name()), )+
                    _ => crate::Value::Null,
                }
            }
        }

        impl From<$view<'_>> for $owned {
            fn from(record: $view<'_>) -> Self {
                record.into_owned()
            }
        }

        impl std::fmt::Debug for $view<'_> {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.debug_struct(stringify!($view))
                    $( .field($column, &self.$name()) )+
                    .field("extra", &self.extra())
                    .finish()
            }
        }

        #[cfg(feature = "json")]
        impl crate::record::Export for $view<'_> {
            #[inline]
            fn write_json(&self, line: &mut crate::record::JsonLine<'_>) {
                $( line.field(concat!(",\"", $column, "\":"), column!(wrap $type, self.$name()), self.row.text($index)); )+
                if line.names {
                    $( line.field(concat!(",\"", $label, "\":"), column!(wrap text, self.$code().and_then(|code| code.name())), None); )+
                }
                let extra = self.extra();
                if !extra.is_empty() {
                    line.bytes.extend_from_slice(b",\"extra\":");
                    line.list(extra.iter());
                }
            }

            fn names(&self, sink: &mut dyn FnMut(&str)) {
                $( sink(self.$code().and_then(|code| code.name()).unwrap_or_default()); )+
            }
        }

        #[cfg(feature = "serde")]
        impl serde::Serialize for $view<'_> {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                use serde::ser::SerializeStruct;
                let extra = self.extra();
                let fields = COLUMNS.len() + usize::from(!extra.is_empty());
                let mut object = serializer.serialize_struct(stringify!($owned), fields)?;
                $( object.serialize_field($column, &column!(wrap $type, self.$name()))?; )+
                if !extra.is_empty() {
                    object.serialize_field("extra", &extra)?;
                }
                object.end()
            }
        }
    };
}
pub(crate) use record;
