//! Makes index archives that look like a day of a large call centre. The same seed makes the same bytes.

use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

/// The archive of so many rows in so many members; made once, and kept in `folder`.
pub fn archive(folder: &Path, rows: u64, members: u64, seed: u64) -> io::Result<PathBuf> {
    let path = folder.join(format!("agentSkillInfo-{rows}-{members}-{seed}.zip"));
    if path.exists() {
        return Ok(path);
    }
    fs::create_dir_all(folder)?;
    let partial = path.with_extension("partial");
    let mut random = Random(seed);
    // A stream writer writes sizes after the data, as Java's does.
    let mut writer = zip::ZipWriter::new_stream(BufWriter::new(File::create(&partial)?));
    let options = zip::write::SimpleFileOptions::default()
        .compression_method(zip::CompressionMethod::Deflated);
    let mut row = String::new();
    for member in 0..members {
        writer.start_file(
            format!("20150208000000{:06}_agentSkillInfo_{member}.csv", 123_000 + member),
            options,
        )?;
        let (first, last) = (rows * member / members, rows * (member + 1) / members);
        for number in first..last {
            write_row(&mut row, &mut random, number, rows);
            writer.write_all(row.as_bytes())?;
        }
    }
    writer.finish()?.into_inner().flush()?;
    fs::rename(&partial, &path)?;
    Ok(path)
}

/// One row of about 245 bytes, as long as the widths of the documented columns let expect.
fn write_row(row: &mut String, random: &mut Random, number: u64, rows: u64) {
    row.clear();
    let second = number * 86_400 / rows;
    let agent = random.below(2000);
    let length = 1 + random.below(60).min(second.abs_diff(86_399));
    let operation = [0, 1, 2, 3, 4, 26, 27, 29, 30, 31, 38, 58][index(random.below(12))];
    let _ = write!(row, "{:016x}{:016x},", random.next(), random.next());
    row.push_str("5d41402abc4b2a76b9719d911017c592,20150208112233445566778,");
    let _ = write!(row, "{},{},{},", 1 + agent % 3, 100 + agent % 7, 10_000 + agent);
    time(row, 8, second);
    let _ = write!(row, ",{},{operation},", 10_000 + random.below(2000));
    for skill in 0..2 + agent % 9 {
        let separator = if skill == 0 { "" } else { ";" };
        let _ = write!(row, "{separator}{}", 4_294_967 + agent % 11 * 100 + skill);
    }
    let _ =
        write!(row, ",{}{:06},{},", 1_423_400_000_000u64 + agent * 7919, agent, 1 + number % 500);
    time(row, 8, second + length.min(86_399 - second));
    row.push_str(",0,");
    // The tenant is eight hours ahead of UTC.
    let (day, utc) = if second < 28_800 { (7, second + 57_600) } else { (8, second - 28_800) };
    time(row, day, utc);
    row.push_str(",2\r\n");
}

fn time(row: &mut String, day: u64, second: u64) {
    let _ = write!(
        row,
        "2015-02-{day:02} {:02}:{:02}:{:02}",
        second / 3600,
        second / 60 % 60,
        second % 60
    );
}

fn index(number: u64) -> usize {
    usize::try_from(number).unwrap_or(0)
}

/// SplitMix64: enough for data, and the same everywhere.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }
}
