//! The ways to read that are compared. Each works out the same digest, so that none may leave anything out.

use std::error::Error;
use std::fs::File;
use std::io::{BufReader, Read, Seek, SeekFrom};
use std::path::Path;

use ccfs_archive::{AgentSkillChange, AgentSkillChangeRef, Archive};
use chrono::NaiveDateTime;

/// What a reader has seen: rows, and sums over every kind of column.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Digest {
    pub rows: u64,
    pub numbers: i64,
    pub seconds: u64,
    pub skills: u64,
    pub text: u64,
}

pub type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

impl Digest {
    fn add(&mut self, change: &AgentSkillChangeRef<'_>) {
        self.rows += 1;
        let numbers = [
            change.sub_cc_no(),
            change.vdn(),
            change.agent_id(),
            change.operate_id(),
            change.operate_sn(),
        ];
        self.numbers += numbers.into_iter().flatten().sum::<i64>()
            + change.operate_type().map_or(0, |kind| kind.code());
        self.numbers += change.renew_flag().unwrap_or(0) + change.month_of_year().unwrap_or(0);
        for time in [change.operate_time(), change.operate_end_time()].into_iter().flatten() {
            self.seconds += u64::from(time.hour()) * 3600
                + u64::from(time.minute()) * 60
                + u64::from(time.second());
        }
        self.seconds += change.update_time().map_or(0, |time| u64::from(time.utc().day().day()));
        self.skills += change.skill_list().iter().count() as u64;
        for text in [change.id(), change.developer_id(), change.account_id(), change.logon_sn()]
            .into_iter()
            .flatten()
        {
            self.text += text.len() as u64;
        }
    }
}

/// Inflating alone: the same inflater, the same buffers, no checksum, nothing looked at. Its digest is empty.
pub fn inflate(path: &Path) -> Result<Digest> {
    each_member(path, || {
        let mut inflater = flate2::Decompress::new(false);
        move |input, output| {
            let before = inflater.total_in();
            let status = inflater.decompress(input, output, flate2::FlushDecompress::None)?;
            Ok((
                usize::try_from(inflater.total_in() - before)?,
                status == flate2::Status::StreamEnd,
            ))
        }
    })
}

/// Inflating alone with another inflater of pure Rust that streams.
pub fn inflate_miniz(path: &Path) -> Result<Digest> {
    use miniz_oxide::inflate::stream::{InflateState, inflate};
    each_member(path, || {
        let mut state = InflateState::new_boxed(miniz_oxide::DataFormat::Raw);
        move |input, output| {
            let result = inflate(&mut state, input, output, miniz_oxide::MZFlush::None);
            let ended = matches!(result.status, Ok(miniz_oxide::MZStatus::StreamEnd));
            match result.status {
                Ok(_) | Err(miniz_oxide::MZError::Buf) => Ok((result.bytes_consumed, ended)),
                Err(error) => Err(format!("{error:?}").into()),
            }
        }
    })
}

/// Runs an inflater over the raw bytes of each member. It says how much of the input it took, and whether that is the end.
fn each_member<I>(path: &Path, mut new: impl FnMut() -> I) -> Result<Digest>
where
    I: FnMut(&[u8], &mut [u8]) -> Result<(usize, bool)>,
{
    // The zip crate finds the offset of the data, which is not part of the measurement.
    let mut archive = zip::ZipArchive::new(BufReader::new(File::open(path)?))?;
    let mut places = Vec::new();
    for index in 0..archive.len() {
        let member = archive.by_index_raw(index)?;
        places.push((member.data_start().unwrap_or(0), member.compressed_size()));
    }
    let mut file = File::open(path)?;
    let (mut input, mut output) = (vec![0; 64 << 10], vec![0; 256 << 10]);
    for (start, mut left) in places {
        file.seek(SeekFrom::Start(start))?;
        let mut inflater = new();
        let mut ended = false;
        while !ended {
            let wanted = usize::try_from(left)?.min(input.len());
            let length = file.read(&mut input[..wanted])?;
            if length == 0 {
                return Err("a member ends too early".into());
            }
            left -= length as u64;
            let mut piece = &input[..length];
            while !piece.is_empty() && !ended {
                let (taken, at_end) = inflater(piece, &mut output)?;
                piece = &piece[taken..];
                ended = at_end;
            }
        }
    }
    Ok(Digest::default())
}

/// Ours, borrowed records, on one thread.
pub fn ours_one_thread(path: &Path) -> Result<Digest> {
    let mut archive = Archive::open(File::open(path)?)?;
    let mut changes = archive.records::<AgentSkillChange>();
    let mut digest = Digest::default();
    while let Some(change) = changes.next_record()? {
        digest.add(&change);
    }
    Ok(digest)
}

