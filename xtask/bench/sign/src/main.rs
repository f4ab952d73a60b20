//! Measures how long a signature takes with ccfs-proto, aws-sigv4 and rusty-s3, in one run with a
//! floor: the SHA-256 compressions of the same signature alone. Run it with `cargo xtask bench sign`.
//!
//! The contenders alternate in short rounds, so that other load on the machine affects them equally.

use std::hint::black_box;
use std::process::ExitCode;
use std::time::{Duration, Instant, SystemTime};

use aws_credential_types::Credentials as AwsCredentials;
use aws_sigv4::http_request::{
    SignableBody, SignableRequest, SigningParams, SigningSettings, sign,
};
use aws_sigv4::sign::v4;
use aws_smithy_runtime_api::client::identity::Identity;
use ccfs_proto::{Credentials, RequestView, Signer, Timestamp};
use http::header::AUTHORIZATION;
use rusty_s3::{Bucket, S3Action, UrlStyle};
use sha2::block_api::compress256;

const ROUNDS: usize = 1001;
const CALLS: u32 = 50;
const BODY_LEN: usize = 200;
/// Bars for `Signer::sign`, in medians.
const MAX_TO_FLOOR: f64 = 2.2;
const MIN_TO_AWS: f64 = 5.0;

struct Contender {
    name: &'static str,
    call: Box<dyn FnMut()>,
    nanos: Vec<f64>,
}

fn main() -> ExitCode {
    let body = body();
    let blocks = Ours::new(&body).compressions();
    println!(
        "One POST with a body of {} bytes and three signed headers: {blocks} SHA-256 compressions",
        body.len()
    );

    let mut contenders = [
        contender("raw floor", floor(blocks)),
        contender("ccfs-proto, into a buffer", Ours::new(&body).into_text()),
        contender("ccfs-proto, sign", Ours::new(&body).into_value(false)),
        contender("ccfs-proto, sign and insert", Ours::new(&body).into_value(true)),
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
            // The first round is a warm-up.
            if round > 0 {
                contender.nanos.push(started.elapsed().as_nanos() as f64 / f64::from(CALLS));
            }
        }
    }

    println!(
        "{:26} {:>10} {:>10} {:>20}   ratio of medians",
        "", "ns median", "ns 10 %", "min to max"
    );
    let [floor, text, sign, inserted, _, aws, aws_inserted] =
        contenders.each_ref().map(|contender| quantile(&contender.nanos, 0.5));
    for Contender { name, nanos, .. } in &contenders {
        let [min, tenth, median, max] = [0.0, 0.1, 0.5, 1.0].map(|share| quantile(nanos, share));
        let spread = format!("{min:.0} to {max:.0}");
        let to_floor = median / floor;
        println!("{name:26} {median:>10.0} {tenth:>10.0} {spread:>20}   {to_floor:.2} x floor");
    }
    println!("aws-sigv4 / ccfs-proto: {:.2} (text into a buffer)", aws / text);
    println!(
        "aws-sigv4 / ccfs-proto: {:.2} (header inserted into a request)",
        aws_inserted / inserted
    );

    let (to_floor, to_aws) = (sign / floor, aws / sign);
    let (floor_bar, aws_bar) = (to_floor <= MAX_TO_FLOOR, to_aws >= MIN_TO_AWS);
    println!("{}: {to_floor:.2} times the floor, limit {MAX_TO_FLOOR}", verdict(floor_bar));
    println!(
        "{}: {to_aws:.2} times faster than aws-sigv4, at least {MIN_TO_AWS}",
        verdict(aws_bar)
    );
    if floor_bar && aws_bar { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn verdict(passed: bool) -> &'static str {
    if passed { "pass" } else { "fail" }
}

/// Returns the time that the given share of the rounds did not exceed.
fn quantile(nanos: &[f64], share: f64) -> f64 {
    let mut sorted = nanos.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted[((sorted.len() - 1) as f64 * share) as usize]
}

fn contender(name: &'static str, call: Box<dyn FnMut()>) -> Contender {
    Contender { name, call, nanos: Vec::new() }
}

/// Returns a typical body of `BODY_LEN` bytes.
fn body() -> String {
    let start = r#"{"request":{"version":"2.0"},"msgBody":{"beginTime":"2023-04-05 00:00:00","endTime":"2023-04-06 00:00:00","callBackURL":"https://10.9.8.7:9443/"#;
    let end = r#""}}"#;
    format!("{start}{}{end}", "c".repeat(BODY_LEN - start.len() - end.len()))
}

struct Ours {
    signer: Signer,
    body: String,
}

