//! A second implementation of the Gregorian calendar, independent of the library that the crates use.

/// Whether there is such a day.
pub(crate) fn is_day(year: u32, month: u32, day: u32) -> bool {
    let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    let days = match month {
        2 if leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => 0,
    };
    (1..=days).contains(&day)
}

/// Days from 1970-01-01 to a day that exists, counted year by year.
pub(crate) fn days_since_1970(year: u32, month: u32, day: u32) -> i64 {
    let length = |year: u32| if is_day(year, 2, 29) { 366 } else { 365 };
    let years: i64 = if year >= 1970 {
        (1970..year).map(length).sum()
    } else {
        -(year..1970).map(length).sum::<i64>()
    };
    let months: i64 = (1..month)
        .map(|month| (28..=31).rev().find(|&last| is_day(year, month, last)).map_or(0, i64::from))
        .sum();
    years + months + i64::from(day) - 1
}

/// The digits of a text that has nothing else, as a number.
pub(crate) fn digits(text: &str) -> Option<u32> {
    text.chars().try_fold(0, |value: u32, c| Some(value * 10 + c.to_digit(10)?))
}
