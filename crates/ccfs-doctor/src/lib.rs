//! Finds out why calls to CC-FS fail.
//!
//! A [`Doctor`] resolves the name, connects (through a proxy if one is set), performs a TLS handshake, records the certificates even if they
//! are not trusted, makes exactly one signed call, and compares the clocks. The [`Report`] has the result of each check, and the likely
//! causes, each with reasons and advice. It blocks. It never repeats a call, follows a redirect, sends HTTP over a connection that is not
//! trusted, or shows a key.
//!
//! A pure function, [`judge()`], determines the causes from the evidence. It can be used alone.
//!
//! ```
//! use ccfs_doctor::{Cause, Doctor, Verdict};
//! use ccfs_emulator::{Emulator, Fault};
//! use ccfs_tls::{Pin, Trust};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let emulator = Emulator::builder().start()?;
//! let pin: Pin = emulator.certificate_sha256().unwrap_or_default().parse()?;
//! let doctor = Doctor::new(emulator.endpoint().clone(), Some(emulator.credentials())).trust(Trust::none().pin(pin)).proxy(None);
//! assert_eq!(doctor.clone().examine()?.verdict, Verdict::Well);
//!
//! emulator.faults().add(Fault::Locked);
//! let report = doctor.examine()?;
//! assert_eq!(report.findings[0].cause, Cause::AddressLocked);
//! assert!(!report.findings[0].may_sign_again);
//! println!("{report}");
//! # Ok(())
//! # }
//! ```
#![forbid(unsafe_code)]

mod cause;
mod certificate;
mod doctor;
mod evidence;
mod finding;
mod judge;
mod probe;
mod report;

pub use cause::Cause;
pub use certificate::Certificate;
pub use doctor::Doctor;
pub use evidence::{Call, Evidence, Head, Reach};
pub use finding::{Finding, Weight};
pub use judge::judge;
pub use report::{Mark, Report, Step, Verdict};
