//! A record of any of the four kinds.

use ccfs_time::LocalTime;

use super::schema::sealed;
use super::{
    AgentOperation, AgentOperationRef, AgentSkillChange, AgentSkillChangeRef, Call, CallRef,
    CodeName, Column, Fields, Record, RecordRef, Recording, RecordingRef, Schema, agent_operation,
    agent_skill, call, recording,
};
use crate::kind::IndexKind;

macro_rules! any {
    ($( $kind:ident $owned:ident $view:ident $module:ident, )+) => {
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

        impl sealed::Sealed for AnyRecord {}

        impl Record for AnyRecord {
            type Ref<'a> = AnyRecordRef<'a>;

            fn reads(_: IndexKind) -> bool {
                true
            }

            fn view(fields: Fields<'_>) -> AnyRecordRef<'_> {
                match fields.schema.kind {
                    $( IndexKind::$kind => AnyRecordRef::$kind($owned::view(fields)), )+
                }
            }
        }

        impl<'a> sealed::View<'a> for AnyRecordRef<'a> {
            fn fields(&self) -> &Fields<'a> {
                match self { $( Self::$kind(record) => record.fields(), )+ }
            }
        }

        impl<'a> RecordRef<'a> for AnyRecordRef<'a> {
            type Owned = AnyRecord;

            fn into_owned(self) -> AnyRecord {
                match self { $( Self::$kind(record) => AnyRecord::$kind(record.into_owned()), )+ }
            }
        }

        $(
            impl<'a> From<$view<'a>> for AnyRecordRef<'a> {
                fn from(record: $view<'a>) -> Self {
                    Self::$kind(record)
                }
            }
        )+

        impl IndexKind {
            pub(crate) const fn schema(self) -> &'static Schema {
                match self { $( Self::$kind => &$module::SCHEMA, )+ }
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
    pub const fn columns(self) -> &'static [Column] {
        self.schema().columns
    }

    /// The columns with names of codes, which are not in the file.
    pub const fn code_names(self) -> &'static [CodeName] {
        self.schema().code_names
    }

    /// Returns the index of a column by its name.
    pub fn column(self, name: &str) -> Option<usize> {
        self.columns().iter().position(|column| column.name() == name)
    }
}
