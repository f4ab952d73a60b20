//! Which files are pulled, and what is done with them.

use ccfs_archive::{IndexKind, ReadOptions};
use ccfs_proto::Day;

use crate::format::Format;
use crate::scheduler::{History, Known, Outcome};
use crate::window::Window;
use crate::zone::Zone;

/// Maximum number of days in a window.
const DAYS_LIMIT: u8 = 31;
/// Maximum number of windows of one pull.
const WINDOWS_LIMIT: usize = 100_000;

/// The files to pull: kind, days and tenant, and what to do with them.
///
/// ```
/// use ccfs_archive::IndexKind;
/// use ccfs_pull::{Format, Plan, Zone};
///
/// let plan = Plan::new(IndexKind::AgentSkillInfo, Zone::named("Asia/Shanghai")?, "2023-04-01".parse()?, "2023-04-30".parse()?)
///     .convert(Format::Jsonl);
/// assert!(plan.check().is_ok());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Plan {
    pub(crate) kind: IndexKind,
    pub(crate) zone: Zone,
    pub(crate) from: Day,
    pub(crate) to: Day,
    window_days: Option<u8>,
    pub(crate) account_id: Option<String>,
    pub(crate) callback_url: String,
    pub(crate) formats: Vec<Format>,
    pub(crate) keep_zip: bool,
    pub(crate) read: ReadOptions,
    pub(crate) recheck_days: u16,
    pub(crate) again: Option<(Day, Day)>,
    pub(crate) moved: bool,
    /// The address of the bucket that files are stored in.
    pub(crate) bucket: Option<String>,
}

impl Plan {
    /// Callback URL of pulls that do not wait for callbacks: the interface requires one, and no
    /// server listens at this one.
    pub const NO_CALLBACK: &'static str = "http://127.0.0.1:9/nobody";

    /// Creates a plan for the files of a kind and the days from `from` to `to`, inclusive, in the
    /// tenant's time zone.
    #[must_use]
    pub fn new(kind: IndexKind, zone: Zone, from: Day, to: Day) -> Self {
        Self {
            kind,
            zone,
            from,
            to,
            window_days: None,
            account_id: None,
            callback_url: Self::NO_CALLBACK.into(),
            formats: Vec::new(),
            keep_zip: true,
            read: ReadOptions::new(),
            recheck_days: 0,
            again: None,
            moved: false,
            bucket: None,
        }
    }

    /// Sets the number of days in a window, 1 to 31, at most as many as the server allows. Default:
    /// 1 with [`Format::Parquet`], which allows no other value; otherwise 3, the server's default
    /// limit.
    #[must_use]
    pub fn window_days(mut self, days: u8) -> Self {
        self.window_days = Some(days);
        self
    }

    /// Requests only the data of this tenant space. Default: all tenant spaces of the account.
    #[must_use]
    pub fn account_id(mut self, account_id: impl Into<String>) -> Self {
        self.account_id = Some(account_id.into());
        self
    }

    /// Sets the URL that the server calls when a file is ready. Default:
    /// [`NO_CALLBACK`](Self::NO_CALLBACK).
    #[must_use]
    pub fn callback_url(mut self, url: impl Into<String>) -> Self {
        self.callback_url = url.into();
        self
    }

    /// Converts each window's records into a file of this format; call it again for another
    /// format. Default: none.
    ///
    /// The formats may differ between the pulls into a folder: a ZIP that an earlier pull stored is
    /// converted without a request to the server.
    #[must_use]
    pub fn convert(mut self, format: Format) -> Self {
        if !self.formats.contains(&format) {
            self.formats.push(format);
        }
        self
    }

    /// Sets whether ZIPs are kept after conversion. Default: `true`. Without
    /// [`convert`](Self::convert) they are always kept.
    ///
    /// With `false`, a ZIP is still kept if it has data that the converted file does not have; see
    /// [`WindowReport::kept_zip`](crate::WindowReport::kept_zip).
    #[must_use]
    pub fn keep_zip(mut self, keep: bool) -> Self {
        self.keep_zip = keep;
        self
    }

    /// Requests complete windows again if they ended less than this many days before they were last
    /// fetched, because data may be added late. A new file replaces the former one. Default: 0.
    ///
    /// Independent of this, the next pull requests a window again if the server answered "no data"
    /// less than 24 hours after the window ended.
    #[must_use]
    pub fn recheck_days(mut self, days: u16) -> Self {
        self.recheck_days = days;
        self
    }

    /// Requests windows again that overlap the days from `from` to `to`, inclusive, also if they
    /// failed or the server has a job for them.
    #[must_use]
    pub fn again(mut self, from: Day, to: Day) -> Self {
        self.again = Some((from, to));
        self
    }

    /// Sets whether the folder's data may come from another endpoint or access key than before: the
    /// server was renamed, or the key was changed. Windows without a file are then requested
    /// again. Default: `false`, an error.
    #[must_use]
    pub fn moved(mut self, moved: bool) -> Self {
        self.moved = moved;
        self
    }

