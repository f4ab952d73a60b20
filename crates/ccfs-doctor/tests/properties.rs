//! Properties of the diagnosis: any evidence gives the same findings each time, and no harmful advice.
#![allow(clippy::unwrap_used, missing_docs)]

use ccfs_doctor::{Call, Cause, Evidence, Head, Reach, Weight, judge};
use ccfs_proto::FailureKind;
use ccfs_proto::exchange::TlsFailure;
use http::{HeaderMap, HeaderName, HeaderValue};
use proptest::prelude::*;
use proptest::test_runner::{Config, FileFailurePersistence};

fn config() -> Config {
    let persistence = FileFailurePersistence::Direct("tests/regressions/properties.txt");
    Config { cases: 384, failure_persistence: Some(Box::new(persistence)), ..Config::default() }
}

fn tls() -> impl Strategy<Value = TlsFailure> {
    use TlsFailure::{
        BadCertificate, CaCertificate, ClientCertificateMissing, ClientCertificateRefused, Expired,
        NotTls, NotYetValid, NothingInCommon, Other, PinDiffers, UnknownIssuer, WrongName,
    };
    prop_oneof![
        prop::sample::select(vec![
            BadCertificate,
            CaCertificate,
            ClientCertificateMissing,
            ClientCertificateRefused,
            Expired,
            NotTls,
            NotYetValid,
            NothingInCommon,
            Other,
            UnknownIssuer,
            WrongName,
        ]),
        (any::<[u8; 32]>(), any::<[u8; 32]>(), 0_usize..3)
            .prop_map(|(presented, pinned, others)| PinDiffers { presented, pinned, others }),
    ]
}

fn call() -> impl Strategy<Value = Call> {
    use FailureKind::{
        BodyBroken, Broken, Connect, HeadTooLarge, IdleTimeout, InvalidHttp, ProxyRefused, Resolve,
    };
    prop_oneof![
        Just(Call::Accepted),
        Just(Call::Strange),
        (300_u16..600, any::<bool>()).prop_map(|(status, spring)| Call::Status { status, spring }),
        (prop::sample::select(vec![401_u16, 403, 404, 502]), any::<bool>())
            .prop_map(|(status, spring)| Call::Status { status, spring }),
        prop::sample::select(vec![
            BodyBroken,
            Broken,
            Connect,
            InvalidHttp,
            Resolve,
            IdleTimeout,
            HeadTooLarge,
            ProxyRefused { status: 407 }
        ])
        .prop_map(Call::Failed),
        tls().prop_map(|failure| Call::Failed(FailureKind::Tls(failure))),
    ]
}

fn headers() -> impl Strategy<Value = HeaderMap> {
    let name = prop_oneof!["server|via|x-cache|content-type|www-authenticate|date", "[a-z-]{1,12}"];
    let value = prop_oneof![
        Just(b"nginx".to_vec()),
        Just(b"text/html".to_vec()),
        prop::collection::vec(32_u8..=126, 0..400),
        prop::collection::vec(128_u8..=255, 0..20)
    ];
    prop::collection::vec((name, value), 0..6).prop_map(|pairs| {
        let pair = |(name, value): (String, Vec<u8>)| {
            Some((HeaderName::try_from(name).ok()?, HeaderValue::from_bytes(&value).ok()?))
        };
        pairs.into_iter().filter_map(pair).collect()
    })
}

fn reach() -> impl Strategy<Value = Reach> {
    prop_oneof![
        8 => Just(Reach::Connected),
        1 => prop::sample::select(vec![Reach::Untried, Reach::NameNotFound, Reach::Refused, Reach::Unreachable, Reach::ProxyUnreachable]),
        1 => any::<Option<u16>>().prop_map(Reach::ProxyRefused),
    ]
}

fn evidence() -> impl Strategy<Value = Evidence> {
    let times = (
        prop::option::of(any::<i64>()),
        prop::option::of(prop_oneof![any::<i64>(), -1_000_000_i64..1_000_000]),
    );
    let calls = (prop::option::weighted(0.9, call()), prop::option::weighted(0.3, call()));
    let certificate = (
        prop::option::of(prop::sample::select(vec![512_usize, 1024, 2047, 2048, 4096])),
        prop::option::of(1_u32..4),
        any::<bool>(),
    );
    let tls = prop::option::weighted(0.2, tls());
    (any::<bool>(), reach(), tls, times, calls, headers(), certificate).prop_map(
        |(https, reach, tls, times, calls, headers, certificate)| {
            let mut evidence = Evidence::default();
            (evidence.rsa_bits, evidence.x509_version, evidence.is_client_certificate_missing) =
                certificate;
            (evidence.https, evidence.reach, evidence.tls, evidence.head) =
                (https, reach, tls, Head::of(&headers));
            (evidence.days_left, evidence.skew_millis) = times;
            (evidence.call, evidence.other_dialect) = calls;
            evidence
        },
    )
}

