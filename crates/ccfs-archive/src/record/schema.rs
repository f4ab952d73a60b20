//! What all records have in common, and the macro that makes a record of a table of columns.

use crate::code::OperateType;
use crate::csv::{Cell, CsvRow, Row};
use crate::error::RowFault;
use crate::kind::IndexKind;
use crate::time::TenantTime;

/// A kind of record that rows can be read as.
///
/// Implemented by [`AgentSkillChange`](crate::AgentSkillChange), [`AgentOperation`](crate::AgentOperation),
/// [`Recording`](crate::Recording), [`Call`](crate::Call), each for its own file, and by
/// [`AnyRecord`](crate::AnyRecord) for all four. It can't be implemented elsewhere.
///
/// The type itself owns its texts; [`Ref`](Record::Ref) borrows them and costs no allocation.
pub trait Record: CsvRow + Sized + std::fmt::Debug + sealed::Schema {
    /// The borrowed form, which reading yields.
    type Ref<'a>: RecordRef<'a, Owned = Self>;

    /// Whether the rows of this file can be read as this record.
    fn reads(kind: IndexKind) -> bool;

    #[doc(hidden)]
    fn only_kind() -> Option<IndexKind>;

    #[doc(hidden)]
    fn view<'a>(row: Row<'a>, values: &'a Self::Values) -> Self::Ref<'a>;
}

/// A [`Record`] whose rows come from one file only.
pub trait FileRecord: Record {
    /// That file.
    const KIND: IndexKind;
}

/// The borrowed form of a [`Record`]. It can't be implemented elsewhere.
pub trait RecordRef<'a>: CsvRow + Copy + std::fmt::Debug + sealed::View {
    /// The form that owns its texts.
    type Owned;

    /// Copies the texts. This allocates once for each text cell: do it for the records that you keep.
    fn into_owned(self) -> Self::Owned;

    /// The row as it stands in the file.
    fn row(&self) -> Row<'a>;

    /// The file that the record comes from.
    fn kind(&self) -> IndexKind;

    /// When it happened: the first date of the row, on the tenant's clock.
    fn happened(&self) -> Option<TenantTime>;

    /// What the agent did, in the files that say so.
    fn operation(&self) -> Option<OperateType>;
}

/// A cell that does not fit its column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CellFault {
    pub(crate) column: usize,
    pub(crate) name: &'static str,
    pub(crate) fault: RowFault,
}

/// Kept out of reach: how a row becomes a record is this crate's business.
pub(crate) mod sealed {
    use super::{Cell, CellFault, IndexKind};

    /// What a record is while it is borrowed.
    pub trait View {}

    pub trait Schema {
        /// What is worked out from a row's cells and has no lifetime: numbers and times.
        type Values: Default + std::fmt::Debug + Send;

        /// The names of the columns.
        fn names(kind: IndexKind) -> &'static [&'static str];

        /// The names of the columns, and after them of those that name codes.
        fn columns_and_names(kind: IndexKind) -> &'static [&'static str];

        /// Puts right what a writer is known to get wrong. `header` is the length of the header row, if there was one.
        fn repair(_kind: IndexKind, _text: &[u8], _cells: &mut Vec<Cell>, _header: Option<usize>) {}

        fn parse(
            kind: IndexKind,
            text: &[u8],
            cells: &[Cell],
            values: &mut Self::Values,
        ) -> Result<(), CellFault>;
    }
}

