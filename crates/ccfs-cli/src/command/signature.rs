//! `ccfs sign` and `ccfs verify`.

use std::path::PathBuf;
use std::time::SystemTime;

use ccfs::proto::auth::{Freshness, VerifyError};
use ccfs::proto::{RequestView, Signer, Timestamp, Verifier};
use clap::Args;
use serde::Serialize;
use zeroize::Zeroizing;

use crate::failure::{Failure, Kind};
use crate::message;
use crate::output;
use crate::reading::read_secret;
use crate::settings::Settings;

#[derive(Args, Debug)]
pub(crate) struct SignArgs {
    #[command(flatten)]
    pub(crate) request: RequestArgs,
    /// Time of the signature in UTC [default: now]
    #[arg(long, value_name = "TIME")]
    pub(crate) timestamp: Option<String>,
    /// Print prefix, canonical request and signature step by step
    #[arg(long)]
    pub(crate) explain: bool,
}

#[derive(Args, Debug)]
pub(crate) struct VerifyArgs {
    #[command(flatten)]
    pub(crate) request: RequestArgs,
    /// The header's value
    #[arg(long, value_name = "VALUE")]
    pub(crate) authorization: String,
    /// Time for checking the signature's age [default: the age is not checked]
    #[arg(long, value_name = "TIME")]
    pub(crate) timestamp: Option<String>,
}

#[derive(Args, Debug)]
pub(crate) struct RequestArgs {
    /// Method
    #[arg(long, default_value = "POST")]
    pub(crate) method: String,
    /// Path as sent, without the query
    #[arg(long)]
    pub(crate) path: String,
    /// Query parameter as raw text, split at the first =
    #[arg(long = "query", value_name = "K=V")]
    pub(crate) query: Vec<String>,
    /// Signed header
    #[arg(long = "header", value_name = "NAME: VALUE", required = true)]
    pub(crate) headers: Vec<String>,
    /// File that contains the body, - for stdin
    #[arg(long, value_name = "FILE")]
    pub(crate) body_file: Option<PathBuf>,
}

/// A request as the command line gives it.
struct Parts<'a> {
    args: &'a RequestArgs,
    query: Vec<(&'a str, &'a str)>,
    headers: Vec<(&'a str, &'a str)>,
    body: Zeroizing<Vec<u8>>,
}

impl<'a> Parts<'a> {
    fn read(args: &'a RequestArgs) -> Result<Self, Failure> {
        if !args.path.starts_with('/') || args.path.contains(['?', '#']) {
            return Err(Failure::usage(
                "--path must begin with '/' and goes without the query, which --query gives",
            ));
        }
        let query = args.query.iter().map(|text| text.split_once('=').unwrap_or((text, "")));
        let headers = args.headers.iter().map(|text| {
            let (name, value) = text
                .split_once(':')
                .ok_or_else(|| Failure::usage("--header must be written 'name: value'"))?;
            Ok((name.trim(), value.trim()))
        });
        let headers = headers.collect::<Result<_, Failure>>()?;
        let body = args.body_file.as_ref().map(|path| read_secret(path, "body file"));
        Ok(Self {
            args,
            query: query.collect(),
            headers,
            body: body.transpose()?.unwrap_or_default(),
        })
    }

    fn view(&self) -> RequestView<'_> {
        RequestView {
            method: &self.args.method,
            path: &self.args.path,
            query: &self.query,
            headers: &self.headers,
            body: &self.body,
        }
    }
}

fn timestamp(text: Option<&str>) -> Result<Option<Timestamp>, Failure> {
    text.map(|text| {
        text.parse::<Timestamp>()
            .map_err(|error| Failure::usage(format_args!("--timestamp: {error}")))
    })
    .transpose()
}

pub(crate) fn sign(settings: &Settings, args: &SignArgs) -> Result<(), Failure> {
    #[derive(Serialize)]
    struct Answer<'a> {
        authorization: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        steps: Option<Steps<'a>>,
    }
    #[derive(Serialize)]
    struct Steps<'a> {
        prefix: &'a str,
        canonical_request: &'a str,
        signature: &'a str,
    }
    let at =
        timestamp(args.timestamp.as_deref())?.unwrap_or_else(|| Timestamp::from(SystemTime::now()));
    // A timestamp that is given in whole seconds is signed in whole seconds.
    let precision = match args.timestamp.as_deref() {
        Some(text) if !text.contains('.') => ccfs::proto::time::Precision::Seconds,
        _ => ccfs::proto::time::Precision::Millis,
    };
    let parts = Parts::read(&args.request)?;
    let signer =
        Signer::new(&settings.credentials()?).query_line(settings.query_line).precision(precision);
    let steps = signer.explain(parts.view(), at).map_err(Failure::usage)?;
    let authorization = steps.authorization();
    if settings.json {
        let shown = Steps {
            prefix: &steps.prefix,
            canonical_request: &steps.canonical_request,
            signature: &steps.signature,
        };
        return output::json(&Answer {
            authorization: &authorization,
            steps: args.explain.then_some(shown),
        });
    }
    if args.explain {
        message::plain(format_args!(
            "1. prefix, the message of the first HMAC (its key is the secret key):\n{}\n",
            steps.prefix
        ));
        message::plain(format_args!(
            "2. canonical request, the message of the second HMAC (its key is the first one's hex text):"
        ));
        message::plain(format_args!("{}\n", steps.canonical_request));
        message::plain(format_args!(
            "3. signature, the second HMAC in hex:\n{}\n",
            steps.signature
        ));
    }
    output::line(authorization)
}

pub(crate) fn verify(settings: &Settings, args: &VerifyArgs) -> Result<(), Failure> {
    #[derive(Serialize)]
    struct Answer {
        valid: bool,
        signed_at: String,
        query_line: &'static str,
    }
    let now = timestamp(args.timestamp.as_deref())?;
    let parts = Parts::read(&args.request)?;
    let mut verifier = Verifier::new(&settings.credentials()?);
    if now.is_some() {
        verifier = verifier.freshness(Freshness::default());
    }
    let now = now.unwrap_or_else(|| Timestamp::from(SystemTime::now()));
    let view = parts.view();
    let outcome = match verifier.verify(&args.authorization, view, now) {
        Err(VerifyError::Mismatch) => {
            let why = verifier.diagnose(&args.authorization, view).ok().flatten();
            let why = why.map_or_else(
                || {
                    String::from(
                        "no common mistake explains it: the secret key, path, host or body differs from what was signed",
                    )
                },
                |difference| difference.to_string(),
            );
            Err(Failure::new(
                Kind::Authentication,
                format_args!("{}: {why}", VerifyError::Mismatch),
            ))
        }
        other => other.map_err(|error| Failure::new(Kind::Authentication, error)),
    }?;
    if settings.json {
        let query_line = outcome.query_line.as_str();
        return output::json(&Answer {
            valid: true,
            signed_at: outcome.timestamp.to_string(),
            query_line,
        });
    }
    output::line(outcome)
}
