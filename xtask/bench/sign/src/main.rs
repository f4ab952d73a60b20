//! How long a signature takes: ours, aws-sigv4's, rusty-s3's, and the raw floor (the same number of SHA-256 compressions), in one run.
//!
//! The contenders take turns in short rounds, so that whatever else the machine does falls on all of them. `cargo xtask bench sign`.

use std::hint::black_box;
use std::time::{Duration, Instant, SystemTime};

use aws_credential_types::Credentials as AwsCredentials;
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningParams, SigningSettings, sign};
use aws_sigv4::sign::v4;
use aws_smithy_runtime_api::client::identity::Identity;
use ccfs_proto::{Credentials, RequestView, Signer, Timestamp};
use rusty_s3::{Bucket, S3Action, UrlStyle};
use sha2::block_api::compress256;

const ROUNDS: usize = 1001;
const CALLS: u32 = 50;
const BODY_LEN: usize = 200;

struct Contender {
    name: &'static str,
    call: Box<dyn FnMut()>,
    nanos: Vec<f64>,
}

fn main() {
    let body = body();
    let ours = Ours::new(&body);
    let blocks = ours.compressions();
    println!(
        "One POST with a body of {} bytes, three signed headers: {blocks} SHA-256 compressions (the key's pads precomputed)",
        body.len()
    );

    let mut contenders = [
        contender("raw floor", floor(blocks)),
        contender("ccfs-proto", ours.into_call()),
        contender("rusty-s3 (presigned PUT)", rusty_s3()),
        contender("aws-sigv4, sign alone", aws_sigv4(body.clone(), false)),
        contender("aws-sigv4, sign and apply", aws_sigv4(body, true)),
    ];
    for round in 0..=ROUNDS {
        for contender in &mut contenders {
            let started = Instant::now();
            for _ in 0..CALLS {
                (contender.call)();
            }
            // The first round warms up.
            if round > 0 {
                contender.nanos.push(started.elapsed().as_nanos() as f64 / f64::from(CALLS));
            }
        }
    }

    let medians: Vec<f64> = contenders.iter().map(|contender| median(&contender.nanos)).collect();
    println!("{:26} {:>10} {:>22} {:>10} {:>10}", "", "ns median", "min to max", "x floor", "x ours");
    for (contender, median) in contenders.iter().zip(&medians) {
        let (min, max) = contender.nanos.iter().fold((f64::MAX, 0_f64), |(min, max), &nanos| (min.min(nanos), max.max(nanos)));
        let spread = format!("{min:.0} to {max:.0}");
        println!("{:26} {median:>10.0} {spread:>22} {:>10.2} {:>10.2}", contender.name, median / medians[0], median / medians[1]);
    }
    let (floor, peer) = (medians[1] / medians[0], medians[3] / medians[1]);
    println!(
        "bars: at most 1.7 times the floor: {floor:.2} ({}); at least 8 times faster than aws-sigv4's sign alone: {peer:.2} ({})",
        verdict(floor <= 1.7),
        verdict(peer >= 8.0)
    );
}

fn verdict(held: bool) -> &'static str {
    if held { "held" } else { "missed" }
}

fn median(nanos: &[f64]) -> f64 {
    let mut sorted = nanos.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted[sorted.len() / 2]
}

fn contender(name: &'static str, call: Box<dyn FnMut()>) -> Contender {
    Contender { name, call, nanos: Vec::new() }
}

/// A body as the interfaces have it, of just the length wanted.
fn body() -> String {
    let start = r#"{"request":{"version":"2.0"},"msgBody":{"beginTime":"2023-04-05 00:00:00","endTime":"2023-04-06 00:00:00","callBackURL":"https://10.9.8.7:9443/"#;
    let end = r#""}}"#;
    format!("{start}{}{end}", "c".repeat(BODY_LEN - start.len() - end.len()))
}

struct Ours {
    signer: Signer,
    body: String,
}

const HEADERS: [(&str, &str); 3] =
    [("content-length", "200"), ("content-type", "application/json; charset=UTF-8"), ("host", "10.1.2.3:8443")];
const PATH: &str = "/CCFS/resource/ccfs/queryAgentSkillInfoData";

impl Ours {
    fn new(body: &str) -> Self {
        let credentials = Credentials::from_text("my-app-id-20-letters", "a secret key of 32 characters...".into()).unwrap();
        Self { signer: Signer::new(&credentials), body: body.to_owned() }
    }

    fn view(&self) -> RequestView<'_> {
        RequestView { method: "POST", path: PATH, query: &[], headers: &HEADERS, body: self.body.as_bytes() }
    }

    /// Compressions that the scheme cannot do without: each message behind its keyed block, each outer hash, and the pads of the
    /// signing key, which is new every time.
    fn compressions(&self) -> usize {
        let steps = self.signer.explain(self.view(), Timestamp::from_unix_millis(1_680_768_000_000)).unwrap();
        let inner = |message: &str| (message.len() + 9).div_ceil(64);
        inner(&steps.prefix) + 1 + 2 + inner(&steps.canonical_request) + 1
    }

    fn into_call(self) -> Box<dyn FnMut()> {
        let mut millis = 1_680_768_000_000;
        Box::new(move || {
            millis += 1;
            black_box(self.signer.sign(black_box(self.view()), Timestamp::from_unix_millis(millis)).unwrap());
        })
    }
}

fn floor(blocks: usize) -> Box<dyn FnMut()> {
    let data = vec![[0x5A_u8; 64]; blocks];
    let mut state = [0x6A09_E667_u32; 8];
    Box::new(move || {
        compress256(&mut state, black_box(&data));
        black_box(&state);
    })
}

/// Signs, and where `apply` is true puts the headers that come out into a request; the same request each time, so that they replace the last ones.
fn aws_sigv4(body: String, apply: bool) -> Box<dyn FnMut()> {
    let identity: Identity = AwsCredentials::new("AKIDEXAMPLEAKIDEXAMP", "a secret key of 32 characters...", None, None, "bench").into();
    let mut time = SystemTime::UNIX_EPOCH + Duration::from_millis(1_680_768_000_000);
    let url = format!("https://10.1.2.3:8443{PATH}");
    let mut sent = http::Request::post(&url).body(()).unwrap();
    for (name, value) in HEADERS {
        sent.headers_mut().insert(name, value.parse().unwrap());
    }
    Box::new(move || {
        time += Duration::from_millis(1);
        let params: SigningParams<'_> = v4::SigningParams::builder()
            .identity(&identity)
            .region("us-east-1")
            .name("service")
            .time(time)
            .settings(SigningSettings::default())
            .build()
            .unwrap()
            .into();
        let request = SignableRequest::new("POST", &url, HEADERS.into_iter(), SignableBody::Bytes(body.as_bytes())).unwrap();
        let (instructions, signature) = black_box(sign(black_box(request), &params).unwrap()).into_parts();
        if apply {
            instructions.apply_to_request_http1x(&mut sent);
            black_box(&sent);
        }
        black_box(signature);
    })
}

fn rusty_s3() -> Box<dyn FnMut()> {
    let bucket = Bucket::new("https://10.1.2.3:8443".parse().unwrap(), UrlStyle::Path, "bucket", "us-east-1").unwrap();
    let credentials = rusty_s3::Credentials::new("AKIDEXAMPLEAKIDEXAMP", "a secret key of 32 characters...");
    Box::new(move || {
        let mut action = bucket.put_object(Some(&credentials), "CCFS/resource/ccfs/queryAgentSkillInfoData");
        action.headers_mut().insert("content-type", HEADERS[1].1);
        black_box(action.sign(Duration::from_secs(3600)));
    })
}
