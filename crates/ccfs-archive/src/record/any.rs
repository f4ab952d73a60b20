//! Whichever of the four records a file holds.

use super::schema::sealed::{self, Schema};
use super::{
    AgentOperation, AgentOperationRef, AgentSkillChange, AgentSkillChangeRef, Call, CallRef,
    CellFault, Record, RecordRef, Recording, RecordingRef,
};
use crate::code::OperateType;
use crate::csv::{Cell, CsvRow, Row};
use crate::kind::IndexKind;
use crate::time::TenantTime;

macro_rules! any {
    ($( $kind:ident $owned:ident $view:ident $field:ident, )+) => {
        /// A record of any of the four files, owning its texts. As JSON it is the record itself.
        #[derive(Debug, Clone, PartialEq, Eq, Hash)]
        #[cfg_attr(feature = "serde", derive(serde::Serialize), serde(untagged))]
        #[non_exhaustive]
        pub enum AnyRecord {
            $(
                #[doc = concat!("A row of the file [`", stringify!($kind), "`](IndexKind::", stringify!($kind), ").")]
                $kind($owned),
            )+
        }

        /// A record of any of the four files, borrowed from the reader. As JSON it is the record itself.
        #[derive(Debug, Clone, Copy)]
        #[cfg_attr(feature = "serde", derive(serde::Serialize), serde(untagged))]
        #[non_exhaustive]
        pub enum AnyRecordRef<'a> {
            $(
                #[doc = concat!("A row of the file [`", stringify!($kind), "`](IndexKind::", stringify!($kind), ").")]
                $kind($view<'a>),
            )+
        }

        #[derive(Debug)]
        pub struct AnyValues {
            kind: IndexKind,
            $( $field: <$owned as Schema>::Values, )+
        }

        impl Default for AnyValues {
            fn default() -> Self {
                Self { kind: IndexKind::AgentSkillInfo, $( $field: Default::default(), )+ }
            }
        }

        impl Schema for AnyRecord {
            type Values = AnyValues;

            fn names(kind: IndexKind) -> &'static [&'static str] {
                match kind { $( IndexKind::$kind => $owned::names(kind), )+ }
            }

            fn columns_and_names(kind: IndexKind) -> &'static [&'static str] {
                match kind { $( IndexKind::$kind => $owned::columns_and_names(kind), )+ }
            }

            fn repair(kind: IndexKind, text: &[u8], cells: &mut Vec<Cell>, header: Option<usize>) {
                match kind { $( IndexKind::$kind => $owned::repair(kind, text, cells, header), )+ }
            }

            fn parse(kind: IndexKind, text: &[u8], cells: &[Cell], values: &mut AnyValues) -> Result<(), CellFault> {
                values.kind = kind;
                match kind { $( IndexKind::$kind => $owned::parse(kind, text, cells, &mut values.$field), )+ }
            }
        }

        impl Record for AnyRecord {
            type Ref<'a> = AnyRecordRef<'a>;

            fn reads(_: IndexKind) -> bool {
                true
            }

            fn only_kind() -> Option<IndexKind> {
                None
            }

            fn view<'a>(row: Row<'a>, values: &'a AnyValues) -> AnyRecordRef<'a> {
                match values.kind {
                    $( IndexKind::$kind => AnyRecordRef::$kind($owned::view(row, &values.$field)), )+
                }
            }
        }

        impl<'a> RecordRef<'a> for AnyRecordRef<'a> {
            type Owned = AnyRecord;

            fn into_owned(self) -> AnyRecord {
                match self { $( Self::$kind(record) => AnyRecord::$kind(record.into_owned()), )+ }
            }

            fn row(&self) -> Row<'a> {
                match self { $( Self::$kind(record) => record.row(), )+ }
            }

            fn kind(&self) -> IndexKind {
                match self { $( Self::$kind(_) => IndexKind::$kind, )+ }
            }

            fn happened(&self) -> Option<TenantTime> {
                match self { $( Self::$kind(record) => record.happened(), )+ }
            }

            fn operation(&self) -> Option<OperateType> {
                match self { $( Self::$kind(record) => record.operation(), )+ }
            }
        }

        impl sealed::View for AnyRecordRef<'_> {}

        impl From<AnyRecordRef<'_>> for AnyRecord {
            fn from(record: AnyRecordRef<'_>) -> Self {
                record.into_owned()
            }
        }

        $(
            impl From<$owned> for AnyRecord {
                fn from(record: $owned) -> Self {
                    Self::$kind(record)
                }
            }

            impl<'a> From<$view<'a>> for AnyRecordRef<'a> {
                fn from(record: $view<'a>) -> Self {
                    Self::$kind(record)
                }
            }
        )+

        impl CsvRow for AnyRecordRef<'_> {
            fn columns(&self) -> &'static [&'static str] {
                match self { $( Self::$kind(record) => CsvRow::columns(record), )+ }
            }

            fn cells(&self, sink: &mut dyn FnMut(&str)) {
                match self { $( Self::$kind(record) => CsvRow::cells(record, sink), )+ }
            }
        }

        impl CsvRow for AnyRecord {
            fn columns(&self) -> &'static [&'static str] {
                match self { $( Self::$kind(record) => CsvRow::columns(record), )+ }
            }

            fn cells(&self, sink: &mut dyn FnMut(&str)) {
                match self { $( Self::$kind(record) => CsvRow::cells(record, sink), )+ }
            }
        }

        #[cfg(feature = "json")]
        impl super::Export for AnyRecordRef<'_> {
            fn write_json(&self, line: &mut super::JsonLine<'_>) {
                match self { $( Self::$kind(record) => record.write_json(line), )+ }
            }

            fn value(&self, column: usize) -> super::Value<'_> {
                match self { $( Self::$kind(record) => record.value(column), )+ }
            }

            fn names(&self, sink: &mut dyn FnMut(&str)) {
                match self { $( Self::$kind(record) => record.names(sink), )+ }
            }
        }
    };
}

any! {
    AgentSkillInfo AgentSkillChange AgentSkillChangeRef agent_skill,
    AgentOprInfo AgentOperation AgentOperationRef agent_operation,
    Record Recording RecordingRef recording,
    Call Call CallRef call,
}

impl IndexKind {
    /// The names of the file's columns, in order: what the header row of [`CsvWriter`](crate::CsvWriter) holds.
    pub fn columns(self) -> &'static [&'static str] {
        AnyRecord::names(self)
    }

    /// These columns, and after them those that [`RecordWriter::names`](crate::RecordWriter::names) adds.
    pub fn columns_and_names(self) -> &'static [&'static str] {
        AnyRecord::columns_and_names(self)
    }
}
