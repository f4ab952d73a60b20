//! The generated records: agents with shifts, states, skills and calls.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::io::{Cursor, Read};
use std::time::Duration;

use crate::support::{Client, NOWHERE};
use ccfs_emulator::{Builder, Emulator};
use ccfs_proto::LocalTime;
use proptest::prelude::*;
use proptest::test_runner::FileFailurePersistence;
use serde_json::json;

/// Names of the tables, and the column with the time at which a row begins.
const TABLES: [(&str, usize); 4] = [("skill", 6), ("operation", 7), ("call", 11), ("record", 7)];
const SKILL: (&str, usize) = TABLES[0];
const OPERATION: (&str, usize) = TABLES[1];

type Row = Vec<String>;

fn time(text: &str) -> LocalTime {
    text.parse().unwrap()
}

fn seconds(text: &str) -> i64 {
    time(text).naive_epoch_seconds()
}

/// The rows of a table in a period, of one agent or of all.
fn rows(
    emulator: &Emulator,
    table: &str,
    begin: LocalTime,
    end: LocalTime,
    agent: &str,
) -> Vec<Row> {
    let interface = match table {
        "skill" => "queryAgentSkillInfoData",
        "operation" => "queryAgentOprInfoData",
        _ => "queryBillData",
    };
    let fields = json!({
        "beginTime": begin.to_string(), "endTime": end.to_string(), "agentId": agent, "dataType": table,
        "callBackURL": NOWHERE,
    });
    let before = emulator.files();
    assert_eq!(Client::new(emulator).call(interface, &fields).code(), "0");
    let name = emulator.files().into_iter().find(|name| !before.contains(name)).unwrap();
    let mut archive = zip::ZipArchive::new(Cursor::new(emulator.file(&name).unwrap())).unwrap();
    let mut text = String::new();
    for member in 0..archive.len() {
        archive.by_index(member).unwrap().read_to_string(&mut text).unwrap();
    }
    text.lines().map(|line| line.split(',').map(str::to_owned).collect()).collect()
}

fn by_agent(rows: &[Row], column: usize) -> BTreeMap<&str, Vec<&Row>> {
    let mut agents: BTreeMap<&str, Vec<&Row>> = BTreeMap::new();
    for row in rows {
        agents.entry(&row[column]).or_default().push(row);
    }
    agents
}

fn skills(row: &Row) -> BTreeSet<&str> {
    row[9].split(';').filter(|id| !id.is_empty()).collect()
}

/// An emulator for long periods.
fn builder(seed: u64) -> Builder {
    let limit = Duration::from_secs(40 * 86_400);
    Emulator::builder().plain().clock(crate::support::now).seed(seed).span_limit(limit)
}

/// An emulator with the default number of agents, whose clock is far beyond every period.
fn start(seed: u64) -> Emulator {
    builder(seed).start().unwrap()
}

prop_compose! {
    /// Some time of March 2023, and another up to `longest` seconds later.
    fn period(longest: i64)(begin in 0..20 * 86400_i64, span in 0..=longest) -> (LocalTime, LocalTime) {
        let begin = time("2023-03-01 00:00:00").plus_seconds(begin).unwrap();
        (begin, begin.plus_seconds(span).unwrap())
    }
}

fn config(cases: u32) -> ProptestConfig {
    ProptestConfig {
        cases,
        failure_persistence: Some(Box::new(FileFailurePersistence::Direct(
            "tests/regressions/data.txt",
        ))),
        ..ProptestConfig::default()
    }
}

