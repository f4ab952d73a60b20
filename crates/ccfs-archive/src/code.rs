//! Codes whose set is open: known values have names, unknown ones are kept.

use std::fmt;

/// A code without a name in this version. It can only be made by [`From<i64>`] of its enum, so a known code never
/// hides in here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct UnknownCode(i64);

impl UnknownCode {
    /// The number that stood in the file.
    pub const fn code(self) -> i64 {
        self.0
    }
}

macro_rules! open_enum {
    ($(#[$doc:meta])* $type:ident { $( $(#[$vdoc:meta])* $variant:ident = $code:literal $name:literal, )+ }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum $type {
            $( $(#[$vdoc])* $variant, )+
            /// A code that has no name here. Sets grow with releases: treat it as data, not as an error.
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

            /// The name, where there is one.
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

        impl From<$type> for i64 {
            fn from(value: $type) -> i64 {
                value.code()
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

        #[cfg(feature = "serde")]
        impl<'de> serde::Deserialize<'de> for $type {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                <i64 as serde::Deserialize>::deserialize(deserializer).map(Self::from)
            }
        }
    };
}

open_enum! {
    /// What an agent did ([Index file formats](https://docs.rs/ccfs-proto/latest/ccfs_proto/protocol/#index-file-formats)).
    ///
    /// The table for `operate_type` in agentSkillInfo is not published; these are the agent operation types, the nearest
    /// list there is. An unknown code is kept, not refused.
    ///
    /// ```
    /// use ccfs_archive::OperateType;
    ///
    /// assert_eq!(OperateType::from(1), OperateType::SignIn);
    /// assert_eq!(OperateType::from(9001).code(), 9001);
    /// assert_eq!(OperateType::from(9001).name(), None);
    /// ```
    OperateType {
        /// 0
        SignOut = 0 "sign out",
        /// 1
        SignIn = 1 "sign in",
        /// 2
        Idle = 2 "idle",
        /// 3
        Busy = 3 "busy",
        /// 4
        TalkingText = 4 "talking (text)",
        /// 10
        ThreeParty = 10 "three-party",
        /// 13
        ManualToAutomatic = 13 "manual to automatic",
        /// 20: listen, insert or whisper
        ListenInsertWhisper = 20 "listen/insert/whisper",
        /// 22
        PlayVoice = 22 "play voice",
        /// 26
        Rest = 26 "rest",
        /// 27
        Work = 27 "work",
        /// 29
        ForcedSignOut = 29 "forced sign-out",
        /// 30
        ForcedIdle = 30 "forced idle",
        /// 31
        ForcedBusy = 31 "forced busy",
        /// 32
        Mute = 32 "mute",
        /// 38
        Hold = 38 "hold",
        /// 40
        InternalHelp = 40 "internal help",
        /// 41
        InternalCall = 41 "internal call",
        /// 43
        Intercept = 43 "intercept",
        /// 44
        SuspendVoice = 44 "suspend voice",
        /// 45
        InternalTransfer = 45 "internal transfer",
        /// 46
        TransferOut = 46 "transfer out",
        /// 47
        MediaServerSignIn = 47 "media server sign-in",
        /// 52
        MediaServerSignOut = 52 "media server sign-out",
        /// 53
        TransferQueuedCall = 53 "transfer a queued call",
        /// 54
        ReleaseTransfer = 54 "release transfer",
        /// 55
        TransferToDevice = 55 "transfer to another device",
        /// 57
        HoldForHelp = 57 "hold for help",
        /// 58
        Conference = 58 "conference",
    }
}

open_enum! {
    /// What a call leg ran on: `device_type` of a call.
    DeviceType {
        /// 1
        SkillQueue = 1 "skill queue",
        /// 2
        Agent = 2 "agent",
        /// 3
        Ivr = 3 "IVR",
    }
}

open_enum! {
    /// Which way a recorded call went: `call_type` of a recording.
    CallDirection {
        /// 0
        In = 0 "in",
        /// 1
        Out = 1 "out",
    }
}

open_enum! {
    /// Whether a recording is to be turned into text: `task_status` of a recording.
    TaskStatus {
        /// 0
        NotToConvert = 0 "not to be converted to text",
        /// 1
        ToConvert = 1 "to be converted to text",
    }
}
