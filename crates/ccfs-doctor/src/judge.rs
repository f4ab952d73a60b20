//! Determines causes from evidence.

use ccfs_proto::FailureKind;
use ccfs_proto::exchange::{HEAD_LIMIT, HEADERS_LIMIT, TlsFailure};

use crate::cause::Cause;
use crate::evidence::{Call, Evidence, Reach};
use crate::finding::{Finding, Weight};

/// Difference of the clocks, in seconds, from which it is reported.
pub(crate) const NOTABLE_SKEW: u64 = 60;
/// Difference of the clocks, in seconds, from which it is a likely cause of a refused signature. CC-FS does not document how much it
/// accepts. 15 minutes are usual; this is a third of that.
const LARGE_SKEW: u64 = 300;
/// The shortest RSA key that rustls accepts, in bits.
const MIN_RSA_BITS: usize = 2048;
/// Days of validity left, below which a certificate is reported.
pub(crate) const SOON: i64 = 30;

/// Returns the causes that explain the evidence, the likeliest first, followed by other findings. Empty if there is no problem, or no
/// evidence.
///
/// CC-FS does not report what is wrong with a signature, so a 401 has several possible causes. Then all of them are returned, each with its
/// reasons.
///
/// ```
/// use ccfs_doctor::{Call, Cause, Evidence, Reach, judge};
///
/// let mut evidence = Evidence::default();
/// (evidence.https, evidence.reach) = (true, Reach::Connected);
/// evidence.call = Some(Call::Status { status: 401, spring: true });
/// evidence.skew_millis = Some(-20 * 60 * 1000);
/// let findings = judge(&evidence);
/// assert_eq!(findings[0].cause, Cause::Clock);
/// assert_eq!(findings[0].because, ["the clocks differ by 1200 s, and signatures carry the time"]);
/// ```
pub fn judge(evidence: &Evidence) -> Vec<Finding> {
    let mut findings = Findings(Vec::new());
    match evidence.reach {
        Reach::NameNotFound => findings.certain(Cause::NameNotFound, []),
        Reach::Refused => {
            findings.certain(Cause::NothingListening, ["the connection was refused".into()]);
        }
        Reach::Unreachable => {
            findings.certain(
                Cause::Unreachable,
                ["the connection timed out, or the network reported that the host is unreachable"
                    .into()],
            );
        }
        Reach::ProxyUnreachable => findings.certain(Cause::ProxyUnreachable, []),
        Reach::ProxyRefused(None) => {
            findings.certain(Cause::ProxyRefused, ["its answer to CONNECT is not HTTP".into()]);
        }
        Reach::ProxyRefused(Some(status)) => findings
            .certain(Cause::ProxyRefused, [format!("it answered CONNECT with HTTP {status}")]),
        Reach::Untried | Reach::Connected => match (evidence.tls, evidence.call) {
            (Some(failure), _) => findings.tls(evidence, failure),
            (None, Some(call)) => findings.call(evidence, call),
            (None, None) => {}
        },
    }
    findings.sort();
    findings.remarks(evidence);
    findings.done()
}

struct Findings(Vec<Finding>);

impl Findings {
    fn certain<const N: usize>(&mut self, cause: Cause, because: [String; N]) {
        self.add(cause, Weight::Certain, because.into());
    }

    fn add(&mut self, cause: Cause, weight: Weight, because: Vec<String>) {
        self.0.push(Finding {
            cause,
            weight,
            because,
            advice: cause.advice(),
            may_sign_again: true,
        });
    }