/// Makes, of a table of columns, the owned record, its borrowed form, and what reading, JSON and CSV need of them.
macro_rules! record {
    (
        $(#[$odoc:meta])* owned $owned:ident;
        $(#[$rdoc:meta])* borrowed $view:ident;
        values $values:ident;
        kind $kind:ident;
        happened $happened:ident;
        names { $( $label:literal $code:ident, )+ }
        columns { $( $(#[$cdoc:meta])* $index:literal $column:literal $name:ident: $type:ident, )+ }
    ) => {
        $(#[$odoc])*
        #[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
        #[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
        pub struct $owned {
            $( $(#[$cdoc])* #[cfg_attr(feature = "serde", serde(rename = $column))] pub $name: column!(owned $type), )+
            /// Cells past the known columns, from releases that have added some.
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
        #[expect(dead_code, reason = "a column of text has no value of its own: it stays in the row")]
        pub struct $values {
            $( $name: column!(value $type), )+
        }

        impl<'a> $view<'a> {
            $( $(#[$cdoc])* #[inline] pub fn $name(&self) -> column!(view $type, 'a) {
                column!(get $type, self, $name, $index)
            } )+

            /// Cells past the known columns, from releases that have added some.
            pub fn extra(&self) -> crate::csv::Cells<'a> {
                self.row.cells_from(COLUMNS.len())
            }

            /// Copies the texts. This allocates once for each text cell: do it for the records that you keep.
            pub fn into_owned(self) -> $owned {
                $owned {
                    $( $name: column!(own $type, self.$name()), )+
                    extra: self.extra().iter().map(str::to_owned).collect(),
                }
            }

            /// The row as it stands in the file.
            pub const fn row(&self) -> crate::csv::Row<'a> {
                self.row
            }
        }

        const COLUMNS: &[&str] = &[$( $column ),+];

        impl crate::record::schema::sealed::Schema for $owned {
            type Values = $values;

            fn names(_: crate::IndexKind) -> &'static [&'static str] {
                COLUMNS
            }

            fn columns_and_names(_: crate::IndexKind) -> &'static [&'static str] {
                &[$( $column, )+ $( $label, )+]
            }

            fn repair(_: crate::IndexKind, text: &[u8], cells: &mut Vec<crate::csv::Cell>, header: Option<usize>) {
                repair(text, cells, header);
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
                $( column!(parse $type, text, cells, values, $name, $index, $column); )+
                Ok(())
            }
        }

        impl crate::Record for $owned {
            type Ref<'a> = $view<'a>;

            fn reads(kind: crate::IndexKind) -> bool {
                kind == crate::IndexKind::$kind
            }

            fn only_kind() -> Option<crate::IndexKind> {
                Some(crate::IndexKind::$kind)
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
            fn happened(&self) -> Option<crate::TenantTime> {
                self.$happened()
            }

            #[inline]
            fn operation(&self) -> Option<crate::OperateType> {
                operation(self)
            }
        }

        impl crate::csv::CsvRow for $view<'_> {
            fn columns(&self) -> &'static [&'static str] {
                COLUMNS
            }

            fn cells(&self, sink: &mut dyn FnMut(&str)) {
                $( column!(cell $type, self.row, $index, sink); )+
                self.extra().iter().for_each(sink);
            }
        }

        impl crate::csv::CsvRow for $owned {
            fn columns(&self) -> &'static [&'static str] {
                COLUMNS
            }

            fn cells(&self, sink: &mut dyn FnMut(&str)) {
                $( sink(&crate::record::column::OwnedCell::cell(&self.$name)); )+
                self.extra.iter().for_each(|cell| sink(cell));
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
                $( line.field(concat!(",\"", $column, "\":"), column!(any $type, self.$name()), self.row.text($index)); )+
                if line.names {
                    $( line.field(concat!(",\"", $label, "\":"), column!(any text, self.$code().and_then(|code| code.name())), None); )+
                }
                let extra = self.extra();
                if !extra.is_empty() {
                    line.bytes.extend_from_slice(b",\"extra\":");
                    line.list(extra.iter());
                }
            }

            fn value(&self, column: usize) -> crate::record::Value<'_> {
                match column {
                    $( $index => column!(any $type, self.$name()), )+
                    _ => crate::record::Value::Null,
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
                $( object.serialize_field($column, &column!(any $type, self.$name()))?; )+
                if !extra.is_empty() {
                    object.serialize_field("extra", &extra)?;
                }
                object.end()
            }
        }
    };
}
pub(crate) use record;
