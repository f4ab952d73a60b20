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
/// assert_eq!(findings[0].because, ["the clocks differ by 1200 s, and signatures contain the time"]);
/// ```
pub fn judge(evidence: &Evidence) -> Vec<Finding> {
    let mut findings = Findings(Vec::new());
    match evidence.reach {
        Reach::NameNotFound => findings.certain(Cause::NameNotFound, NO_REASON),
        Reach::Refused => {
            findings.certain(Cause::NothingListening, ["the connection was refused"]);
        }
        Reach::Unreachable => findings.certain(
            Cause::Unreachable,
            ["the connection timed out, or the network reported that the host is unreachable"],
        ),
        Reach::ProxyUnreachable => findings.certain(Cause::ProxyUnreachable, NO_REASON),
        Reach::ProxyRefused(None) => {
            findings.certain(Cause::ProxyRefused, ["its answer to CONNECT is not HTTP"]);
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

const NO_REASON: [&str; 0] = [];
const REPLACED_403: &str = "a gateway may have replaced the server's 403 by its own page";

struct Findings(Vec<Finding>);

impl Findings {
    fn add<T: Into<String>>(
        &mut self,
        cause: Cause,
        weight: Weight,
        because: impl IntoIterator<Item = T>,
    ) {
        let because = because.into_iter().map(Into::into).collect();
        let advice = cause.advice();
        self.0.push(Finding { cause, weight, because, advice, may_sign_again: true });
    }

    fn certain<T: Into<String>>(&mut self, cause: Cause, because: impl IntoIterator<Item = T>) {
        self.add(cause, Weight::Certain, because);
    }

    fn likely<T: Into<String>>(&mut self, cause: Cause, because: impl IntoIterator<Item = T>) {
        self.add(cause, Weight::Likely, because);
    }

    fn possible<T: Into<String>>(&mut self, cause: Cause, because: impl IntoIterator<Item = T>) {
        self.add(cause, Weight::Possible, because);
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
        self.certain(cause, ["the TLS handshake failed with this error; no request was sent"]);
        if matches!(failure, TlsFailure::Expired | TlsFailure::NotYetValid) {
            let because = "the dates of certificates are compared with this machine's clock";
            self.possible(Cause::Clock, [because]);
        }
    }

    fn call(&mut self, evidence: &Evidence, call: Call) {
        let Call::Status { status, spring } = call else {
            return match call {
                Call::Failed(failure) => self.failed(evidence, failure),
                Call::Strange => {
                    let because = "the answer is not in the format of CC-FS";
                    self.gateway_or_stranger(evidence, Weight::Likely, Some(because.into()));
                }
                _ => {}
            };
        };
        let http = format!("HTTP {status}");
        match status {
            401 if spring => self.unauthorized(evidence),
            403 if spring => {
                let because =
                    "HTTP 403 in the format of CC-FS, which is its answer to a locked address";
                self.likely(Cause::AddressLocked, [because]);
            }
            400 | 403 if !spring && evidence.is_client_certificate_missing => {
                self.missing_client_certificate(&format!("answered with {http}"));
                if status == 403 {
                    self.possible(Cause::AddressLocked, [REPLACED_403]);
                }
                self.gateway_or_stranger(evidence, Weight::Possible, None);
            }
            401 | 403 => {
                let mut because = vec![format!("{http}, but not in the format of CC-FS")];
                because.extend(evidence.head.foreign());
                self.likely(Cause::Gateway, because);
                if status == 403 {
                    self.possible(Cause::AddressLocked, [REPLACED_403]);
                } else {
                    let because = "a gateway may have replaced the server's 401 by its own page";
                    self.possible(Cause::Key, [because]);
                }
            }
            404 | 405 if spring => {
                let because = "the answer is in the format of CC-FS or another Java server, which has no such interface at this path";
                self.likely(Cause::BasePath, [because]);
            }
            404 | 405 => {
                let because = format!("{http}: the server that answered has nothing at this path");
                self.likely(Cause::BasePath, [because]);
                self.gateway_or_stranger(evidence, Weight::Possible, None);
            }
            300..=399 => {
                let because = match &evidence.head.location {
                    Some(target) => format!("the answer is a redirect to {target}"),
                    None => "the answer is a redirect without a target".into(),
                };
                self.certain(Cause::Redirected, [because]);
            }
            400 if !spring && !evidence.https => {
                let because = "servers answer plain HTTP at a TLS port with 400";
                self.likely(Cause::TlsInsteadOfPlain, [because]);
                self.gateway_or_stranger(evidence, Weight::Possible, None);
            }
            429 | 503 => self.likely(Cause::Busy, [http]),
            502 | 504 => {
                let mut because =
                    vec![format!("{http}: a gateway received no answer from the server")];
                because.extend(evidence.head.foreign());
                self.certain(Cause::Gateway, because);
            }
            _ if spring => {
                self.likely(Cause::ServerFailing, [format!("{http} in the format of CC-FS")]);
            }
            _ => self.gateway_or_stranger(evidence, Weight::Likely, Some(http)),
        }
    }

    /// The server reports that the signature is wrong, but not why.
    fn unauthorized(&mut self, evidence: &Evidence) {
        if evidence.other_dialect == Some(Call::Accepted) {
            let because = "the same call is accepted in the other dialect";
            return self.certain(Cause::QueryLine, [because]);
        }
        let seconds = evidence.skew_seconds();
        if seconds > NOTABLE_SKEW {
            let weight = if seconds > LARGE_SKEW { Weight::Likely } else { Weight::Possible };
            let because =
                format!("the clocks differ by {seconds} s, and signatures contain the time");
            self.add(Cause::Clock, weight, [because]);
        }
        let mut key = vec![
            "HTTP 401 in the format of CC-FS: the request arrived, but its signature is wrong",
        ];
        if seconds <= NOTABLE_SKEW && evidence.skew_millis.is_some() {
            key.push("the clocks agree");
        }
        let signs = evidence.head.signs();
        // A gateway does not prove it, but makes a rewritten Host as likely as a mistyped key.
        if signs.is_empty() {
            key.push("nothing in the answer indicates a gateway");
            self.likely(Cause::Key, key);
            let because = "load balancers may do this without a sign in the answer";
            self.possible(Cause::HostRewritten, [because]);
        } else {
            self.likely(Cause::HostRewritten, signs);
            self.likely(Cause::Key, key);
        }
        if evidence.other_dialect.is_none() {
            let because = "CC-FS does not document its dialect, and only one was tried";
            self.possible(Cause::QueryLine, [because]);
        }
        // The second attempt locked the address.
        if matches!(evidence.other_dialect, Some(Call::Status { status: 403, .. })) {
            self.likely(Cause::AddressLocked, ["the second call was answered with 403"]);
        }
    }

    fn failed(&mut self, evidence: &Evidence, failure: FailureKind) {
        match failure {
            FailureKind::Tls(failure) => self.tls(evidence, failure),
            FailureKind::Resolve => self.certain(Cause::NameNotFound, NO_REASON),
            FailureKind::ProxyRefused { status } => {
                let because = format!("the proxy answered with HTTP {status}");
                self.certain(Cause::ProxyRefused, [because]);
            }
            FailureKind::HeadTooLarge => {
                let because = format!(
                    "the answer has more than {HEADERS_LIMIT} header fields or {HEAD_LIMIT} bytes of them"
                );
                self.gateway_or_stranger(evidence, Weight::Likely, Some(because));
            }
            FailureKind::Connect => {
                let because = "the connection for the call could not be established";
                self.likely(Cause::Unreachable, [because]);
            }
            FailureKind::IdleTimeout => {
                let because = "the request was sent, but no answer arrived in time";
                self.certain(Cause::Silent, [because]);
            }
            FailureKind::InvalidHttp if !evidence.https => {
                let because = "the answer is not HTTP; a TLS server answers like this";
                self.likely(Cause::TlsInsteadOfPlain, [because]);
                self.possible(Cause::NotCcfs, ["the answer is not HTTP"]);
            }
            FailureKind::InvalidHttp => self.certain(Cause::NotCcfs, ["the answer is not HTTP"]),
            _ if evidence.is_client_certificate_missing => {
                self.missing_client_certificate("closed the connection without an answer");
                self.possible(Cause::Silent, NO_REASON);
            }
            _ => {
                self.likely(Cause::Silent, ["the connection was closed without an answer"]);
                if !evidence.https {
                    let because = "servers close plain connections at their TLS port";
                    self.possible(Cause::TlsInsteadOfPlain, [because]);
                }
            }
        }
    }

    fn missing_client_certificate(&mut self, then: &str) {
        let because = format!("it requested one in the handshake, none is set, and it {then}");
        self.likely(Cause::ClientCertificateMissing, [because]);
    }

    fn gateway_or_stranger(
        &mut self,
        evidence: &Evidence,
        weight: Weight,
        because: Option<String>,
    ) {
        let foreign = evidence.head.foreign();
        if foreign.is_empty() {
            self.add(Cause::NotCcfs, weight, because);
            self.possible(Cause::Gateway, NO_REASON);
        } else {
            self.add(Cause::Gateway, weight, because.into_iter().chain(foreign));
            self.possible(Cause::NotCcfs, NO_REASON);
        }
    }

    /// Adds findings that are reported even if the call succeeded.
    fn remarks(&mut self, evidence: &Evidence) {
        let seconds = evidence.skew_seconds();
        let has_clock = self.0.iter().any(|finding| finding.cause == Cause::Clock);
        if seconds > NOTABLE_SKEW && !has_clock {
            let because = format!(
                "the clocks differ by {seconds} s; the server refuses signatures above a certain difference"
            );
            self.possible(Cause::Clock, [because]);
        }
        if let Some(days) = evidence.days_left.filter(|days| (0..SOON).contains(days)) {
            self.certain(Cause::CertificateEndsSoon, [format!("{days} days are left")]);
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
