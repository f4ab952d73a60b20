//! Codes from open sets: published ones have names, others are kept as numbers.

use std::fmt;

/// A code without a name in this version. Only [`From<i64>`] of its enum creates it, so it is never a known code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct UnknownCode(i64);

macro_rules! open_enum {
    ($(#[$doc:meta])* $type:ident { $( $variant:ident = $code:literal $name:literal, )+ }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum $type {
            $( #[doc = concat!($code, ": ", $name)] $variant, )+
            /// A code without a name. Sets grow with releases: treat it as data, not as an error.
            Unknown(UnknownCode),
        }

        impl $type {
            /// The codes that have a name, in the order of their numbers.
            pub const KNOWN: &'static [Self] = &[$( Self::$variant ),+];

            /// The number in the file.
            pub const fn code(self) -> i64 {
                match self {
                    $( Self::$variant => $code, )+
                    Self::Unknown(code) => code.0,
                }
            }

            /// The name, if the code has one.
            pub const fn name(self) -> Option<&'static str> {
                match self {
                    $( Self::$variant => Some($name), )+
                    Self::Unknown(_) => None,
                }
            }
        }

        impl From<i64> for $type {
            #[inline]
            fn from(code: i64) -> Self {
                match code {
                    $( $code => Self::$variant, )+
                    _ => Self::Unknown(UnknownCode(code)),
                }
            }
        }

        /// The name, or the number.
        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                match self.name() {
                    Some(name) => f.pad(name),
                    None => f.pad(&self.code().to_string()),
                }
            }
        }

        impl PartialOrd for $type {
            fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
                Some(self.cmp(other))
            }
        }

        /// By number.
        impl Ord for $type {
            fn cmp(&self, other: &Self) -> std::cmp::Ordering {
                self.code().cmp(&other.code())
            }
        }

        /// As the number.
        #[cfg(feature = "serde")]
        impl serde::Serialize for $type {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_i64(self.code())
            }
        }

    };
}

open_enum! {
    /// Type of an agent's operation ([Index file formats](https://docs.rs/ccfs-proto/latest/ccfs_proto/protocol/#index-file-formats)).
    ///
    /// The table for `operate_type` in agentSkillInfo is not published; these are the agent operation types, the
    /// closest list. Unknown codes are kept.
    ///
    /// ```
    /// use ccfs_archive::OperateType;
    ///
    /// assert_eq!(OperateType::from(1), OperateType::SignIn);
    /// assert_eq!(OperateType::from(9001).code(), 9001);
    /// assert_eq!(OperateType::from(9001).name(), None);
    /// ```
    OperateType {
        SignOut = 0 "sign out",
        SignIn = 1 "sign in",
        Idle = 2 "idle",
        Busy = 3 "busy",
        TalkingText = 4 "talking (text)",
        ThreeParty = 10 "three-party",
        ManualToAutomatic = 13 "manual to automatic",
        ListenInsertWhisper = 20 "listen/insert/whisper",
        PlayVoice = 22 "play voice",
        Rest = 26 "rest",
        Work = 27 "work",
        ForcedSignOut = 29 "forced sign-out",
        ForcedIdle = 30 "forced idle",
        ForcedBusy = 31 "forced busy",
        Mute = 32 "mute",
        Hold = 38 "hold",
        InternalHelp = 40 "internal help",
        InternalCall = 41 "internal call",
        Intercept = 43 "intercept",
        SuspendVoice = 44 "suspend voice",
        InternalTransfer = 45 "internal transfer",
        TransferOut = 46 "transfer out",
        MediaServerSignIn = 47 "media server sign-in",
        MediaServerSignOut = 52 "media server sign-out",
        TransferQueuedCall = 53 "transfer a queued call",
        ReleaseTransfer = 54 "release transfer",
        TransferToDevice = 55 "transfer to another device",
        HoldForHelp = 57 "hold for help",
        Conference = 58 "conference",
    }
}

open_enum! {
    /// Type of the device of a call leg: `device_type` of a call.
    DeviceType {
        SkillQueue = 1 "skill queue",
        Agent = 2 "agent",
        Ivr = 3 "IVR",
    }
}

open_enum! {
    /// Direction of a recorded call: `call_type` of a recording.
    CallDirection {
        In = 0 "in",
        Out = 1 "out",
    }
}

open_enum! {
    /// Whether a recording is to be converted to text: `task_status` of a recording.
    TaskStatus {
        NotToConvert = 0 "not to be converted to text",
        ToConvert = 1 "to be converted to text",
    }
}