/// Causes that are remarks, and do not explain a failure.
fn is_remark(cause: Cause) -> bool {
    matches!(cause, Cause::Clock | Cause::CertificateEndsSoon)
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn equal_evidence_gets_equal_judgement(evidence in evidence()) {
        prop_assert_eq!(judge(&evidence), judge(&evidence.clone()));
    }

    /// A failure always has a cause, and a success only remarks.
    #[test]
    fn failures_have_a_cause_and_successes_have_only_remarks(evidence in evidence()) {
        let findings = judge(&evidence);
        let at_all = evidence.reach != Reach::Untried;
        let failed = match (evidence.reach, evidence.tls, evidence.call) {
            (Reach::Connected | Reach::Untried, tls, call) => tls.is_some() || call.is_some_and(|call| call != Call::Accepted),
            _ => at_all,
        };
        prop_assert_eq!(findings.iter().any(|finding| !is_remark(finding.cause) || finding.weight == Weight::Likely), failed, "{:?}", findings);
    }

    /// With a possibly locked address, the doctor never suggests to send another request or to try the other dialect.
    #[test]
    fn a_lock_never_has_anything_sent_again(evidence in evidence()) {
        let findings = judge(&evidence);
        if findings.iter().any(|finding| finding.cause == Cause::AddressLocked) {
            for finding in &findings {
                prop_assert!(!finding.may_sign_again && finding.cause != Cause::QueryLine);
                let advice = finding.advice.to_lowercase();
                prop_assert!(!advice.contains("try") && !advice.contains("again"), "{}", advice);
            }
        }
    }

    /// A 403 in the server's own form is always taken for a lock.
    #[test]
    fn a_403_of_the_server_is_a_lock(mut evidence in evidence()) {
        (evidence.reach, evidence.tls) = (Reach::Connected, None);
        evidence.call = Some(Call::Status { status: 403, spring: true });
        prop_assert_eq!(judge(&evidence)[0].cause, Cause::AddressLocked);
    }

    /// What rustls refuses about a certificate is the cause where its own error is unspecific.
    #[test]
    fn a_short_rsa_key_or_an_old_certificate_is_named(mut evidence in evidence(), failure in tls()) {
        (evidence.reach, evidence.tls) = (Reach::Connected, Some(failure));
        let cause = judge(&evidence)[0].cause;
        let is_unspecific = matches!(failure, TlsFailure::UnknownIssuer | TlsFailure::BadCertificate | TlsFailure::Other);
        let is_weak = is_unspecific && evidence.rsa_bits.is_some_and(|bits| bits < 2048);
        let is_old = is_unspecific && !is_weak && evidence.x509_version.is_some_and(|version| version < 3);
        prop_assert_eq!((cause == Cause::WeakKey, cause == Cause::OldCertificate), (is_weak, is_old));
    }

    /// The target of a redirect is shown without what may be secret.
    #[test]
    fn secrets_in_the_target_of_a_redirect_are_not_shown(
        scheme in "(https?:)?", authority in "[a-z0-9.:]{1,20}", path in "(/[a-zA-Z0-9]{0,9}){0,3}", login in prop::option::of("[a-z]{1,5}(:MARKER@?[a-z]{0,4})?"), rest in "([?#][a-z=?#/@]{0,9}MARKER)?", relative in any::<bool>(),
    ) {
        let (target, expected) = if relative {
            (format!("/a{path}{rest}"), format!("/a{path}"))
        } else {
            let login = login.map(|login| format!("{login}@")).unwrap_or_default();
            (format!("{scheme}//{login}{authority}{path}{rest}"), format!("{scheme}//{authority}{path}"))
        };
        let mut headers = HeaderMap::new();
        headers.insert("location", target.parse().unwrap());
        prop_assert_eq!(Head::of(&headers).location, Some(expected));
    }

    /// No cause twice, every one with advice; the likeliest first, remarks aside.
    #[test]
    fn causes_come_once_and_in_order(evidence in evidence()) {
        let findings = judge(&evidence);
        let mut causes: Vec<Cause> = findings.iter().map(|finding| finding.cause).collect();
        let reasons: Vec<Weight> = findings.iter().filter(|finding| !is_remark(finding.cause)).map(|finding| finding.weight).collect();
        prop_assert!(reasons.is_sorted_by(|first, second| first >= second), "{:?}", findings);
        prop_assert!(findings.iter().all(|finding| finding.advice.ends_with('.') && !finding.cause.to_string().is_empty()));
        let count = causes.len();
        causes.sort();
        causes.dedup();
        prop_assert_eq!(causes.len(), count, "{:?}", findings);
    }

    /// Nothing is sent to a server that is not trusted, so only the connection can be the cause.
    #[test]
    fn before_the_call_no_cause_is_about_it(mut evidence in evidence(), failure in tls()) {
        evidence.tls = Some(failure);
        let about_the_call = [Cause::Key, Cause::HostRewritten, Cause::QueryLine, Cause::AddressLocked, Cause::BasePath, Cause::Gateway];
        prop_assert!(judge(&evidence).iter().all(|finding| !about_the_call.contains(&finding.cause)));
    }

    /// Texts of the server are short and contain no control characters.
    #[test]
    fn texts_of_the_server_are_short_and_printable(headers in headers()) {
        if let Some(server) = Head::of(&headers).server {
            prop_assert!(server.chars().count() <= 201 && !server.chars().any(char::is_control));
        }
    }
}