/// Ours, borrowed records, inflated ahead on a second thread.
pub fn ours_two_threads(path: &Path) -> Result<Digest> {
    let mut changes = Archive::open(File::open(path)?)?.into_records_ahead::<AgentSkillChange>();
    let mut digest = Digest::default();
    while let Some(change) = changes.next_record()? {
        digest.add(&change);
    }
    Ok(digest)
}

/// Ours, owned records: what the allocations cost.
pub fn ours_owned(path: &Path) -> Result<Digest> {
    let mut digest = Digest::default();
    for change in Archive::open(File::open(path)?)?.records::<AgentSkillChange>() {
        let change = change?;
        digest.rows += 1;
        let numbers =
            [change.sub_cc_no, change.vdn, change.agent_id, change.operate_id, change.operate_sn];
        digest.numbers += numbers.into_iter().flatten().sum::<i64>()
            + change.operate_type.map_or(0, |kind| kind.code());
        digest.numbers += change.renew_flag.unwrap_or(0) + change.month_of_year.unwrap_or(0);
        for time in [change.operate_time, change.operate_end_time].into_iter().flatten() {
            digest.seconds += u64::from(time.hour()) * 3600
                + u64::from(time.minute()) * 60
                + u64::from(time.second());
        }
        digest.seconds += change.update_time.map_or(0, |time| u64::from(time.utc().day().day()));
        digest.skills += change.skill_list.len() as u64;
        for text in [change.id, change.developer_id, change.account_id, change.logon_sn]
            .into_iter()
            .flatten()
        {
            digest.text += text.len() as u64;
        }
    }
    Ok(digest)
}

/// What serde makes of a row in the plain way.
#[derive(serde::Deserialize)]
struct PlainRow {
    id: Option<String>,
    developer_id: Option<String>,
    account_id: Option<String>,
    sub_cc_no: Option<i64>,
    vdn: Option<i64>,
    agent_id: Option<i64>,
    operate_time: Option<String>,
    operate_id: Option<i64>,
    operate_type: Option<i64>,
    skill_list: Option<String>,
    logon_sn: Option<String>,
    operate_sn: Option<i64>,
    operate_end_time: Option<String>,
    renew_flag: Option<i64>,
    update_time: Option<String>,
    month_of_year: Option<i64>,
}

/// The plain way: `zip`, `csv` and serde into owned structs; times stay text, so that its digest lacks their sum.
pub fn plain(path: &Path) -> Result<Digest> {
    plain_with(path, |_| Ok(0))
}

/// The plain way, with times parsed by chrono.
pub fn plain_with_times(path: &Path) -> Result<Digest> {
    use chrono::Timelike;
    plain_with(path, |text| {
        let time = NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S")?;
        Ok(u64::from(time.num_seconds_from_midnight())
            | u64::from(chrono::Datelike::day(&time)) << 32)
    })
}

fn plain_with(path: &Path, parse: impl Fn(&str) -> Result<u64>) -> Result<Digest> {
    let mut archive = zip::ZipArchive::new(BufReader::new(File::open(path)?))?;
    let mut digest = Digest::default();
    for index in 0..archive.len() {
        let mut rows =
            csv::ReaderBuilder::new().has_headers(false).from_reader(archive.by_index(index)?);
        for row in rows.deserialize() {
            let row: PlainRow = row?;
            digest.rows += 1;
            let numbers = [
                row.sub_cc_no,
                row.vdn,
                row.agent_id,
                row.operate_id,
                row.operate_sn,
                row.operate_type,
            ];
            digest.numbers += numbers.into_iter().flatten().sum::<i64>();
            digest.numbers += row.renew_flag.unwrap_or(0) + row.month_of_year.unwrap_or(0);
            for text in [row.operate_time, row.operate_end_time].into_iter().flatten() {
                digest.seconds += parse(&text)? & 0xFFFF_FFFF;
            }
            digest.seconds += row.update_time.map_or(Ok(0), |text| parse(&text))? >> 32;
            let skills: Vec<String> = row
                .skill_list
                .map_or_else(Vec::new, |list| list.split(';').map(str::to_owned).collect());
            digest.skills += skills.len() as u64;
            for text in
                [row.id, row.developer_id, row.account_id, row.logon_sn].into_iter().flatten()
            {
                digest.text += text.len() as u64;
            }
        }
    }
    Ok(digest)
}