    /// Sets how archives are read: limits, charset, and the action on a bad row. Default:
    /// [`ReadOptions::new`], with which a window with a bad row cannot be converted and fails.
    #[must_use]
    pub fn read_options(mut self, options: ReadOptions) -> Self {
        self.read = options;
        self
    }

    /// Checks the plan. Every pull does this first.
    ///
    /// # Errors
    ///
    /// [`PlanError`] if the range is reversed or too long, the number of days in a window is out of
    /// range, only some columns are read and ZIPs are removed or converted to Parquet, or Parquet
    /// needs a feature that is off.
    pub fn check(&self) -> Result<(), PlanError> {
        if self.from > self.to {
            return Err(PlanError::Reversed { from: self.from, to: self.to });
        }
        let window_days = self.days_per_window();
        if !(1..=DAYS_LIMIT).contains(&window_days) {
            return Err(PlanError::WindowDays { limit: DAYS_LIMIT, days: window_days });
        }
        if self.formats.contains(&Format::Parquet) {
            if cfg!(not(feature = "parquet")) {
                return Err(PlanError::NoParquet);
            }
            if window_days != 1 {
                return Err(PlanError::ParquetDays { days: window_days });
            }
            if !self.read.reads_all_columns() {
                return Err(PlanError::ParquetColumns);
            }
        }
        if self.removes_zips() && !self.read.reads_all_columns() {
            return Err(PlanError::ColumnsLost);
        }
        // Assumes windows of full length: close enough, and cheap.
        let days = self.to.midnight().seconds_since(self.from.midnight()) / (24 * 3600) + 1;
        let count = usize::try_from(days).unwrap_or(usize::MAX).div_ceil(usize::from(window_days));
        if count > WINDOWS_LIMIT {
            return Err(PlanError::TooManyWindows { limit: WINDOWS_LIMIT, count });
        }
        Ok(())
    }

    /// The number of days in a window.
    pub(crate) fn days_per_window(&self) -> u8 {
        let default = if self.formats.contains(&Format::Parquet) { 1 } else { 3 };
        self.window_days.unwrap_or(default)
    }

    /// The formats that a window is converted to.
    pub(crate) fn formats_of(&self, window: Window) -> Vec<Format> {
        let fits = |format: &Format| *format != Format::Parquet || window.is_one_day();
        self.formats.iter().copied().filter(fits).collect()
    }

    /// Whether ZIPs are removed after conversion.
    pub(crate) fn removes_zips(&self) -> bool {
        !self.formats.is_empty() && !self.keep_zip
    }

    /// Whether a complete window is requested again.
    pub(crate) fn is_due(&self, window: Window, history: &History) -> bool {
        if self.again.is_some_and(|(from, to)| window.overlaps(from, to)) {
            return true;
        }
        let Known::Complete(outcome) = &history.known else { return false };
        let days =
            if *outcome == Outcome::NoData { self.recheck_days.max(1) } else { self.recheck_days };
        history.fetched.is_some_and(|fetched| {
            let age = self.zone.local(fetched).seconds_since(window.end());
            age < i64::from(days) * 24 * 3600
        })
    }
}

/// Error of [`Plan::check`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PlanError {
    /// The last day comes before the first.
    #[error("the range from {from} to {to} is reversed; the first day must not be after the last")]
    Reversed {
        /// The first day.
        from: Day,
        /// The last day.
        to: Day,
    },
    /// The number of days in a window is out of range.
    #[error("a window has 1 to {limit} days, not {days}")]
    WindowDays {
        /// The limit in days.
        limit: u8,
        /// The days given.
        days: u8,
    },
    /// A Parquet file covers one day, so windows must have one day.
    #[error("with Parquet, a window has 1 day, not {days}; leave the number of days out")]
    ParquetDays {
        /// The days given.
        days: u8,
    },
    /// Only some columns are read: in Parquet, the others would be null, like empty cells.
    #[error("Parquet files have all columns, but only some are read; read all columns")]
    ParquetColumns,
    /// Tasks in other processes store files in a shared folder, so they cannot store them in a
    /// bucket.
    #[error(
        "with tasks in other processes, the files are stored in a folder that they share, not in a bucket"
    )]
    TasksBucket,
    /// Parquet needs the feature `parquet` of this crate.
    #[error("this program was built without Parquet; enable the feature parquet")]
    NoParquet,
    /// The ZIPs are removed after conversion, but only some columns are converted.
    #[error(
        "only some columns are converted, so the ZIP files must be kept; keep them, or read all columns"
    )]
    ColumnsLost,
    /// Too many windows for one pull.
    #[error(
        "the range has {count} windows, limit {limit}; pull it in parts, each into a separate folder"
    )]
    TooManyWindows {
        /// The limit.
        limit: usize,
        /// The number of windows.
        count: usize,
    },
}