const HEADERS: [(&str, &str); 3] = [
    ("content-length", "200"),
    ("content-type", "application/json; charset=UTF-8"),
    ("host", "10.1.2.3:8443"),
];
const PATH: &str = "/CCFS/resource/ccfs/queryAgentSkillInfoData";

impl Ours {
    fn new(body: &str) -> Self {
        let credentials = Credentials::from_text(
            "my-app-id-20-letters",
            "a secret key of 32 characters...".into(),
        )
        .unwrap();
        Self { signer: Signer::new(&credentials), body: body.to_owned() }
    }

    fn view(&self) -> RequestView<'_> {
        RequestView {
            method: "POST",
            path: PATH,
            query: &[],
            headers: &HEADERS,
            body: self.body.as_bytes(),
        }
    }

    /// Returns the number of compressions that the scheme needs: those of the two messages, the two
    /// outer hashes, and the two pads of the signing key, which is new each time.
    fn compressions(&self) -> usize {
        let steps = self
            .signer
            .explain(self.view(), Timestamp::from_unix_millis(1_680_768_000_000))
            .unwrap();
        let inner = |message: &str| (message.len() + 9).div_ceil(64);
        inner(&steps.prefix) + 1 + 2 + inner(&steps.canonical_request) + 1
    }

    /// Signs into a reused buffer, which aws-sigv4 does not offer.
    fn into_text(self) -> Box<dyn FnMut()> {
        let mut millis = 1_680_768_000_000;
        let mut text = Vec::new();
        Box::new(move || {
            millis += 1;
            text.clear();
            self.signer
                .sign_into(black_box(self.view()), Timestamp::from_unix_millis(millis), &mut text)
                .unwrap();
            black_box(&text);
        })
    }

    /// Signs into a header value and optionally inserts it into a request, replacing the last one.
    fn into_value(self, insert: bool) -> Box<dyn FnMut()> {
        let mut millis = 1_680_768_000_000;
        let mut sent = request();
        Box::new(move || {
            millis += 1;
            let value = self
                .signer
                .sign(black_box(self.view()), Timestamp::from_unix_millis(millis))
                .unwrap();
            if insert {
                sent.headers_mut().insert(AUTHORIZATION, value);
                black_box(&sent);
            } else {
                black_box(value);
            }
        })
    }
}

fn request() -> http::Request<()> {
    let mut request = http::Request::post(format!("https://10.1.2.3:8443{PATH}")).body(()).unwrap();
    for (name, value) in HEADERS {
        request.headers_mut().insert(name, value.parse().unwrap());
    }
    request
}

fn floor(blocks: usize) -> Box<dyn FnMut()> {
    let data = vec![[0x5A_u8; 64]; blocks];
    let mut state = [0x6A09_E667_u32; 8];
    Box::new(move || {
        compress256(&mut state, black_box(&data));
        black_box(&state);
    })
}

/// Signs with aws-sigv4, whose scheme hashes more: four HMACs for the key and two hashes of the
/// request. Optionally inserts the headers into a request, replacing the last ones.
fn aws_sigv4(body: String, apply: bool) -> Box<dyn FnMut()> {
    let identity: Identity = AwsCredentials::new(
        "AKIDEXAMPLEAKIDEXAMP",
        "a secret key of 32 characters...",
        None,
        None,
        "bench",
    )
    .into();
    let mut time = SystemTime::UNIX_EPOCH + Duration::from_millis(1_680_768_000_000);
    let url = format!("https://10.1.2.3:8443{PATH}");
    let mut sent = request();
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
        let request = SignableRequest::new(
            "POST",
            &url,
            HEADERS.into_iter(),
            SignableBody::Bytes(body.as_bytes()),
        )
        .unwrap();
        let (instructions, signature) =
            black_box(sign(black_box(request), &params).unwrap()).into_parts();
        if apply {
            instructions.apply_to_request_http1x(&mut sent);
            black_box(&sent);
        }
        black_box(signature);
    })
}

fn rusty_s3() -> Box<dyn FnMut()> {
    let bucket = Bucket::new(
        "https://10.1.2.3:8443".parse().unwrap(),
        UrlStyle::Path,
        "bucket",
        "us-east-1",
    )
    .unwrap();
    let credentials =
        rusty_s3::Credentials::new("AKIDEXAMPLEAKIDEXAMP", "a secret key of 32 characters...");
    Box::new(move || {
        let mut action =
            bucket.put_object(Some(&credentials), "CCFS/resource/ccfs/queryAgentSkillInfoData");
        action.headers_mut().insert("content-type", HEADERS[1].1);
        black_box(action.sign(Duration::from_secs(3600)));
    })
}
