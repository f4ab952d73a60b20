//! A record of any of the four kinds.

use ccfs_time::LocalTime;

use super::schema::sealed::{self, Schema};
use super::{
    AgentOperation, AgentOperationRef, AgentSkillChange, AgentSkillChangeRef, Call, CallRef,
    CellFault, Column, Record, RecordRef, Recording, RecordingRef, Value,
};
use crate::csv::{Cell, Row};
use crate::kind::IndexKind;

macro_rules! any {
    ($( $kind:ident $owned:ident $view:ident $field:ident, )+) => {
        /// A record of any of the four kinds, owning its texts. Serialized like the record in it.
        #[derive(Debug, Clone, PartialEq, Eq, Hash)]
        #[cfg_attr(feature = "serde", derive(serde::Serialize), serde(untagged))]
        #[non_exhaustive]
        pub enum AnyRecord {
            $(
                #[doc = concat!("A row of the file [`", stringify!($kind), "`](IndexKind::", stringify!($kind), ").")]
                $kind($owned),
            )+
        }

        /// A record of any of the four kinds, borrowed from the reader. Serialized like the record in it.
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

            fn columns(kind: IndexKind) -> &'static [Column] {
                match kind { $( IndexKind::$kind => <$owned as Schema>::columns(kind), )+ }
            }

            fn code_labels(kind: IndexKind) -> &'static [&'static str] {
                match kind { $( IndexKind::$kind => $owned::code_labels(kind), )+ }
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

            fn value(&self, index: usize) -> Value<'a> {
                match self { $( Self::$kind(record) => record.value(index), )+ }
            }
        }

        impl sealed::View for AnyRecordRef<'_> {}

        impl From<AnyRecordRef<'_>> for AnyRecord {
            fn from(record: AnyRecordRef<'_>) -> Self {
                record.into_owned()
            }
        }

        $(
            impl<'a> From<$view<'a>> for AnyRecordRef<'a> {
                fn from(record: $view<'a>) -> Self {
                    Self::$kind(record)
                }
            }
        )+

        #[cfg(feature = "json")]
        impl super::Export for AnyRecordRef<'_> {
            fn write_json(&self, line: &mut super::JsonLine<'_>) {
                match self { $( Self::$kind(record) => record.write_json(line), )+ }
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

impl AnyRecordRef<'_> {
    /// The time of the event, in local time of the call center: `operate_time`, `begin_time`, `call_begin` or
    /// `wait_begin`.
    pub fn event_time(&self) -> Option<LocalTime> {
        match self {
            Self::AgentSkillInfo(record) => record.operate_time(),
            Self::AgentOprInfo(record) => record.begin_time(),
            Self::Record(record) => record.call_begin(),
            Self::Call(record) => record.wait_begin(),
        }
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
    pub fn columns(self) -> &'static [Column] {
        <AnyRecord as Schema>::columns(self)
    }

    /// The labels that [`RecordWriter::names`](crate::RecordWriter::names) adds after the columns, such as
    /// `operate_type_name`.
    pub fn code_labels(self) -> &'static [&'static str] {
        AnyRecord::code_labels(self)
    }

    /// Returns the index of a column by its name.
    pub fn column(self, name: &str) -> Option<usize> {
        self.columns().iter().position(|column| column.name() == name)
    }
}
