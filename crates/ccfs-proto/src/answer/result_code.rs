use std::fmt;

use crate::words::shown;

/// What a caller can do about a result code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Advice {
    /// Nothing to do: success.
    Done,
    /// Retry later: the server is busy.
    TryLater,
    /// Change the request.
    FixRequest,
    /// Change the file that is sent.
    FixFile,
    /// The data does not exist: not yet, no longer, or nothing matches.
    NotFound,
    /// Use the account that the data belongs to.
    WrongAccount,
    /// The server failed; inform its operators.
    ServerFault,
    /// The server is misconfigured; its operators must change that.
    ServerConfiguration,
    /// Not a documented code.
    Unknown,
}

impl fmt::Display for Advice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Done => "nothing to do",
            Self::TryLater => "try again later",
            Self::FixRequest => "change the request",
            Self::FixFile => "change the file",
            Self::NotFound => "the data does not exist (yet, or any longer)",
            Self::WrongAccount => "use the account that the data belongs to",
            Self::ServerFault => "the server failed; inform its operators if it persists",
            Self::ServerConfiguration => "the server's operators must change its configuration",
            Self::Unknown => "look the code up in the documentation of the service",
        })
    }
}

macro_rules! result_codes {
    ($($code:literal $name:ident $advice:ident $meaning:literal;)+) => {
        /// The result code of an envelope: text, whose leading zeros are significant.
        ///
        /// Codes outside the documented list occur and are kept in [`Other`](Self::Other).
        /// See [Result codes](crate::protocol#result-codes).
        #[derive(Clone, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum ResultCode {
            $(
                #[doc = concat!("`", $code, "`: ", $meaning, ".")]
                $name,
            )+
            /// A code that is not documented, unchanged.
            Other(Box<str>),
        }

        impl ResultCode {
            /// Every documented code, in ascending order.
            pub const DOCUMENTED: &'static [Self] = &[$(Self::$name),+];

            /// Returns the code's text, with its leading zeros.
            pub fn as_str(&self) -> &str {
                match self {
                    $(Self::$name => $code,)+
                    Self::Other(text) => text,
                }
            }

            /// Returns what the code means, in a few words; empty if it is not documented.
            pub fn meaning(&self) -> &'static str {
                match self {
                    $(Self::$name => $meaning,)+
                    Self::Other(_) => "",
                }
            }

            /// Returns what a caller can do about it.
            pub fn advice(&self) -> Advice {
                match self {
                    $(Self::$name => Advice::$advice,)+
                    Self::Other(_) => Advice::Unknown,
                }
            }
        }

        impl From<&str> for ResultCode {
            /// Accepts any text, documented or not.
            fn from(text: &str) -> Self {
                match text {
                    $($code => Self::$name,)+
                    other => Self::Other(other.into()),
                }
            }
        }
    };
}

result_codes! {
    "0" Success Done "success";
    "0300001" ParameterNull FixRequest "a parameter is null";
    "0300002" ParameterEmptyString FixRequest "a parameter is an empty string";
    "0300003" ParameterTooLong FixRequest "a parameter is too long";
    "0300004" ParameterFormat FixRequest "a parameter's format is wrong";
    "0300005" ParameterTooShort FixRequest "a parameter is too short";
    "0300006" Version FixRequest "the version is wrong";
    "0300007" NoBodyParameters FixRequest "the request has no body parameters";
    "0300008" DownloadFlowControl TryLater "too many downloads at the moment";
    "0300009" QueryFlowControl TryLater "too many queries at the moment";
    "0300010" FileNameDate FixRequest "the date in the file name is bad";
    "0300011" FileNotFound NotFound "the file does not exist";
    "0300012" NoData NotFound "no data was found";
    "0300013" BeginAfterEnd FixRequest "the begin is later than the end";
    "0300014" SpanTooLong FixRequest "the time span is longer than the server accepts";
    "0300015" StoragePathMissing ServerConfiguration "local storage or the voice path is missing";
    "0300016" TimeInFuture FixRequest "a time is later than now in the time zone of the server";
    "0300017" CcIdNeeded FixRequest "the call center's id (ccId) must be given";
    "0300018" OtherDevelopersRecord WrongAccount "the record belongs to another developer";
    "0300019" FileNameOrCallIdNeeded FixRequest "fileName or callId must be given";
    "0300020" SeveralRecords ServerFault "one record was wanted and several were found";
    "0300021" FileNameDirectory FixRequest "a part of the file name does not match the directory";
    "0300022" IllegalCharacters FixRequest "a parameter holds illegal characters";
    "0300023" PathNotAsConfigured FixRequest "the path is not as configured";
    "0300024" PathNotCanonical FixRequest "the path is not canonical";
    "0300025" InternalError ServerFault "internal error";
    "0300026" AuthenticationFailed WrongAccount "authentication of account or VDN failed";
    "0300027" ParameterEmpty FixRequest "a parameter is empty";
    "0300028" ParameterWrong FixRequest "a parameter is wrong";
    "0300029" PlaybackFileNotFound NotFound "the file to play does not exist";
    "0300030" ProcessingFailed ServerFault "processing failed";
    "0300031" OiapFileNameLength FixRequest "the OIAP file name has the wrong length";
    "0300032" FilePathInvalid FixRequest "the file path is invalid";
    "0300033" LocationIdEmpty FixRequest "locationId is empty";
    "0300034" TenantIdEmpty FixRequest "tenantId is empty";
    "0300035" UploadNotWav FixFile "the upload is not a WAV file";
    "0300036" UploadNotMono FixFile "the upload is not mono";
    "0300037" UploadSampleSize FixFile "the upload's sample size is wrong";
    "0300038" UploadSampleRate FixFile "the upload's sample rate is wrong";
    "0300039" UploadUnreadable FixFile "the upload cannot be read";
    "0300040" DeletionFailed ServerFault "deleting failed";
    "0300041" FileTooLarge FixFile "the file is too large";
    "0300042" PathConfiguration ServerConfiguration "the path configuration is wrong";
    "0300043" PathConfigurationOther ServerConfiguration "the path configuration is wrong";
    "0300044" DirectoryHasSeveralFiles FixRequest "the directory has several files";
    "0300045" CompressingFailed ServerFault "compressing failed";
    "0300046" MountPathMissing ServerConfiguration "the mount path is missing";
    "0300047" ObjectStorageUploadFailed ServerFault "the upload to object storage failed";
    "0300048" UapIdEmpty ServerConfiguration "ccfs.uap.id is empty";
    "0300049" UapIdMalformed ServerConfiguration "ccfs.uap.id is malformed";
}

impl ResultCode {
    /// Returns whether it is `0`, the success of CC-FS. CC-CMS has another code; see
    /// [`Operation::is_success`](crate::Operation::is_success).
    pub fn is_success(&self) -> bool {
        *self == Self::Success
    }
}

impl fmt::Display for ResultCode {
    /// Shortens a code that is not documented, because it is the server's text.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Other(text) => f.write_str(&shown(text)),
            documented => f.write_str(documented.as_str()),
        }
    }
}
