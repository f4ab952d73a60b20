//! Properties of the emulator: faults as texts, scripts, generated files, and answers to any request.

use std::collections::HashMap;
use std::io::{Cursor, Read};
use std::sync::{LazyLock, Mutex};
use std::time::Duration;

use crate::support::{Client, DOWNLOAD, NOWHERE, QUERY, fixed, send, window};
use ccfs_emulator::{Emulator, Fault, FaultRule, Shape, SkillSeparator};
use ccfs_proto::{LocalTime, ResultCode};
use proptest::prelude::*;
use proptest::test_runner::FileFailurePersistence;
use serde_json::json;

/// One for all cases: starting is cheap, but a thread for each case is not.
static EMULATOR: LazyLock<Emulator> =
    LazyLock::new(|| fixed().rows(1).lockout(None).jobs_limit(usize::MAX).start().unwrap());
/// Scripts are one emulator's, so the properties about them take turns.
static TURN: Mutex<()> = Mutex::new(());

fn config(cases: u32) -> ProptestConfig {
    ProptestConfig {
        cases,
        failure_persistence: Some(Box::new(FileFailurePersistence::Direct(
            "tests/regressions/properties.txt",
        ))),
        ..ProptestConfig::default()
    }
}

fn fault() -> impl Strategy<Value = Fault> {
    let millis = any::<u32>().prop_map(|millis| Duration::from_millis(millis.into()));
    prop_oneof![
        millis.clone().prop_map(Fault::Slow),
        millis.prop_map(Fault::CallbackDelayed),
        any::<u64>().prop_map(Fault::CutAfter),
        any::<u32>().prop_map(Fault::Busy),
        (200_u16..600).prop_map(Fault::Html),
        any::<i32>().prop_map(Fault::SkewedClock),
        "[0-9]{1,16}".prop_map(|code| Fault::ErrorUnder200(code.as_str().into())),
        // Those without an argument are found by their names.
        proptest::sample::select(Fault::HELP)
            .prop_filter_map("takes an argument", |fault| fault.name.parse().ok()),
    ]
}

fn rule() -> impl Strategy<Value = FaultRule> {
    let interface =
        proptest::option::of(proptest::sample::select(Emulator::interfaces().collect::<Vec<_>>()));
    (fault(), interface, proptest::option::of(1_u32..)).prop_map(|(fault, interface, times)| {
        let rule = FaultRule::from(fault);
        let rule = interface.map_or(rule.clone(), |name| rule.at(name));
        times.map_or(rule.clone(), |n| rule.times(n))
    })
}

fn shape() -> impl Strategy<Value = Shape> {
    let separator = proptest::sample::select(vec![
        SkillSeparator::Semicolon,
        SkillSeparator::Comma,
        SkillSeparator::BareComma,
    ]);
    (any::<[bool; 3]>(), separator).prop_map(
        |([byte_order_mark, header_row, crlf], skill_separator)| Shape {
            byte_order_mark,
            header_row,
            crlf,
            skill_separator,
        },
    )
}

proptest! {
    #![proptest_config(config(512))]

    #[test]
    fn a_rule_reads_back_as_it_is_written(rule in rule()) {
        prop_assert_eq!(rule.to_string().parse::<FaultRule>().unwrap(), rule);
    }

    #[test]
    fn any_text_is_refused_or_is_a_rule_that_reads_back(text in "[a-z]{0,8}[-a-z:@*0-9+ é]{0,20}|(slow|busy|html|cut-after)[:@*0-9+-]{0,12}") {
        if let Ok(rule) = text.parse::<FaultRule>() {
            prop_assert_eq!(rule.to_string().parse::<FaultRule>().unwrap(), rule);
        }
    }
}