    fn tls(&mut self, evidence: &Evidence, failure: TlsFailure) {
        // rustls reports both as another fault: as a bad signature, or a bad certificate.
        let is_unspecific = matches!(
            failure,
            TlsFailure::UnknownIssuer | TlsFailure::BadCertificate | TlsFailure::Other
        );
        if let Some(bits) = evidence.rsa_bits.filter(|&bits| is_unspecific && bits < MIN_RSA_BITS) {
            let because =
                format!("its RSA key has {bits} bits, and at least {MIN_RSA_BITS} are required");
            return self.certain(Cause::WeakKey, [because]);
        }
        if let Some(version) = evidence.x509_version.filter(|&version| is_unspecific && version < 3)
        {
            let because = format!("it is an X.509 version {version} certificate");
            return self.certain(Cause::OldCertificate, [because]);
        }
        let cause = match failure {
            TlsFailure::UnknownIssuer => Cause::UnknownIssuer,
            TlsFailure::WrongName => Cause::WrongName,
            TlsFailure::Expired => Cause::CertificateExpired,
            TlsFailure::NotYetValid => Cause::CertificateNotYetValid,
            TlsFailure::CaCertificate => Cause::CaCertificate,
            TlsFailure::BadCertificate => Cause::BadCertificate,
            TlsFailure::PinDiffers { .. } => Cause::PinDiffers,
            TlsFailure::ClientCertificateMissing => Cause::ClientCertificateMissing,
            TlsFailure::ClientCertificateRefused => Cause::ClientCertificateRefused,
            TlsFailure::NotTls => Cause::PlainInsteadOfTls,
            _ => Cause::TlsOther,
        };
        self.certain(
            cause,
            ["the TLS handshake failed with this error; no request was sent".into()],
        );
        if matches!(failure, TlsFailure::Expired | TlsFailure::NotYetValid) {
            self.add(
                Cause::Clock,
                Weight::Possible,
                vec!["the dates of certificates are compared with this machine's clock".into()],
            );
        }
    }

    fn call(&mut self, evidence: &Evidence, call: Call) {
        match call {
            Call::Accepted => {}
            Call::Status { status: 401, spring: true } => self.unauthorized(evidence),
            Call::Status { status: 403, spring: true } => {
                let because =
                    "HTTP 403 in the format of CC-FS, which is its answer to a locked address"
                        .into();
                self.add(Cause::AddressLocked, Weight::Likely, vec![because]);
            }
            Call::Status { status: status @ (400 | 403), spring: false }
                if evidence.is_client_certificate_missing =>
            {
                self.missing_client_certificate(&format!("answered with HTTP {status}"));
                if status == 403 {
                    let because = "a gateway may have replaced the server's 403 by its own page";
                    self.add(Cause::AddressLocked, Weight::Possible, vec![because.into()]);
                }
                self.gateway_or_stranger(evidence, Weight::Possible, Vec::new());
            }
            Call::Status { status: status @ (401 | 403), .. } => {
                let mut because = vec![format!("HTTP {status}, but not in the format of CC-FS")];
                because.extend(evidence.head.foreign());
                self.add(Cause::Gateway, Weight::Likely, because);
                if status == 403 {
                    self.add(
                        Cause::AddressLocked,
                        Weight::Possible,
                        vec!["a gateway may have replaced the server's 403 by its own page".into()],
                    );
                } else {
                    self.add(
                        Cause::Key,
                        Weight::Possible,
                        vec!["a gateway may have replaced the server's 401 by its own page".into()],
                    );
                }
            }
            Call::Status { status: 404 | 405, spring: true } => {
                let because = "the answer is in the format of CC-FS or another Java server, which has no such interface at this path".into();
                self.add(Cause::BasePath, Weight::Likely, vec![because]);
            }
            Call::Status { status: status @ (404 | 405), .. } => {
                self.add(
                    Cause::BasePath,
                    Weight::Likely,
                    vec![format!(
                        "HTTP {status}: the server that answered has nothing at this path"
                    )],
                );
                self.gateway_or_stranger(evidence, Weight::Possible, Vec::new());
            }
            Call::Status { status: 300..=399, .. } => {
                let because = match &evidence.head.location {
                    Some(target) => format!("the answer is a redirect to {target}"),
                    None => "the answer is a redirect without a target".into(),
                };
                self.certain(Cause::Redirected, [because]);
            }
            Call::Status { status: 400, spring: false } if !evidence.https => {
                self.add(
                    Cause::TlsInsteadOfPlain,
                    Weight::Likely,
                    vec!["servers answer plain HTTP at a TLS port with 400".into()],
                );
                self.gateway_or_stranger(evidence, Weight::Possible, Vec::new());
            }
            Call::Status { status: status @ (429 | 503), .. } => {
                self.add(Cause::Busy, Weight::Likely, vec![format!("HTTP {status}")]);
            }
            Call::Status { status: status @ (502 | 504), .. } => {
                let mut because =
                    vec![format!("HTTP {status}: a gateway received no answer from the server")];
                because.extend(evidence.head.foreign());
                self.add(Cause::Gateway, Weight::Certain, because);
            }
            Call::Status { status, spring: true } => {
                self.add(
                    Cause::ServerFailing,
                    Weight::Likely,
                    vec![format!("HTTP {status} in the format of CC-FS")],
                );
            }
            Call::Status { status, .. } => {
                self.gateway_or_stranger(evidence, Weight::Likely, vec![format!("HTTP {status}")]);
            }
            Call::Strange => self.gateway_or_stranger(
                evidence,
                Weight::Likely,
                vec!["the answer is not in the format of CC-FS".into()],
            ),
            Call::Failed(failure) => self.failed(evidence, failure),
        }
    }

