use std::fmt;

/// A kind of file that CC-FS sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum FileKind {
    /// A ZIP archive; it begins with `PK`.
    Zip,
    /// A WAV recording; it begins with `RIFF`.
    Wav,
    /// Audio in any other format.
    Audio,
}

impl fmt::Display for FileKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Zip => "a ZIP archive",
            Self::Wav => "a WAV file",
            Self::Audio => "audio",
        })
    }
}
