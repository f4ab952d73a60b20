//! Days and durations as the command line takes them.

use std::time::{Duration, SystemTime};

use ccfs::pull::Zone;
use ccfs::{Day, LocalTime, Timestamp};
use jiff::SignedDuration;

use crate::failure::Failure;

/// Reads `2023-04-01`, `today`, `yesterday`, or `-3d` (3 days before today), in the time zone of the call center.
pub(crate) fn day(text: &str, flag: &str, zone: &Zone) -> Result<Day, Failure> {
    let today = zone.local(Timestamp::from(SystemTime::now())).day();
    relative(text, today).or_else(|| text.parse().ok()).ok_or_else(|| {
        Failure::usage(format_args!(
            "{flag}: {text:?} is not a day; write it as 2023-04-01, today, yesterday or -3d"
        ))
    })
}

/// Reads `DAY..DAY`, both inclusive, or one `DAY`.
pub(crate) fn range(text: &str, flag: &str, zone: &Zone) -> Result<(Day, Day), Failure> {
    let (from, to) = text.split_once("..").unwrap_or((text, text));
    let (from, to) = (day(from, flag, zone)?, day(to, flag, zone)?);
    if from > to {
        return Err(Failure::usage(format_args!("{flag}: {from} is after {to}; swap them")));
    }
    Ok((from, to))
}

fn relative(text: &str, today: Day) -> Option<Day> {
    let back = match text {
        "today" => 0,
        "yesterday" => 1,
        _ => days(text.strip_prefix('-')?)?.into(),
    };
    today.midnight().plus_seconds(-24 * 3600 * i64::from(back)).map(LocalTime::day)
}

/// Reads a number of days: `3d`.
pub(crate) fn number_of_days(text: &str) -> Result<u16, String> {
    days(text).ok_or_else(|| "a number of days is written as 3d".into())
}

fn days(text: &str) -> Option<u16> {
    let digits = text.strip_suffix('d')?;
    let is_number = digits.bytes().all(|byte| byte.is_ascii_digit());
    digits.parse().ok().filter(|_| is_number)
}

/// Reads a duration: `90s`, `5m`, `1h 30m`.
pub(crate) fn duration(text: &str) -> Result<Duration, String> {
    let duration = text.parse::<SignedDuration>().ok();
    let duration = duration.and_then(|duration| Duration::try_from(duration).ok());
    duration.ok_or_else(|| "a duration is written as 90s, 5m or 1h".into())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        /// `-Nd` is N days before today, and any day of the calendar is itself.
        #[test]
        fn days_are_counted_back(ahead in 0_u16..3000, back in 0_u16..3000) {
            let start: Day = "2020-02-28".parse().unwrap();
            let at = |days: i64| start.midnight().plus_seconds(days * 24 * 3600).unwrap().day();
            let today = at(i64::from(ahead));
            prop_assert_eq!(relative(&format!("-{back}d"), today), Some(at(i64::from(ahead) - i64::from(back))));
        }

        #[test]
        fn other_texts_are_refused(text in "\\PC{0,12}") {
            let zone = Zone::named("Asia/Shanghai").unwrap();
            let is_day = text.parse::<Day>().is_ok() || relative(&text, "2023-04-01".parse().unwrap()).is_some();
            prop_assert_eq!(day(&text, "--from", &zone).is_ok(), is_day);
        }
    }

    #[test]
    fn words_and_numbers() {
        let today: Day = "2023-03-01".parse().unwrap();
        let day = |text| relative(text, today).map(|day| day.to_string());
        assert_eq!(day("today").unwrap(), "2023-03-01");
        assert_eq!(day("yesterday").unwrap(), "2023-02-28");
        assert_eq!(day("-0d").unwrap(), "2023-03-01");
        for text in ["-d", "-1", "--1d", "-+1d", "1d", "Today", "-99999d", ""] {
            assert_eq!(day(text), None, "{text}");
        }
        assert_eq!(duration("1m"), Ok(Duration::from_secs(60)));
        assert_eq!(duration("1h 30m"), Ok(Duration::from_secs(5400)));
        assert!(duration("-1m").is_err() && duration("1").is_err() && duration("").is_err());
    }
}
