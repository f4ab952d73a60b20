//! How long a signature takes: ours, aws-sigv4's, rusty-s3's, and the raw floor (the same number of SHA-256 compressions), in one run.
//!
//! The contenders take turns in short rounds, so that whatever else the machine does falls on all of them. `cargo xtask bench sign`; with
//! `--layouts 24`, as often with the functions in another order, which moves aws-sigv4's time by a tenth.

use std::hint::black_box;
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

struct Contender {
    name: &'static str,
    call: Box<dyn FnMut()>,
    nanos: Vec<f64>,
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let brief = match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [] => false,
        ["--brief"] => true,
        _ => {
            eprintln!("bench sign takes nothing, or --layouts and a number");
            std::process::exit(2);
        }
    };
    let body = body();
    let blocks = Ours::new(&body).compressions();
    if !brief {
        println!(
            "One POST with a body of {} bytes, three signed headers: {blocks} SHA-256 compressions (the key's pads precomputed)",
            body.len()
        );
    }

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
            // The first round warms up.
            if round > 0 {
                contender.nanos.push(started.elapsed().as_nanos() as f64 / f64::from(CALLS));
            }
        }
    }

    if brief {
        // For the one that compares layouts: names and medians.
        for Contender { name, nanos, .. } in &contenders {
            println!("{name}\t{:.1}", quantile(nanos, 0.5));
        }
        return;
    }
    println!(
        "{:26} {:>10} {:>10} {:>20}   ratios by median",
        "", "ns median", "ns 10 %", "min to max"
    );
    let [floor, _, sign, ..] =
        contenders.each_ref().map(|contender| quantile(&contender.nanos, 0.5));
    for Contender { name, nanos, .. } in &contenders {
        let [min, tenth, median, max] = [0.0, 0.1, 0.5, 1.0].map(|share| quantile(nanos, share));
        let spread = format!("{min:.0} to {max:.0}");
        println!(
            "{name:26} {median:>10.0} {tenth:>10.0} {spread:>20}   {:.2} x floor, {:.2} x our sign",
            median / floor,
            median / sign
        );
    }
    // What else runs on the same core slows all but the floor, which is one long wait: the fastest tenth of the rounds saw the least of it.
    for (name, share) in [("medians", 0.5), ("the fastest tenth", 0.1)] {
        let [floor, text, sign, inserted, _, peer, applied] =
            contenders.each_ref().map(|contender| quantile(&contender.nanos, share));
        let (to_floor, to_peer) = (sign / floor, peer / sign);
        println!(
            "bars, by {name}: at most 1.7 times the floor: {to_floor:.2} ({}); at least 8 times faster than aws-sigv4's sign alone: {to_peer:.2} ({})",
            verdict(to_floor <= 1.7),
            verdict(to_peer >= 8.0)
        );
        // Like for like: its `sign` returns text and ours a header value; its `apply` makes header values of the text and inserts them.
        println!(
            "  text against text: {:.2}; in the request against in the request: {:.2}",
            peer / text,
            applied / inserted
        );
    }
}

fn verdict(held: bool) -> &'static str {
    if held { "held" } else { "missed" }
}

/// What `share` of the rounds were at least as fast as.
fn quantile(nanos: &[f64], share: f64) -> f64 {
    let mut sorted = nanos.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted[((sorted.len() - 1) as f64 * share) as usize]
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

    /// Compressions that the scheme cannot do without: each message behind its keyed block, each outer hash, and the pads of the
    /// signing key, which is new every time.
    fn compressions(&self) -> usize {
        let steps = self
            .signer
            .explain(self.view(), Timestamp::from_unix_millis(1_680_768_000_000))
            .unwrap();
        let inner = |message: &str| (message.len() + 9).div_ceil(64);
        inner(&steps.prefix) + 1 + 2 + inner(&steps.canonical_request) + 1
    }

    /// The header's text into a buffer that is used again, which aws-sigv4 has no way for.
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

    /// A header value, and where `insert` is true into a request; the same one each time, so that it replaces the last one.
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

/// Signs, by a scheme that hashes more: its key is derived by four HMACs each time, and body and canonical request are two hashes. Where `apply`
/// is true, puts the headers that come out into a request; the same request each time, so that they replace the last ones.
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