proptest! {
    #![proptest_config(config(48))]

    /// Files have as many records as asked for, split where asked for, in the shape asked for; times ascend within the window,
    /// operations are counted from 1 in every sign-in, and the same seed gives the same bytes.
    #[test]
    fn files_are_as_asked_for(seed: u64, rows in 0_u64..300, per_member in 1_u64..200, shape in shape(), offset in -64_800_i32..=64_800) {
        let make = || {
            let emulator = fixed().utc_offset(offset).seed(seed).rows(rows).rows_per_member(per_member).shape(shape).start().unwrap();
            // In the past of every zone, and across two midnights.
            let mut fields = window(NOWHERE);
            fields["beginTime"] = json!("2023-04-02 22:00:00");
            fields["endTime"] = json!("2023-04-04 02:00:00");
            prop_assert_eq!(Client::new(&emulator).call(QUERY, &fields).code(), "0");
            Ok(emulator.file(&emulator.files()[0]).unwrap())
        };
        let file = make()?;
        prop_assert_eq!(&make()?, &file);

        let mut archive = zip::ZipArchive::new(Cursor::new(file)).unwrap();
        prop_assert_eq!(archive.len() as u64, rows.div_ceil(per_member).max(1));
        let plain = matches!(shape.skill_separator, SkillSeparator::Semicolon | SkillSeparator::Comma);
        let with_header = shape.header_row;
        let line_end = if shape.crlf { "\r\n" } else { "\n" };
        let mut records = 0;
        let mut latest: LocalTime = "2023-04-02 22:00:00".parse().unwrap();
        let mut operations: HashMap<String, u32> = HashMap::new();
        for index in 0..archive.len() {
            let mut text = String::new();
            archive.by_index(index).unwrap().read_to_string(&mut text).unwrap();
            if shape.byte_order_mark {
                text = text.strip_prefix('\u{feff}').unwrap().to_owned();
            }
            let mut lines: Vec<&str> = text.split_inclusive(line_end).collect();
            if with_header {
                prop_assert!(lines.remove(0).starts_with("id,developer_id,account_id,"));
            }
            prop_assert!(lines.len() as u64 <= per_member);
            records += lines.len() as u64;
            for line in lines {
                let cells = cells(line.strip_suffix(line_end).unwrap());
                prop_assert!(if plain { cells.len() == 16 } else { cells.len() >= 16 }, "{}", line);
                let at: LocalTime = cells[6].parse().unwrap();
                prop_assert!(at >= latest && at <= "2023-04-04 02:00:00".parse().unwrap());
                latest = at;
                let behind = &cells[cells.len() - 6..];
                let count = operations.entry(behind[0].clone()).or_default();
                *count += 1;
                prop_assert_eq!(behind[1].parse::<u32>().unwrap(), *count);
                prop_assert!(behind[2].is_empty() || behind[2].parse::<LocalTime>().unwrap() >= at);
                prop_assert_eq!(behind[5].parse::<u8>().unwrap(), at.day().month());
            }
        }
        prop_assert_eq!(records, rows);
    }

    /// Whatever is signed rightly is answered by an envelope with a documented code: nothing panics, nothing hangs.
    #[test]
    fn any_body_that_is_signed_gets_a_documented_code(
        interface in proptest::sample::select(Emulator::interfaces().collect::<Vec<_>>()),
        body in prop_oneof![
            proptest::collection::vec(any::<u8>(), 0..200),
            "\\{\"request\":\\{\"version\":\"2.0\"\\},\"msgBody\":\\{\"(beginTime|endTime|[a-z]{4,9}FileName|fileName|filePath|data|callId)\":.{0,30}\\}\\}".prop_map(String::into_bytes),
        ],
    ) {
        let _turn = TURN.lock().unwrap();
        let answer = Client::new(&EMULATOR).any(interface, &body);
        prop_assert_eq!(answer.status, 200);
        prop_assert!(ResultCode::DOCUMENTED.contains(&ResultCode::from(answer.code().as_str())));
    }

    /// No change of a byte of the body survives, nor one of the signature.
    #[test]
    fn a_changed_request_is_refused(at: proptest::sample::Index, signature: bool, flip in 1_u8..=255) {
        let _turn = TURN.lock().unwrap();
        let client = Client::new(&EMULATOR);
        let body = json!({"request": {"version": "2.0"}, "msgBody": window(NOWHERE)}).to_string();
        let mut request = client.request(QUERY, body.as_bytes());
        let range = if signature {
            let end = request.windows(13).position(|text| text == b"\r\nconnection:").unwrap();
            end - 64..end
        } else {
            request.len() - body.len()..request.len()
        };
        let place = range.start + at.index(range.len());
        // Another letter, so that what is refused is the signature and not the header as HTTP.
        request[place] = if signature { if request[place] == b'0' { b'1' } else { b'0' } } else { request[place] ^ flip };
        prop_assert_eq!(send(EMULATOR.address(), &request).unwrap().status, 401);
    }

    /// The rules of a script apply in order, each as often as its count, and then no fault applies.
    #[test]
    fn a_script_applies_in_its_order(script in proptest::collection::vec((0_usize..4, 1_u32..4), 0..5)) {
        let _turn = TURN.lock().unwrap();
        let kinds = [(Fault::Busy(1), 503), (Fault::Unauthorized, 401), (Fault::Html(502), 502), (Fault::Pass, 200)];
        let mut expected = Vec::new();
        for &(kind, times) in &script {
            EMULATOR.faults().add(kinds[kind].0.clone().at(DOWNLOAD).times(times));
            expected.extend((0..times).map(|_| kinds[kind].1));
        }
        expected.push(200);
        let client = Client::new(&EMULATOR);
        let seen: Vec<u16> = expected
            .iter()
            .map(|_| {
                // Calls of other interfaces use nothing up.
                assert_eq!(client.call(QUERY, &json!({})).status, 200);
                client.download("x").status
            })
            .collect();
        prop_assert_eq!(seen, expected);
        prop_assert!(EMULATOR.faults().rules().is_empty());
    }
}

/// The cells of a line; here, quotes enclose complete cells only.
fn cells(line: &str) -> Vec<String> {
    let mut cells = vec![String::new()];
    let mut quoted = false;
    for c in line.chars() {
        match c {
            '"' => quoted = !quoted,
            ',' if !quoted => cells.push(String::new()),
            other => cells.last_mut().unwrap().push(other),
        }
    }
    cells
}
