//! Times as JSON.
#![allow(clippy::unwrap_used)]

use ccfs_time::{Day, LocalTime, Timestamp};
use proptest::prelude::*;
use serde::{Serialize, de::DeserializeOwned};

fn json<T: Serialize + DeserializeOwned + PartialEq + std::fmt::Debug>(value: &T) -> String {
    let text = serde_json::to_string(value).unwrap();
    assert_eq!(serde_json::from_str::<T>(&text).unwrap(), *value);
    text
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn json_is_the_text_and_reads_back(millis in -62_167_219_200_000_i64..=253_402_300_799_999) {
        let at = Timestamp::from_unix_millis(millis);
        prop_assert_eq!(json(&at.utc_day()), format!("\"{}\"", at.utc_day()));
        prop_assert_eq!(json(&at.utc()), format!("\"{}\"", at.utc().iso()));
        if millis % 1000 != 0 {
            prop_assert_eq!(json(&at), format!("\"{at}\""));
        }
        prop_assert_eq!(json(&Timestamp::from_utc(at.utc())), format!("\"{}Z\"", at.utc().iso()));
    }
}

#[test]
fn bad_json_is_refused() {
    assert!(serde_json::from_str::<Day>("\"2023-02-29\"").is_err());
    assert!(serde_json::from_str::<LocalTime>("\"2023-02-28\"").is_err());
    assert!(serde_json::from_str::<Timestamp>("1680768000").is_err());
}