    /// The server reports that the signature is wrong, but not why.
    fn unauthorized(&mut self, evidence: &Evidence) {
        if evidence.other_dialect == Some(Call::Accepted) {
            return self.certain(
                Cause::QueryLine,
                ["the same call is accepted in the other dialect".into()],
            );
        }
        let seconds = evidence.skew_millis.map_or(0, |millis| millis.unsigned_abs() / 1000);
        if seconds > NOTABLE_SKEW {
            let weight = if seconds > LARGE_SKEW { Weight::Likely } else { Weight::Possible };
            self.add(
                Cause::Clock,
                weight,
                vec![format!("the clocks differ by {seconds} s, and signatures carry the time")],
            );
        }
        let mut key = vec![
            "HTTP 401 in the format of CC-FS: the request arrived, but its signature is wrong"
                .to_owned(),
        ];
        if seconds <= NOTABLE_SKEW && evidence.skew_millis.is_some() {
            key.push("the clocks agree".into());
        }
        let signs = evidence.head.signs();
        if signs.is_empty() {
            key.push("nothing in the answer indicates a gateway".into());
        }
        // A gateway does not prove it, but makes a rewritten Host as likely as a mistyped key.
        if signs.is_empty() {
            self.add(Cause::Key, Weight::Likely, key);
            self.add(
                Cause::HostRewritten,
                Weight::Possible,
                vec!["load balancers may do this without a sign in the answer".into()],
            );
        } else {
            self.add(Cause::HostRewritten, Weight::Likely, signs);
            self.add(Cause::Key, Weight::Likely, key);
        }
        if evidence.other_dialect.is_none() {
            let because = "CC-FS does not document its dialect, and only one was tried".into();
            self.add(Cause::QueryLine, Weight::Possible, vec![because]);
        }
        // The second attempt locked the address.
        if matches!(evidence.other_dialect, Some(Call::Status { status: 403, .. })) {
            self.add(
                Cause::AddressLocked,
                Weight::Likely,
                vec!["the second call was answered with 403".into()],
            );
        }
    }

