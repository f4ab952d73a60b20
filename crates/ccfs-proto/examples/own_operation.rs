//! A custom operation: an interface that this crate does not know.
//!
//! This example signs and prints it; an `Exchange`, or a backend's client, sends it like any other.
//! Run it with `cargo run -p ccfs-proto --example own_operation`. It prints:
//!
//! ```text
//! POST https://10.1.2.3:8443/CCFS/resource/ccfs/queryStorageUsage?vdnId=39
//! …
//! authorization: (redacted)
//! …
//! 5242880 bytes are used
//! ```

use std::borrow::Cow;
use std::error::Error;

use ccfs_proto::answer::{AnswerError, Expected};
use ccfs_proto::exchange::PreparedRequest;
use ccfs_proto::operation::{FieldError, OperationRequest, Received, Repeat, request_body};
use ccfs_proto::{Credentials, Envelope, Operation, Signer, Timestamp};
use serde::{Deserialize, Serialize};

/// An interface that a later release may add.
struct QueryStorageUsage {
    vdn_id: u32,
}

/// Its answer.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct StorageUsage {
    used_bytes: u64,
}

impl Operation for QueryStorageUsage {
    type Answer = StorageUsage;

    fn interface(&self) -> Cow<'static, str> {
        "queryStorageUsage".into()
    }

    fn request(&self) -> Result<OperationRequest, FieldError> {
        #[derive(Serialize)]
        #[serde(rename_all = "camelCase")]
        struct MsgBody {
            detail: bool,
        }
        let body = request_body(&MsgBody { detail: false })
            .expect("a struct of plain values can be serialized");
        Ok(OperationRequest::post(&self.interface(), body).query("vdnId", self.vdn_id.to_string()))
    }

    fn repeat(&self) -> Repeat {
        Repeat::Idempotent
    }

    fn expected(&self) -> Expected {
        Expected::Envelope
    }

    fn answer(&self, received: Received) -> Result<StorageUsage, AnswerError> {
        let envelope = received.into_envelope()?;
        Ok(envelope.data().ok_or(AnswerError::field("usedBytes"))?.parse()?)
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let operation = QueryStorageUsage { vdn_id: 39 };
    let endpoint = "https://10.1.2.3:8443".parse()?;
    let credentials = Credentials::from_text("my-app-id", "the secret of this example".to_owned())?;
    // The time is an argument; a program takes it from its clock.
    let at = Timestamp::from_unix_millis(1_680_336_000_000);

    let request = PreparedRequest::new(operation.request()?, &endpoint)?
        .sign(&Signer::new(&credentials), at)?;
    println!("{} {}", request.method(), request.uri());
    for (name, value) in request.headers() {
        // The crate marks values that must not be shown.
        let shown = if value.is_sensitive() { "(redacted)" } else { value.to_str()? };
        println!("{name}: {shown}");
    }
    println!("\n{}\n", std::str::from_utf8(request.body())?);

    let answer = Envelope::parse(
        br#"{"resultCode":"0","resultDesc":"success","resultData":{"usedBytes":5242880}}"#,
    )?;
    println!("{} bytes are used", operation.answer(Received::Envelope(answer))?.used_bytes);
    Ok(())
}
