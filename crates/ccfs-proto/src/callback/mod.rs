//! Receiving callbacks: the requests that CC-FS sends to the callback URL when a file is ready.
//!
//! The server repeats a callback every ten minutes until it gets a 200 with a body, and signs each
//! repetition again. So a receiver answers before it downloads, never loses a callback that it
//! answered with 200, and recognises jobs that it already has. The order of steps is:
//!
//! 1. [`Receiver::check`] verifies the signature and its age, and reads the body.
//! 2. [`ReplayGuard::begin`] marks the job as pending. Go on only after [`Begin::First`].
//! 3. Store the callback under its key, so that storing it twice changes nothing; or reserve a
//!    place for it in memory. If that fails, call [`ReplayGuard::roll_back`] and answer 503.
//! 4. [`ReplayGuard::commit`] marks the job as done. If it returns `false`, another receiver has
//!    the job: release the reserved place, keep what is stored, and do not process it. If it fails,
//!    release the place and answer 503.
//! 5. Send the [`Answer`].
//! 6. Process the callback, even if sending the answer failed.
//!
//! Servers such as hyper cancel a handler when the client disconnects. In async code, do steps 2 to
//! 4 and the start of step 6 in a spawned task, or process the stored callbacks later; a job that is
//! committed but not processed is never delivered again.
//!
//! Answer a valid callback that is not committed with 503, so that the server calls again.
//! [`Receiver::receive`] does steps 1 to 4 for a guard and a store that do not need `.await`. The
//! repository's `tests/examples/axum_receiver.rs` does the same steps with a store that needs it.
//!
//! ```
//! use ccfs_proto::callback::{MemoryGuard, Outcome, Receiver, with_request};
//! use ccfs_proto::{Credentials, Timestamp};
//!
//! let credentials = Credentials::from_text("my-app-id", String::from("my secret key"))?;
//! let receiver = Receiver::new(&credentials);
//! let (mut guard, mut queue) = (MemoryGuard::default(), Vec::new());
//!
//! // Head and body as axum or hyper deliver them. This request is not signed.
//! let (head, body) = http::Request::post("/callback").body(b"{}")?.into_parts();
//! let now = Timestamp::from_unix_millis(1_680_768_000_000);
//! let outcome = with_request(&head, body, |request| {
//!     receiver.receive(request, &mut guard, now, |callback| {
//!         queue.push(callback.clone());
//!         true
//!     })
//! });
//! assert_eq!(outcome.answer().status, 401);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod guard;
mod message;
mod receiver;

pub use self::guard::{Begin, JobKey, MemoryGuard, ReplayGuard};
pub use self::message::{Callback, CallbackError};
pub use self::receiver::{Answer, Delivery, Outcome, ReceiveError, Receiver, with_request};
