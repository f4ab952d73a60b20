//! Codes from open sets: published ones have names, others are kept as numbers.

use std::fmt;

macro_rules! codes {
    ($(#[$doc:meta])* $type:ident { $( $known:ident = $code:literal $name:literal, )+ }) => {
        $(#[$doc])*
        ///
        /// Sets of codes grow with releases: treat a code without a name as data, not as an error.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[cfg_attr(feature = "serde", derive(serde::Serialize), serde(transparent))]
        pub struct $type(i64);

        impl $type {
            $( #[doc = concat!($code, ": ", $name)] pub const $known: Self = Self($code); )+

            /// The codes that have a name, in the order of their numbers.
            pub const KNOWN: &'static [Self] = &[$( Self::$known ),+];

            /// The number in the file.
            pub const fn code(self) -> i64 {
                self.0
            }

            /// The name, if the code has one.
            pub const fn name(self) -> Option<&'static str> {
                match self.0 {
                    $( $code => Some($name), )+
                    _ => None,
                }
            }
        }

        impl From<i64> for $type {
            #[inline]
            fn from(code: i64) -> Self {
                Self(code)
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
    };
}

codes! {
    /// Type of an agent's operation ([Index file formats](https://docs.rs/ccfs-proto/latest/ccfs_proto/protocol/#index-file-formats)).
    ///
    /// The table for `operate_type` in agentSkillInfo is not published; these are the agent operation types, the
    /// closest list. Unknown codes are kept.
    ///
    /// ```
    /// use ccfs_archive::OperateType;
    ///
    /// assert_eq!(OperateType::from(1), OperateType::SIGN_IN);
    /// assert_eq!(OperateType::from(9001).code(), 9001);
    /// assert_eq!(OperateType::from(9001).name(), None);
    /// ```
    OperateType {
        SIGN_OUT = 0 "sign out",
        SIGN_IN = 1 "sign in",
        IDLE = 2 "idle",
        BUSY = 3 "busy",
        TALKING_TEXT = 4 "talking (text)",
        THREE_PARTY = 10 "three-party",
        MANUAL_TO_AUTOMATIC = 13 "manual to automatic",
        LISTEN_INSERT_WHISPER = 20 "listen/insert/whisper",
        PLAY_VOICE = 22 "play voice",
        REST = 26 "rest",
        WORK = 27 "work",
        FORCED_SIGN_OUT = 29 "forced sign-out",
        FORCED_IDLE = 30 "forced idle",
        FORCED_BUSY = 31 "forced busy",
        MUTE = 32 "mute",
        HOLD = 38 "hold",
        INTERNAL_HELP = 40 "internal help",
        INTERNAL_CALL = 41 "internal call",
        INTERCEPT = 43 "intercept",
        SUSPEND_VOICE = 44 "suspend voice",
        INTERNAL_TRANSFER = 45 "internal transfer",
        TRANSFER_OUT = 46 "transfer out",
        MEDIA_SERVER_SIGN_IN = 47 "media server sign-in",
        MEDIA_SERVER_SIGN_OUT = 52 "media server sign-out",
        TRANSFER_QUEUED_CALL = 53 "transfer a queued call",
        RELEASE_TRANSFER = 54 "release transfer",
        TRANSFER_TO_DEVICE = 55 "transfer to another device",
        HOLD_FOR_HELP = 57 "hold for help",
        CONFERENCE = 58 "conference",
    }
}

codes! {
    /// Type of the device of a call leg: `device_type` of a call.
    DeviceType {
        SKILL_QUEUE = 1 "skill queue",
        AGENT = 2 "agent",
        IVR = 3 "IVR",
    }
}

codes! {
    /// Direction of a recorded call: `call_type` of a recording.
    CallDirection {
        IN = 0 "in",
        OUT = 1 "out",
    }
}

codes! {
    /// Whether a recording is to be converted to text: `task_status` of a recording.
    TaskStatus {
        NOT_TO_CONVERT = 0 "not to be converted to text",
        TO_CONVERT = 1 "to be converted to text",
    }
}