proptest! {
    #![proptest_config(config(12))]

    /// The same seed and request give the same rows, all within the period and in the order of their times; another
    /// seed gives others.
    #[test]
    fn rows_depend_on_seed_and_request(seed: u64, (begin, end) in period(10_000), table in 0_usize..4) {
        let (table, column) = TABLES[table];
        let all = rows(&start(seed), table, begin, end, "");
        prop_assert_eq!(&rows(&start(seed), table, begin, end, ""), &all);
        prop_assert!(all.is_empty() || rows(&start(seed ^ 1), table, begin, end, "") != all);
        let times: Vec<LocalTime> = all.iter().map(|row| time(&row[column])).collect();
        prop_assert!(times.is_sorted() && times.iter().all(|&at| at >= begin && at <= end));
        if table == "skill" || table == "operation" {
            let ids: BTreeSet<&String> = all.iter().map(|row| &row[0]).collect();
            prop_assert_eq!(ids.len(), all.len(), "ids are unique");
        }
    }

    /// The file of a period has the rows of the files of its two parts.
    #[test]
    fn two_parts_of_a_period_have_the_rows_of_the_whole(
        seed: u64, (begin, end) in period(50_000), table in 0_usize..4, place: proptest::sample::Index,
    ) {
        let (table, _) = TABLES[table];
        let span = usize::try_from(end.seconds_since(begin)).unwrap();
        let last = begin.plus_seconds(i64::try_from(place.index(span + 1)).unwrap()).unwrap();
        let emulator = start(seed);
        let mut parts = rows(&emulator, table, begin, last, "");
        if last < end {
            parts.extend(rows(&emulator, table, last.plus_seconds(1).unwrap(), end, ""));
        }
        prop_assert_eq!(parts, rows(&emulator, table, begin, end, ""));
    }

    /// A number of rows adds agents: each has the rows that it has in any other file, but for the last one, which has
    /// only the first of them.
    #[test]
    fn a_number_of_rows_is_a_number_of_agents(seed: u64, count in 0_u64..400, table in 0_usize..4) {
        let (table, _) = TABLES[table];
        let column = if table == "skill" { 5 } else { 3 };
        let (begin, end) = (time("2023-03-14 00:00:00"), time("2023-03-15 12:00:00"));
        let counted = builder(seed).rows(count).start().unwrap();
        let all = rows(&counted, table, begin, end, "");
        prop_assert_eq!(all.len() as u64, count);
        let other = builder(seed).rows(50_000).start().unwrap();
        let mut incomplete = 0;
        for (agent, of_agent) in by_agent(&all, column) {
            let whole = rows(&other, table, begin, end, agent);
            prop_assert!(of_agent.iter().zip(&whole).all(|(some, row)| *some == row));
            incomplete += usize::from(of_agent.len() < whole.len());
        }
        prop_assert!(incomplete <= 1);
    }

    /// What an agent does in two weeks: shifts of eight to nine hours from signing in to signing out, whose states follow
    /// one another without a gap, on ten days.
    #[test]
    fn the_states_of_a_shift_follow_one_another(seed: u64, agent in 101_u64..140) {
        let (begin, end) = (time("2023-03-06 12:00:00"), time("2023-03-20 11:59:59"));
        let all = rows(&start(seed), OPERATION.0, begin, end, &agent.to_string());
        let mut shifts: Vec<&[Row]> = all.chunk_by(|one, two| one[19] == two[19]).collect();
        // The period may cut the first and the last shift.
        let whole = |shift: &[Row]| shift[0][9] == "1" && matches!(shift[shift.len() - 1][9].as_str(), "0" | "29");
        shifts.retain(|shift| whole(shift));
        prop_assert!((9..=10).contains(&shifts.len()), "{}", shifts.len());
        for shift in shifts {
            prop_assert!(shift[1..].iter().all(|row| row[9] != "1"));
            prop_assert!(shift.windows(2).all(|two| two[0][8] == two[1][7] && two[0][7] < two[0][8]));
            let length = seconds(&shift[shift.len() - 1][8]) - seconds(&shift[0][7]);
            prop_assert!((8 * 3600..=9 * 3600).contains(&length), "{length}");
            prop_assert!(shift.iter().all(|row| row[6].is_empty() == row[5].is_empty()));
        }
    }
}

proptest! {
    #![proptest_config(config(4))]

    /// Skills change one to three times a week and agent, mostly by a supervisor, and never by signing in or out. A
    /// shift begins with the skills with which the one before ended.
    #[test]
    fn skills_change_seldom(seed: u64) {
        let (begin, end) = (time("2023-03-01 00:00:00"), time("2023-03-28 23:59:59"));
        let all = rows(&start(seed), SKILL.0, begin, end, "");
        let agents = by_agent(&all, 5);
        let (mut changes, mut by_supervisor) = (0, 0);
        for of_agent in agents.values() {
            for two in of_agent.windows(2) {
                prop_assert!(two[0][12] <= two[1][6], "operations do not overlap");
                let same_shift = two[0][10] == two[1][10];
                let next = if same_shift { two[0][11].parse::<u32>().unwrap() + 1 } else { 1 };
                prop_assert_eq!(two[1][11].parse::<u32>().unwrap(), next);
                prop_assert_eq!(same_shift, two[1][8] != "1");
                if skills(two[0]) != skills(two[1]) {
                    changes += 1;
                    by_supervisor += u32::from(two[1][5] != two[1][7]);
                    prop_assert!(matches!(two[1][8].as_str(), "2" | "30" | "31"));
                }
            }
        }
        prop_assert!(agents.len() == 60 && (240..720).contains(&changes), "{changes} of 60 agents in 4 weeks");
        prop_assert!(by_supervisor * 4 > changes * 3, "{by_supervisor} of {changes}");
    }
}

