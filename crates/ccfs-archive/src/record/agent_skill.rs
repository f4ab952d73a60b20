//! agentSkillInfo: changes of agents' skills.

use super::column::ColumnType;
use super::schema::{column, record};
use crate::csv::{Cell, trim};
use crate::kind::IndexKind;

record! {
    /// One change of an agent's skills: a row of an agentSkillInfo file, owning its texts
    /// ([Index file formats](https://docs.rs/ccfs-proto/latest/ccfs_proto/protocol/#index-file-formats)).
    ///
    /// An empty cell is `None`. Numbers may exceed 32 bits.
    owned AgentSkillChange;
    /// One change of an agent's skills, borrowed from the reader; see [`AgentSkillChange`].
    borrowed AgentSkillChangeRef;
    kind AgentSkillInfo;
    event_time 6, operation Some(8);
    names { "operate_type_name" 8 OperateType, }
    columns {
        /// Unique ID.
        0 "id" id: text,
        /// Developer: the `appId`.
        1 "developer_id" developer_id: text,
        /// Enterprise account.
        2 "account_id" account_id: text,
        /// Call center.
        3 "sub_cc_no" sub_cc_no: int,
        /// Virtual call center.
        4 "vdn" vdn: int,
        /// Agent.
        5 "agent_id" agent_id: int,
        /// When the operation began, in local time of the call center.
        6 "operate_time" operate_time: tenant,
        /// Who made the change.
        7 "operate_id" operate_id: int,
        /// Type of the operation, an open set of codes.
        8 "operate_type" operate_type: operation,
        /// The skills of the agent; empty for an empty cell.
        9 "skill_list" skill_list: skills,
        /// Sequence number of the sign-in.
        10 "logon_sn" logon_sn: text,
        /// Sequence number of the operation, from 1.
        11 "operate_sn" operate_sn: int,
        /// When the operation ended, in local time of the call center.
        12 "operate_end_time" operate_end_time: tenant,
        /// Update flag; its values are not published.
        13 "renew_flag" renew_flag: int,
        /// When CC-FS stored the row, in UTC.
        14 "update_time" update_time: utc,
        /// Month of the year.
        15 "month_of_year" month_of_year: int,
    }
}

/// Index of the skill list, and number of columns after it.
const SKILLS: usize = 9;
const AFTER: usize = SCHEMA.columns.len() - SKILLS - 1;

/// Joins the cells of a skill list that is separated by commas and not quoted. Returns false if that is ambiguous.
///
/// Such a row is too long, but rows of a newer release may be longer, too. So the list is joined only if the last six
/// cells fit the six columns after the list and contain a date, all joined cells look like IDs, and the unchanged row
/// does not fit. A `header` at least as long as the row shows that the row is correct.
pub(crate) fn repair(
    kind: IndexKind,
    text: &[u8],
    cells: &mut Vec<Cell>,
    header: Option<usize>,
) -> bool {
    let length = cells.len();
    if kind != IndexKind::AgentSkillInfo
        || length <= SCHEMA.columns.len()
        || header.is_some_and(|header| header >= length)
    {
        return true;
    }
    let unchanged = dates_if_read(text, &cells[SKILLS + 1..]);
    let joined = dates_if_fits(text, &cells[length - AFTER..]);
    // No dates and no text: they come from another row or column.
    let is_id = |cell: &Cell| {
        cell.of(text).iter().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b' ' | b'_'))
    };
    let are_ids = cells[SKILLS..length - AFTER].iter().all(is_id);
    if unchanged.is_none() && joined > Some(0) && are_ids {
        cells[SKILLS].end = cells[length - AFTER - 1].end;
        cells.drain(SKILLS + 1..length - AFTER);
        trim(text, &mut cells[SKILLS..=SKILLS]);
    }
    unchanged.is_none() || joined.is_none()
}

/// Returns the number of dates if the first six cells are within the documented lengths of the columns after the skill
/// list: 26 for `logon_sn`, 11 digits for a number, 4 for the month.
fn dates_if_fits(text: &[u8], cells: &[Cell]) -> Option<usize> {
    let longest = [26, 11, 19, 11, 19, 4];
    let fits = cells.iter().zip(longest).all(|(cell, longest)| cell.of(text).len() <= longest);
    if fits { dates_if_read(text, cells) } else { None }
}

/// Returns the number of dates if the first six cells can be read as the columns after the skill list.
fn dates_if_read(text: &[u8], cells: &[Cell]) -> Option<usize> {
    let mut dates = 0;
    for (column, &cell) in SCHEMA.columns[SKILLS + 1..].iter().zip(cells) {
        match column.value_type.check(text, cell) {
            Some(false) => return None,
            Some(true) if column.value_type != ColumnType::Integer => dates += 1,
            _ => {}
        }
    }
    Some(dates)
}
