//! Recordings, voice files, and tokens for playing them.

use std::collections::BTreeMap;
use std::fmt;
use std::io::{self, Write};
use std::sync::Mutex;
use std::time::Duration;

use bytes::Bytes;
use ccfs_proto::Timestamp;
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use crate::data::{Random, tone};
use crate::gate::millis;
use crate::lock;

/// Recordings of each developer.
const RECORDINGS: u64 = 24;
/// How long a token is valid.
const TOKEN_LASTS: Duration = Duration::from_secs(30 * 60);
/// Maximum number of tokens; the oldest are dropped.
const TOKENS: usize = 10_000;
/// Maximum size of all uploads, in bytes.
const UPLOADS: usize = 256 * 1024 * 1024;

/// A recording that the emulator has: 24 for each developer, made from the seed.
///
/// Record files refer to them by both names, but with the IDs of the generated calls instead of [`call_id`](Self::call_id).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Recording {
    /// The access key that it belongs to.
    pub owner: String,
    /// The call. The first call of each developer has two recordings.
    pub call_id: String,
    /// The call center: `1`, and `2` for the last recording.
    pub cc_id: String,
    /// The name for `downloadRecordFile`.
    pub file_name: String,
    /// The name for `downloadRecord` and `requestPlayVoice`.
    pub original_file_name: String,
}

impl Recording {
    /// The WAV file.
    pub fn wav(&self) -> Vec<u8> {
        voice(&self.original_file_name)
    }
}

/// A voice file that is not a recording of a call: of the intelligent IVR, of the IVR, of third parties, or uploaded.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct VoiceFile {
    /// The access key that it belongs to.
    pub owner: String,
    /// The node that has it.
    pub location_id: String,
    /// The WAV file.
    pub wav: Bytes,
    /// Whether it was uploaded, and so can be deleted.
    pub uploaded: bool,
}

impl VoiceFile {
    fn new(owner: &str, wav: Bytes, uploaded: bool) -> Self {
        Self { owner: owner.to_owned(), location_id: "1".into(), wav, uploaded }
    }
}

impl fmt::Debug for VoiceFile {
    /// Omits the sound, which may be a person's voice.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("VoiceFile");
        shown
            .field("owner", &self.owner)
            .field("location_id", &self.location_id)
            .field("wav_bytes", &self.wav.len());
        shown.field("uploaded", &self.uploaded).finish()
    }
}

/// All recordings, voice files and tokens.
#[derive(Debug)]
pub(crate) struct Library {
    recordings: Vec<Recording>,
    inner: Mutex<Inner>,
}

#[derive(Debug)]
struct Inner {
    random: Random,
    voices: BTreeMap<String, VoiceFile>,
    tokens: BTreeMap<String, (String, Timestamp)>,
    uploaded: usize,
}

