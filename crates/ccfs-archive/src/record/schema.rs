//! Columns of index files, and the macro that defines a record by a table of them.

use super::column::Column;
use crate::kind::IndexKind;

/// The columns of an index file.
#[derive(Debug)]
pub(crate) struct Schema {
    pub(crate) kind: IndexKind,
    /// Name of the type of its records.
    pub(crate) name: &'static str,
    pub(crate) columns: &'static [Column],
    /// Index of the column with the time of the event.
    pub(crate) event_time: usize,
    /// Index of the column with the type of the operation.
    pub(crate) operation: Option<usize>,
    /// The names of codes, which an export may add as columns.
    pub(crate) code_names: &'static [CodeName],
}

/// A column that an export can add to those of the file: the names of the codes in one of them.
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

    (get operation, $record:expr, $index:literal) => { $record.int($index).map(crate::OperateType::from) };
    (get device, $record:expr, $index:literal) => { $record.int($index).map(crate::DeviceType::from) };
    (get text, $record:expr, $index:literal) => { $record.row.text($index) };
    (get $type:ident, $record:expr, $index:literal) => { $record.$type($index) };

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
        event_time $event_time:literal, operation $operation:expr;
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
        #[derive(Clone, Copy, Debug)]
        #[cfg_attr(feature = "serde", derive(serde::Serialize), serde(transparent))]
        pub struct $view<'a>(crate::AnyRecordRef<'a>);

        impl<'a> $view<'a> {
            $( $(#[doc = $cdoc])+ #[inline] pub fn $name(&self) -> column!(view $type, 'a) {
                column!(get $type, self.0, $index)
            } )+

            /// Copies the texts, with one allocation for each text cell.
            pub fn into_owned(self) -> $owned {
                $owned {
                    $( $name: column!(own $type, self.$name()), )+
                    extra: self.extra().iter().map(str::to_owned).collect(),
                }
            }
        }

        pub(crate) const SCHEMA: crate::record::Schema = crate::record::Schema {
            kind: crate::IndexKind::$kind,
            name: stringify!($owned),
            columns: &[$( crate::Column {
                name: $column,
                json_key: concat!(",\"", $column, "\":"),
                value_type: column!(type $type),
                meaning: concat!($( $cdoc ),+),
            } ),+],
            event_time: $event_time,
            operation: $operation,
            code_names: &[$( crate::record::CodeName {
                label: $label,
                code: $code,
                name: |code| crate::$codes::from(code).name(),
            } ),+],
        };

        impl crate::record::sealed::Sealed for $owned {}

        impl crate::Record for $owned {
            type Ref<'a> = $view<'a>;

            const KINDS: &'static [crate::IndexKind] = &[crate::IndexKind::$kind];

            fn from_ref(record: $view<'_>) -> Self {
                record.into_owned()
            }

            #[inline]
            fn view(record: crate::AnyRecordRef<'_>) -> $view<'_> {
                $view(record)
            }
        }

        impl crate::FileRecord for $owned {
            const KIND: crate::IndexKind = crate::IndexKind::$kind;
        }

        impl<'a> std::ops::Deref for $view<'a> {
            type Target = crate::AnyRecordRef<'a>;

            #[inline]
            fn deref(&self) -> &Self::Target {
                &self.0
            }
        }

        impl<'a> From<$view<'a>> for crate::AnyRecordRef<'a> {
            #[inline]
            fn from(record: $view<'a>) -> Self {
                record.0
            }
        }
    };
}
pub(crate) use record;