    fn failed(&mut self, evidence: &Evidence, failure: FailureKind) {
        match failure {
            FailureKind::Tls(failure) => self.tls(evidence, failure),
            FailureKind::Resolve => self.certain(Cause::NameNotFound, []),
            FailureKind::ProxyRefused { status } => {
                self.certain(
                    Cause::ProxyRefused,
                    [format!("the proxy answered with HTTP {status}")],
                );
            }
            FailureKind::HeadTooLarge => {
                let because = format!(
                    "the answer has more than {HEADERS_LIMIT} header fields or {HEAD_LIMIT} bytes of them"
                );
                self.gateway_or_stranger(evidence, Weight::Likely, vec![because]);
            }
            FailureKind::Connect => {
                self.add(
                    Cause::Unreachable,
                    Weight::Likely,
                    vec!["the connection for the call could not be established".into()],
                );
            }
            FailureKind::IdleTimeout => {
                self.certain(
                    Cause::Silent,
                    ["the request was sent, but no answer arrived in time".into()],
                );
            }
            FailureKind::InvalidHttp if !evidence.https => {
                self.add(
                    Cause::TlsInsteadOfPlain,
                    Weight::Likely,
                    vec!["the answer is not HTTP; a TLS server answers like this".into()],
                );
                self.add(Cause::NotCcfs, Weight::Possible, vec!["the answer is not HTTP".into()]);
            }
            FailureKind::InvalidHttp => {
                self.certain(Cause::NotCcfs, ["the answer is not HTTP".into()]);
            }
            _ if evidence.is_client_certificate_missing => {
                self.missing_client_certificate("closed the connection without an answer");
                self.add(Cause::Silent, Weight::Possible, Vec::new());
            }
            _ => {
                self.add(
                    Cause::Silent,
                    Weight::Likely,
                    vec!["the connection was closed without an answer".into()],
                );
                if !evidence.https {
                    self.add(
                        Cause::TlsInsteadOfPlain,
                        Weight::Possible,
                        vec!["servers close plain connections at their TLS port".into()],
                    );
                }
            }
        }
    }

    fn missing_client_certificate(&mut self, then: &str) {
        let because = format!("it requested one in the handshake, none is set, and it {then}");
        self.add(Cause::ClientCertificateMissing, Weight::Likely, vec![because]);
    }

    fn gateway_or_stranger(&mut self, evidence: &Evidence, weight: Weight, because: Vec<String>) {
        let foreign = evidence.head.foreign();
        if foreign.is_empty() {
            self.add(Cause::NotCcfs, weight, because);
            self.add(Cause::Gateway, Weight::Possible, Vec::new());
        } else {
            self.add(Cause::Gateway, weight, [because, foreign].concat());
            self.add(Cause::NotCcfs, Weight::Possible, Vec::new());
        }
    }

    /// Adds findings that are reported even if the call succeeded.
    fn remarks(&mut self, evidence: &Evidence) {
        let known =
            |findings: &Self, cause| findings.0.iter().any(|finding| finding.cause == cause);
        let seconds = evidence.skew_millis.map_or(0, |millis| millis.unsigned_abs() / 1000);
        if seconds > NOTABLE_SKEW && !known(self, Cause::Clock) {
            self.add(
                Cause::Clock,
                Weight::Possible,
                vec![format!("the clocks differ by {seconds} s; the server refuses signatures above a certain difference")],
            );
        }
        if let Some(days) = evidence.days_left.filter(|&days| (0..SOON).contains(&days)) {
            self.add(
                Cause::CertificateEndsSoon,
                Weight::Certain,
                vec![format!("{days} days are left")],
            );
        }
    }

    /// Sorts by weight, and keeps the order of equal ones.
    fn sort(&mut self) {
        self.0.sort_by_key(|finding| std::cmp::Reverse(finding.weight));
    }

    /// If the address may be locked, removes advice to send requests.
    fn done(mut self) -> Vec<Finding> {
        if self.0.iter().any(|finding| finding.cause == Cause::AddressLocked) {
            self.0.retain(|finding| finding.cause != Cause::QueryLine);
            self.0.iter_mut().for_each(|finding| finding.may_sign_again = false);
        }
        self.0
    }
}
