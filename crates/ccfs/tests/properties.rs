//! The whole job through the facade: whatever the emulator generates, what comes out at the end is what it put in.
#![cfg(all(feature = "archive", feature = "blocking"))]
#![allow(clippy::unwrap_used)]

use std::io::Cursor;

use ccfs::archive::{AgentSkillChange, Archive};
use ccfs::{Client, Config, QueryAgentSkillInfoData, Trust};
use ccfs_emulator::{Emulator, Shape, SkillSeparator};
use proptest::prelude::*;
use proptest::test_runner::FileFailurePersistence;

/// A file that an emulator generated.
#[derive(Debug)]
struct Job {
    bytes: Vec<u8>,
    rows: u64,
}

fn shape() -> impl Strategy<Value = Shape> {
    let separator = prop_oneof![
        Just(SkillSeparator::Semicolon),
        Just(SkillSeparator::Comma),
        Just(SkillSeparator::BareComma)
    ];
    (any::<bool>(), any::<bool>(), any::<bool>(), separator).prop_map(
        |(byte_order_mark, header_row, crlf, skill_separator)| Shape {
            byte_order_mark,
            header_row,
            crlf,
            skill_separator,
        },
    )
}

/// A job that was asked for through the facade.
fn job() -> impl Strategy<Value = Job> {
    (any::<u64>(), 0..60_u64, 1..40_u64, shape()).prop_map(|(seed, rows, per_member, shape)| {
        let emulator = Emulator::builder()
            .seed(seed)
            .rows(rows)
            .rows_per_member(per_member)
            .shape(shape)
            .start()
            .unwrap();
        let (begin, end) =
            ("2023-04-05 00:00:00".parse().unwrap(), "2023-04-06 00:00:00".parse().unwrap());
        let query = QueryAgentSkillInfoData::new(begin, end, "http://127.0.0.1:9/callback");
        let job = client(&emulator).call(query).unwrap();
        let name = emulator.files().pop().unwrap();
        assert_eq!(job.file_name(name.day().unwrap()), name);
        let bytes = emulator.file(&name).unwrap();
        Job { bytes, rows }
    })
}

fn trust(emulator: &Emulator) -> Trust {
    Trust::none().add_pem(emulator.ca_pem().unwrap().as_bytes()).unwrap()
}

fn client(emulator: &Emulator) -> Client {
    Client::with_trust(
        Config::new(emulator.endpoint().clone(), emulator.credentials()).proxy(None),
        &trust(emulator),
    )
    .unwrap()
}

fn changes(bytes: &[u8]) -> Vec<AgentSkillChange> {
    Archive::open(Cursor::new(bytes)).unwrap().records().map(Result::unwrap).collect()
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 12,
        failure_persistence: Some(Box::new(FileFailurePersistence::Direct("tests/regressions/properties.txt"))),
        ..ProptestConfig::default()
    })]

    /// Every row that was generated is read, whatever the file's shape.
    #[test]
    fn every_row_is_read(job in job()) {
        let read = changes(&job.bytes);
        prop_assert_eq!(read.len() as u64, job.rows);
        prop_assert!(read.iter().all(|change| change.extra.is_empty() && change.agent_id.is_some() && change.operate_time.is_some()));
    }

    /// The shape of a file is not in its records: the same seed gives the same ones.
    #[test]
    fn the_shape_does_not_matter(seed: u64, one in shape(), other in shape()) {
        let read = |shape: Shape| {
            let emulator = Emulator::builder().seed(seed).rows(20).shape(shape).clock(|| ccfs::Timestamp::from_unix_millis(1_680_768_000_000));
            let emulator = emulator.start().unwrap();
            let (begin, end) = ("2023-04-05 00:00:00".parse().unwrap(), "2023-04-06 00:00:00".parse().unwrap());
            client(&emulator).call(QueryAgentSkillInfoData::new(begin, end, "http://127.0.0.1:9/callback")).unwrap();
            let name = emulator.files().pop().unwrap();
            changes(&emulator.file(&name).unwrap())
        };
        prop_assert_eq!(read(one), read(other));
    }

    /// What the inspection counts is what is read.
    #[test]
    fn the_inspection_counts_what_is_read(job in job()) {
        let read = changes(&job.bytes);
        let report = Archive::open(Cursor::new(&job.bytes)).unwrap().inspect().unwrap();
        prop_assert_eq!(report.totals.rows, read.len() as u64);
        prop_assert_eq!(report.totals.bad_rows.count(), 0);
        prop_assert_eq!(report.totals.earliest, read.iter().filter_map(|change| change.operate_time).min());
        prop_assert_eq!(report.totals.by_operation.values().sum::<u64>(), read.iter().filter(|change| change.operate_type.is_some()).count() as u64);
    }
}