proptest! {
    #![proptest_config(config(12))]

    /// Calls are those of the talking agents, with a skill that the agent has; each recording is of a call.
    #[test]
    fn the_files_agree(seed: u64, (begin, end) in period(20_000)) {
        let emulator = start(seed);
        let table = |(name, _)| rows(&emulator, name, begin, end, "");
        let [changes, states, calls, recordings] = TABLES.map(table);
        let lists: HashMap<_, _> = changes.iter().map(|row| ((&row[10], &row[11]), skills(row))).collect();
        let (mut begins, mut ends) = (BTreeSet::new(), BTreeSet::new());
        for state in &states {
            // The list may be older than the period.
            if let Some(list) = lists.get(&(&state[19], &state[20])).filter(|_| !state[5].is_empty()) {
                prop_assert!(list.contains(state[5].as_str()), "{state:?}");
            }
            begins.insert((&state[3], &state[6], &state[5], &state[7], &state[16]));
            ends.insert((&state[6], &state[8]));
        }
        for call in &calls {
            prop_assert!(begins.contains(&(&call[3], &call[4], &call[21], &call[11], &call[5])), "{call:?}");
            prop_assert!(call[7] <= call[8] && call[9] <= call[10] && call[11] < call[12]);
            prop_assert!(call[12] > end.to_string() || ends.contains(&(&call[4], &call[12])), "{call:?}");
        }
        let of_calls = |column: usize| calls.iter().map(move |row| row[column].clone());
        let expected: Vec<_> = of_calls(3).zip(of_calls(4)).zip(of_calls(11).zip(of_calls(12))).collect();
        let recorded: Vec<_> = recordings
            .iter()
            .map(|row| ((row[3].clone(), row[4].clone()), (row[7].clone(), row[8].clone())))
            .collect();
        prop_assert_eq!(recorded, expected);
    }

    /// With [`Builder::same_files`] a file is as if generated at the end of its period: what lasts longer has no end.
    #[test]
    fn what_still_lasts_has_no_end(seed: u64, (begin, end) in period(20_000), table in 0_usize..4) {
        let ((table, _), column) = (TABLES[table], [12, 8, 12, 8][table]);
        let same = builder(seed).same_files(true).start().unwrap();
        let then = rows(&same, table, begin, end, "");
        let now = rows(&start(seed), table, begin, end, "");
        prop_assert_eq!(then.len(), now.len());
        for (then, now) in then.iter().zip(&now) {
            prop_assert_eq!(&then[column], if time(&now[column]) > end { "" } else { &now[column] });
            let differs = then.iter().zip(now).filter(|(then, now)| then != now).count();
            // When it was stored differs as well.
            let allowed = if table == "skill" { 2 } else { 1 };
            prop_assert!(differs <= allowed);
        }
    }
}

#[test]
fn tenants_and_unknown_agents() {
    let emulator = start(1);
    let (begin, end) = (time("2023-03-14 00:00:00"), time("2023-03-14 23:59:59"));
    let all = rows(&emulator, "skill", begin, end, "");
    let of_agent = rows(&emulator, "skill", begin, end, &all[0][5]);
    assert_eq!(of_agent, all.iter().filter(|row| row[5] == all[0][5]).cloned().collect::<Vec<_>>());
    for unknown in ["1", "161", "10000000000", "10000000079"] {
        assert!(rows(&emulator, "skill", begin, end, unknown).is_empty(), "{unknown}");
    }
    assert!(all.iter().any(|row| row[5] == "10000000039"), "a number past 32 bits");
    let other = start(2);
    assert_ne!(rows(&other, "skill", begin, end, "")[0][0], all[0][0]);
}

#[test]
fn a_day_is_busy_in_its_working_hours_and_quiet_at_night() {
    let emulator = start(1);
    let (begin, end) = (time("2023-03-14 00:00:00"), time("2023-03-14 23:59:59"));
    let states = rows(&emulator, "operation", begin, end, "");
    let hour = |row: &Row| time(&row[7]).hour();
    let working =
        states.iter().filter(|row| (8..18).contains(&hour(row))).count() * 100 / states.len();
    assert!((75..95).contains(&working), "{working} %");
    assert!(states.iter().any(|row| hour(row) < 6), "the night shift");
    // One state of the night shift crosses midnight, at least.
    assert!(states.iter().any(|row| row[7] < end.to_string() && row[8] > end.to_string()));
    let causes: BTreeSet<&str> =
        states.iter().filter(|row| row[9] == "3").map(|row| row[11].as_str()).collect();
    assert_eq!(causes, ["1", "2", "200", "201", "202", "203", "7"].into());
}

#[test]
fn a_period_without_length_has_few_records() {
    let emulator = builder(1).rows(100).start().unwrap();
    let at = time("2023-03-14 10:20:30");
    let rows = rows(&emulator, "operation", at, at, "");
    assert!((1..=100).contains(&rows.len()) && rows.iter().all(|row| time(&row[7]) == at));
}
