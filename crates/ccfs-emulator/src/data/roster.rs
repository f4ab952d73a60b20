//! The agents of the emulated call center: their teams, working days and skills.

use super::random::Random;

/// Agents of a tenant, unless a number of rows is asked for.
pub(crate) const AGENTS: u32 = 60;

pub(crate) const DAY: i64 = 24 * 3600;
const TEAM: u32 = 12;
/// Number of the first supervisor. It exceeds 32 bits, because the reference limits only the digits.
const SUPERVISORS: u64 = 42_949_672_960;
/// Hour at which the shifts begin (day, early, late, night), and how many agents of 100 have them.
const SHIFTS: [(i64, u64); 4] = [(9, 40), (7, 25), (13, 25), (22, 10)];
/// Shifts after which a changed skill is changed back, at most.
const LONGEST_CHANGE: u64 = 4;
const SKILLS: u64 = 60;

/// An agent. The tenant's seed and the agent's index determine everything about it, so every period
/// shows the same agent.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Agent {
    seed: u64,
    pub(crate) number: u64,
    pub(crate) supervisor: u64,
    /// Second of the day at which the agent's shifts begin.
    shift_start: i64,
    /// The first of the five working days, counted from day 0 of the calendar.
    first_day: i64,
    /// The skills without temporary changes.
    skills: Skills,
}

impl Agent {
    pub(crate) fn new(tenant_seed: u64, index: u32) -> Self {
        let mut random = Random::of(tenant_seed, [index.into()]);
        let mut skills = Skills::default();
        // A few agents have no skill yet.
        if !random.one_in(20) {
            for _ in 0..2 + random.below(5) {
                skills = skills.toggled(Skills::one(random.below(SKILLS)));
            }
        }
        let mut place = random.below(100);
        let shift = SHIFTS.iter().find(|(_, share)| {
            let found = place < *share;
            place = place.saturating_sub(*share);
            found
        });
        Self {
            seed: random.next(),
            number: number(index),
            supervisor: SUPERVISORS + u64::from(index / TEAM),
            shift_start: shift.map_or(9, |(hour, _)| *hour) * 3600,
            first_day: signed(random.below(7)),
            skills,
        }
    }

    /// The virtual call center of the agent.
    pub(crate) fn vdn(&self) -> u64 {
        1 + self.number % 3
    }

    /// Random numbers of this agent for a purpose and a shift or second.
    pub(crate) fn random(&self, purpose: Purpose, at: i64) -> Random {
        Random::of(self.seed, [purpose as u64, at.cast_unsigned()])
    }

    /// Index of the first shift that begins on `day` or later. Days count from 1970-01-01.
    pub(crate) fn shift_from(&self, day: i64) -> i64 {
        let days = day - self.first_day;
        days.div_euclid(7) * 5 + days.rem_euclid(7).min(5)
    }

    /// When a shift begins according to the schedule, in seconds of local time since 1970.
    pub(crate) fn scheduled(&self, shift: i64) -> i64 {
        let day = shift.div_euclid(5) * 7 + shift.rem_euclid(5) + self.first_day;
        day * DAY + self.shift_start
    }

    /// The skills at the beginning of a shift.
    pub(crate) fn skills_before(&self, shift: i64) -> Skills {
        self.earlier(shift, |shifts, ago| shifts >= ago).toggled(self.skills)
    }

    /// The skills that are added or removed during a shift.
    pub(crate) fn changes(&self, shift: i64) -> Skills {
        let new = self.change(shift).map_or_else(Skills::default, |(skills, _)| skills);
        self.earlier(shift, |shifts, ago| shifts == ago).toggled(new)
    }

    /// The changes of earlier shifts that `matches` selects by their duration and age in shifts.
    fn earlier(&self, shift: i64, matches: fn(u64, u64) -> bool) -> Skills {
        (1..=LONGEST_CHANGE)
            .filter_map(|ago| {
                let (skills, shifts) = self.change(shift - signed(ago))?;
                matches(shifts, ago).then_some(skills)
            })
            .fold(Skills::default(), Skills::toggled)
    }

    /// The change that begins in a shift, and the number of shifts after which it is changed back.
    ///
    /// Changes are temporary, so that the skills of any shift follow from the few shifts before it.
    fn change(&self, shift: i64) -> Option<(Skills, u64)> {
        let mut random = self.random(Purpose::Change, shift);
        if !random.one_in(4) {
            return None;
        }
        let usual = if random.one_in(2) { self.skills.pick(&mut random) } else { None };
        let skill = usual.map_or_else(|| random.below(SKILLS), |id| id - 1);
        Some((Skills::one(skill), 1 + random.below(LONGEST_CHANGE)))
    }
}

/// What random numbers are for. Each purpose has its own numbers.
#[derive(Clone, Copy)]
pub(crate) enum Purpose {
    Shift,
    Change,
    Calls,
    CallDetails,
    SkillRow,
    StateRow,
}

/// A set of skills with the IDs 1 to 60.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Skills(u64);

impl Skills {
    fn one(index: u64) -> Self {
        Self(1 << index)
    }

    /// Adds the skills of `other` that are missing and removes those that are present.
    pub(crate) fn toggled(self, other: Self) -> Self {
        Self(self.0 ^ other.0)
    }

    /// The IDs in ascending order.
    pub(crate) fn ids(self) -> impl Iterator<Item = u64> {
        let mut left = self.0;
        std::iter::from_fn(move || {
            let id = (left != 0).then(|| u64::from(left.trailing_zeros()) + 1);
            left &= left.wrapping_sub(1);
            id
        })
    }

    pub(crate) fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// One of the IDs.
    pub(crate) fn pick(self, random: &mut Random) -> Option<u64> {
        let nth = random.below(self.0.count_ones().into());
        self.ids().nth(usize::try_from(nth).ok()?)
    }
}

/// Numbers of the agents: 101, 102, …; every 40th exceeds 32 bits.
fn number(index: u32) -> u64 {
    if index % 40 == 39 { 10_000_000_000 + u64::from(index) } else { 101 + u64::from(index) }
}

/// Index of the agent with this number.
pub(crate) fn index(agent: u64) -> Option<u32> {
    [10_000_000_000, 101]
        .into_iter()
        .filter_map(|first| u32::try_from(agent.checked_sub(first)?).ok())
        .find(|&index| number(index) == agent)
}

/// A small random number with a sign.
pub(crate) fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or_default()
}