impl Library {
    pub(crate) fn new<'a>(seed: u64, developers: impl Iterator<Item = &'a str>) -> Self {
        let mut recordings = Vec::new();
        let mut voices = BTreeMap::new();
        for (number, owner) in (0_u64..).zip(developers) {
            recordings.extend((0..RECORDINGS).map(|nth| recording(owner, number, nth)));
            for path in [
                "Y:/oiap/{}/1.wav",
                "Y:/ivr/record/{}/1.wav",
                "Y:/3rd/{}/one/a.wav",
                "Y:/3rd/{}/two/a.wav",
                "Y:/3rd/{}/two/b.wav",
            ] {
                let path = path.replace("{}", &number.to_string());
                let wav = voice(&path).into();
                voices.insert(path, VoiceFile::new(owner, wav, false));
            }
        }
        let inner = Inner {
            random: Random::new(seed, "library"),
            voices,
            tokens: BTreeMap::new(),
            uploaded: 0,
        };
        Self { recordings, inner: Mutex::new(inner) }
    }

    pub(crate) fn recordings(&self) -> &[Recording] {
        &self.recordings
    }

    pub(crate) fn voices(&self) -> BTreeMap<String, VoiceFile> {
        lock(&self.inner).voices.clone()
    }

    pub(crate) fn voice(&self, path: &str) -> Option<VoiceFile> {
        lock(&self.inner).voices.get(path).cloned()
    }

    /// Returns the files of a directory, without those of subdirectories.
    pub(crate) fn directory(&self, path: &str) -> Vec<VoiceFile> {
        let path = path.trim_end_matches('/');
        let inner = lock(&self.inner);
        let files = inner.voices.iter().filter(|(name, _)| {
            name.rsplit_once('/').is_some_and(|(directory, _)| directory == path)
        });
        files.map(|(_, file)| file.clone()).collect()
    }

    /// Returns a token for playing the recording of that name.
    pub(crate) fn issue_token(&self, original_file_name: &str, now: Timestamp) -> String {
        let mut inner = lock(&self.inner);
        if inner.tokens.len() >= TOKENS {
            let oldest =
                inner.tokens.iter().min_by_key(|(_, (_, at))| *at).map(|(token, _)| token.clone());
            oldest.map(|token| inner.tokens.remove(&token));
        }
        let token = inner.random.hex32();
        inner.tokens.insert(token.clone(), (original_file_name.to_owned(), now));
        token
    }

    /// Returns the recording of a token; `None` if the token is unknown or has expired at `now`.
    pub(crate) fn played_by(&self, token: &str, now: Timestamp) -> Option<Recording> {
        let inner = lock(&self.inner);
        let (name, issued) = inner.tokens.get(token)?;
        if now.millis_since(*issued) > millis(TOKEN_LASTS) {
            return None;
        }
        self.recordings.iter().find(|recording| recording.original_file_name == *name).cloned()
    }

    /// Stores an upload and returns its path; `None` if the limit is reached.
    pub(crate) fn upload(&self, owner: &str, vdn_id: u64, wav: Bytes) -> Option<String> {
        let mut inner = lock(&self.inner);
        if inner.uploaded + wav.len() > UPLOADS {
            return None;
        }
        inner.uploaded += wav.len();
        let path = format!("Y:/3rdfile/{vdn_id}/{}.wav", inner.random.hex32());
        inner.voices.insert(path.clone(), VoiceFile::new(owner, wav, true));
        Some(path)
    }

    pub(crate) fn delete(&self, path: &str) {
        let mut inner = lock(&self.inner);
        if let Some(file) = inner.voices.remove(path) {
            inner.uploaded = inner.uploaded.saturating_sub(file.wav.len());
        }
    }
}

fn recording(owner: &str, developer: u64, nth: u64) -> Recording {
    let number = 1_000_000 + developer * RECORDINGS + nth;
    // The first two are of one call.
    let call = number - u64::from(nth == 1);
    let (agent, cc_id) = (101 + nth % 8, if nth + 1 == RECORDINGS { 2 } else { 1 });
    Recording {
        owner: owner.to_owned(),
        call_id: format!("1680652800-{call}"),
        cc_id: cc_id.to_string(),
        file_name: format!("/1/0/record/20230405/{agent}/{number}.wav"),
        original_file_name: format!("Y:/1/0/20230405/{agent}/{number}.V3"),
    }
}

/// The sound of a file, by its name.
fn voice(name: &str) -> Vec<u8> {
    tone(Random::new(0, name).next())
}

/// Several recordings in a ZIP, under the last parts of their names.
pub(crate) fn zipped(recordings: &[&Recording]) -> io::Result<Bytes> {
    let mut zip = ZipWriter::new_stream(Vec::new());
    for recording in recordings {
        let name = recording.file_name.rsplit('/').next().unwrap_or_default();
        zip.start_file(name, SimpleFileOptions::default())?;
        zip.write_all(&recording.wav())?;
    }
    Ok(zip.finish()?.into_inner().into())
}
