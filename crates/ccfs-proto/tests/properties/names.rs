//! File names, response ids and result codes.

use std::collections::HashSet;

use ccfs_proto::answer::Advice;
use ccfs_proto::operation::FileNameError;
use ccfs_proto::{Day, IndexFileName, ResponseId, ResultCode};
use proptest::prelude::*;

use super::cases;

const ID: &str = "[0-9a-f]{32}";

fn day() -> impl Strategy<Value = Day> {
    (0_u16..=9999, 1_u8..=12, 1_u8..=31)
        .prop_filter_map("a day that exists", |(year, month, day)| Day::new(year, month, day).ok())
}

proptest! {
    #![proptest_config(cases(256))]

    #[test]
    fn a_strict_name_is_read_as_it_was_made(day in day(), id in ID) {
        let id: ResponseId = id.parse().unwrap();
        let name = IndexFileName::new(day, id);
        prop_assert_eq!(name.as_str(), format!("{:04}{:02}{:02}_{id}.zip", day.year(), day.month(), day.day()));
        let read: IndexFileName = name.as_str().parse().unwrap();
        prop_assert_eq!((read.day(), read.response_id()), (Some(day), Some(id)));
        prop_assert_eq!(IndexFileName::lenient(name.as_str()), Ok(read.clone()));
        prop_assert_eq!(read, name);
    }

    #[test]
    fn each_refusal_names_its_part(day in day(), id in ID, at in 0_usize..32, bad in "[A-Zg-z_./ é]", month in 13_u8..99) {
        let (good, date) = (IndexFileName::new(day, id.parse().unwrap()), format!("{:04}{:02}{:02}", day.year(), day.month(), day.day()));
        let read = |text: String| text.parse::<IndexFileName>().unwrap_err();
        prop_assert_eq!(read(format!("{date}_{id}")), FileNameError::Suffix);
        prop_assert_eq!(read(format!("{date}_{id}.ZIP")), FileNameError::Suffix);
        prop_assert_eq!(read(format!("{good}{bad}")), FileNameError::Suffix);
        prop_assert_eq!(read(format!("{date}{id}.zip")), FileNameError::Date);
        prop_assert_eq!(read(format!("{date}-{id}.zip")), FileNameError::Date);
        for not_a_day in [String::new(), "2023046".to_owned(), "020230406".to_owned(), format!("2023{month}06"), "20230230".to_owned(), "2O230406".to_owned(), "2023-4-6".to_owned(), "2023éé".to_owned()] {
            prop_assert_eq!(read(format!("{not_a_day}_{id}.zip")), FileNameError::Date);
        }
        prop_assert_eq!(read(format!("{date}_{}.zip", &id[..at])), FileNameError::IdLength { len: at });
        prop_assert_eq!(read(format!("{date}_{id}{}.zip", &id[..=at])), FileNameError::IdLength { len: 33 + at });
        prop_assert_eq!(read(format!("{date}_{}{bad}{}.zip", &id[..at], &id[at + 1..])), FileNameError::IdCharacter);
        prop_assert_eq!(read(format!("{date}_{}-{}.zip", &id[..at], &id[at..])), FileNameError::IdCharacter);
    }

    #[test]
    fn lenient_parsing_accepts_exactly_the_servers_names(text in prop_oneof![".{0,60}", "[a-zA-Z0-9._-]{0,60}", "\\.{0,50}"]) {
        let allowed = |c: char| c.is_ascii_alphanumeric() || ['.', '-', '_'].contains(&c);
        let rule = (1..=49).contains(&text.len()) && text.chars().all(allowed) && text.chars().any(|c| c != '.');
        match IndexFileName::lenient(&text) {
            Ok(name) => {
                prop_assert!(rule);
                prop_assert_eq!(name.as_str(), text.as_str());
                prop_assert_eq!(name.day().is_some(), text.parse::<IndexFileName>().is_ok());
            }
            Err(FileNameError::Length { len }) => prop_assert!(len == text.len() && (len == 0 || len > 49)),
            Err(FileNameError::Character { at }) => {
                prop_assert!(text[..at].chars().all(allowed) && !text[at..].starts_with(allowed));
            }
            Err(FileNameError::Dots) => prop_assert!(text.chars().all(|c| c == '.')),
            Err(other) => prop_assert!(false, "{other:?}"),
        }
    }

    #[test]
    fn what_parses_strictly_keeps_to_the_lenient_rule_too(text in "(.{0,60}|[0-9]{8}_[0-9a-f]{31,33}\\.zip)") {
        if let Ok(name) = text.parse::<IndexFileName>() {
            prop_assert_eq!(name.as_str(), text.as_str());
            prop_assert!(IndexFileName::lenient(&text).is_ok());
        }
    }

    #[test]
    fn a_servers_id_is_taken_with_dashes_and_capitals(id in ID, cuts in prop::collection::vec(0_usize..=32, 0..6), capitals in any::<u32>()) {
        let mut written: String =
            id.chars().enumerate().map(|(at, c)| if capitals >> at & 1 == 1 { c.to_ascii_uppercase() } else { c }).collect();
        for cut in &cuts {
            written.insert(*cut, '-');
        }
        let read = ResponseId::from_server(&written).unwrap();
        prop_assert_eq!(read.as_str(), id.as_str());
        prop_assert_eq!(read, id.parse().unwrap());
        if written != id {
            prop_assert_eq!(written.parse::<ResponseId>(), Err(FileNameError::IdCharacter));
        }
    }

    #[test]
    fn a_result_code_keeps_its_text_and_shows_what_can_be_shown(text in prop_oneof![".{0,12}", "0?3000[0-9]{2}", "[0-9]{0,8}", ".{190,210}"]) {
        let code = ResultCode::from(text.as_str());
        prop_assert_eq!(code.as_str(), text.as_str());
        let shown = code.to_string();
        prop_assert!(shown.chars().count() <= 201 && !shown.contains(char::is_control));
        let is_replaced = |c: char| c.is_control() || matches!(c, '\u{200B}'..='\u{200F}' | '\u{2028}'..='\u{202E}' | '\u{2066}'..='\u{2069}');
        if text.chars().count() <= 200 && !text.contains(is_replaced) {
            prop_assert_eq!(&shown, text.as_str());
        }
        prop_assert_eq!(code.is_success(), text == "0");
        let documented = ResultCode::DOCUMENTED.contains(&code);
        prop_assert_eq!(matches!(code, ResultCode::Other(_)), !documented);
        prop_assert_eq!(code.advice() == Advice::Unknown, !documented);
    }
}

#[test]
fn documented_codes_are_the_published_ones() {
    let texts: Vec<_> = ResultCode::DOCUMENTED.iter().map(ResultCode::as_str).collect();
    let published: Vec<_> =
        std::iter::once("0".to_owned()).chain((1..=49).map(|n| format!("03000{n:02}"))).collect();
    assert_eq!(texts, published);
    for code in ResultCode::DOCUMENTED {
        assert_eq!(&ResultCode::from(code.as_str()), code);
        assert!(!code.meaning().is_empty());
        assert!(!code.advice().to_string().is_empty());
    }
    assert_eq!(texts.iter().collect::<HashSet<_>>().len(), texts.len());
    let later: Vec<_> = ResultCode::DOCUMENTED
        .iter()
        .filter(|code| code.advice() == Advice::TryLater)
        .map(ResultCode::as_str)
        .collect();
    assert_eq!(later, ["0300008", "0300009"]);
}
