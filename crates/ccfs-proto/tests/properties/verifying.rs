//! What is accepted, and that nothing else is.

use std::collections::HashSet;
use std::time::Duration;

use ccfs_proto::auth::{AuthorizationHeader, Difference, Freshness, QueryLine, VerifyError};
use ccfs_proto::{Credentials, Signer, Timestamp, Verifier};
use proptest::prelude::*;
use proptest::sample::Index;

use super::requests::{ACCESS_KEY, Request, credentials, plain_trim, requests};
use super::{cases, sized};

const AT: Timestamp = Timestamp::from_unix_millis(1_630_402_730_872);

fn sign(request: &Request, dialect: QueryLine, at: Timestamp) -> String {
    let signer = Signer::new(&credentials()).query_line(dialect);
    request.with_view(|view| signer.sign(view, at)).unwrap().to_str().unwrap().to_owned()
}

fn verify(authorization: &str, request: &Request) -> Result<(), VerifyError> {
    request
        .with_view(|view| Verifier::new(&credentials()).verify(authorization, view, AT))
        .map(drop)
}

/// `text` with the character at `at` replaced by another one; `None` when it has none.
fn changed(text: &str, at: Index, by: char) -> Option<String> {
    let mut characters: Vec<char> = text.chars().collect();
    let slot = characters.get_mut(at.index(text.chars().count().max(1)))?;
    *slot = if *slot == by { char::from_u32(u32::from(by) ^ 1).unwrap_or('x') } else { by };
    Some(characters.into_iter().collect())
}

proptest! {
    #![proptest_config(cases(96))]

    #[test]
    fn signatures_verify(request in requests(), millis in 0_i64..253_402_300_800_000, extra in "[a-z]{8,10}") {
        let at = Timestamp::from_unix_millis(millis);
        for dialect in QueryLine::ALL {
            let text = sign(&request, dialect, at);
            let mut received = request.clone();
            received.headers.push((extra.clone(), "not signed".to_owned()));
            let verifier = Verifier::new(&credentials());
            let verified = received.with_view(|view| verifier.verify(&text, view, at)).unwrap();
            prop_assert_eq!(verified.timestamp, at);
            prop_assert!(verified.query_line == dialect || !request.query.is_empty());
            let cause = received.with_view(|view| verifier.diagnose(&text, view)).unwrap();
            prop_assert_eq!(cause, None);
        }
    }

    #[test]
    fn any_other_method_path_parameter_or_body_is_refused(
        request in requests(), part in 0..5, which in any::<Index>(), at in any::<Index>(), by in prop_oneof![prop::char::range('!', '~'), any::<char>()],
    ) {
        let mut forged = request.clone();
        let slot = match part {
            0 => Some(&mut forged.method),
            1 => Some(&mut forged.path),
            _ if part < 4 && forged.query.is_empty() => None,
            2 => Some(&mut which.get_mut(&mut forged.query).0),
            3 => Some(&mut which.get_mut(&mut forged.query).1),
            _ => None,
        };
        match slot {
            Some(text) => match changed(text, at, by) {
                Some(other) => *text = other,
                None => text.push(by),
            },
            None if forged.body.is_empty() => forged.body.push(b'x'),
            None => *at.get_mut(&mut forged.body) ^= 1 << which.index(8),
        }
        prop_assert_ne!(&forged, &request);
        for dialect in QueryLine::ALL {
            let text = sign(&request, dialect, AT);
            prop_assert!(verify(&text, &request).is_ok());
            prop_assert!(verify(&text, &forged).is_err());
        }
    }

    /// Outer blanks are trimmed by the scheme, so what counts of a value is what lies between them.
    #[test]
    fn any_other_signed_header_is_refused(request in requests(), which in any::<Index>(), at in any::<Index>(), by in any::<char>()) {
        let text = sign(&request, QueryLine::Omit, AT);
        let mut forged = request.clone();
        let (_, value) = which.get_mut(&mut forged.headers);
        let other = changed(value, at, by).unwrap_or_else(|| by.to_string());
        let same = plain_trim(value) == plain_trim(&other);
        *value = other;
        prop_assert_eq!(verify(&text, &forged).is_ok(), same);

        let mut renamed = request.clone();
        let (name, _) = which.get_mut(&mut renamed.headers);
        *name = format!("{name}0");
        let missing = request.headers[which.index(request.headers.len())].0.to_ascii_lowercase();
        prop_assert_eq!(verify(&text, &renamed), Err(VerifyError::HeaderMissing { name: missing }));
    }

    #[test]
    fn any_other_byte_in_the_authorization_header_is_refused(request in requests(), at in any::<Index>(), by in prop::char::range('!', '~')) {
        let text = sign(&request, QueryLine::Omit, AT);
        let forged = changed(&text, at, by).unwrap();
        prop_assert_ne!(&forged, &text);
        prop_assert!(verify(&forged, &request).is_err());
        prop_assert!(verify(&text[..text.len() - 1], &request).is_err());
    }

    #[test]
    fn another_secret_or_another_account_is_refused(request in requests(), secret in "[^\r\n]{1,80}") {
        let text = sign(&request, QueryLine::Omit, AT);
        let by = |access_key: &str| {
            let other = Credentials::from_text(access_key, secret.clone()).unwrap();
            request.with_view(|view| Verifier::new(&other).verify(&text, view, AT)).unwrap_err()
        };
        prop_assert_eq!(by(ACCESS_KEY), VerifyError::Mismatch);
        prop_assert_eq!(by("another"), VerifyError::AccessKey);
    }

    #[test]
    fn the_header_parser_keeps_what_it_takes_and_never_panics(text in prop_oneof![".{0,200}", header_like()]) {
        if let Ok(header) = AuthorizationHeader::parse(&text) {
            let names: Vec<_> = header.signed_headers().collect();
            let again = format!("auth-v2/{}/{}/{}", header.access_key(), text.split('/').nth(2).unwrap(), names.join(";"));
            prop_assert_eq!(header.prefix(), again);
            prop_assert!(names.contains(&"host"));
            prop_assert_eq!(names.iter().collect::<HashSet<_>>().len(), names.len());
        }
    }

    #[test]
    fn a_signature_is_accepted_within_the_window_and_not_outside(age in -2_000_000_i64..2_000_000, past in 0_u64..2_000_000, future in 0_u64..2_000_000) {
        let request = Request {
            method: "POST".into(), path: "/callback".into(), query: vec![], headers: vec![("host".into(), "h".into())], body: vec![],
        };
        let text = sign(&request, QueryLine::Omit, AT);
        let window = Freshness { past: Duration::from_millis(past), future: Duration::from_millis(future) };
        let verifier = Verifier::new(&credentials()).freshness(window);
        let verified = request.with_view(|view| verifier.verify(&text, view, AT.plus_millis(age)));
        let fresh = -i64::try_from(future).unwrap() <= age && age <= i64::try_from(past).unwrap();
        prop_assert_eq!(verified.is_ok(), fresh, "{:?}", verified);
        if let Err(error) = verified {
            let told = matches!(error, VerifyError::NotFresh { age_millis, .. } if age_millis == age);
            prop_assert!(told, "{:?}", error);
        }
    }
}

fn header_like() -> impl Strategy<Value = String> {
    (
        "(auth-v2|AUTH-V2|auth-v1)",
        "[!-~]{0,8}",
        "2021-(08|13)-31T(09|24):38:50(\\.872)?Z",
        "[a-z;]{0,4}(;?host;?|hos)[a-zA-Z-]{0,3}",
        "([0-9a-f]{64}|[0-9a-fA-F]{63,65})",
    )
        .prop_map(|(scheme, key, time, list, signature)| {
            [scheme, key, time, list, signature].join("/")
        })
}

#[test]
fn the_known_mistakes_are_named() {
    let sent = Request {
        method: "POST".into(),
        path: "/gateway/CCFS/resource/ccfs/downloadAgentSkillInfoFile".into(),
        query: vec![],
        headers: vec![
            ("host".into(), "[::1]:8443".into()),
            ("content-type".into(), "application/json; charset=UTF-8".into()),
        ],
        body: b"{}\r\n".to_vec(),
    };
    let header = |nth: usize, value: &str| {
        let mut headers = sent.headers.clone();
        value.clone_into(&mut headers[nth].1);
        Request { headers, ..sent.clone() }
    };
    let mistakes = [
        (header(0, "[::1]"), Difference::HostWithoutPort),
        (header(1, "application/json;charset=UTF-8"), Difference::ContentTypeBlank),
        (Request { body: b"{}".to_vec(), ..sent.clone() }, Difference::BodyLineEnd),
        (Request { body: vec![], ..sent.clone() }, Difference::BodyLeftOut),
        (
            Request {
                path: "/CCFS/resource/ccfs/downloadAgentSkillInfoFile".into(),
                ..sent.clone()
            },
            Difference::PathPrefix,
        ),
        (Request { method: "GET".into(), ..sent.clone() }, Difference::Method),
    ];
    let verifier = Verifier::new(&credentials());
    // Each is a dozen signatures.
    for (signed, expected) in mistakes.into_iter().step_by(sized(1, 4)) {
        for dialect in QueryLine::ALL {
            let text = sign(&signed, dialect, AT);
            assert_eq!(verify(&text, &sent), Err(VerifyError::Mismatch));
            assert_eq!(sent.with_view(|view| verifier.diagnose(&text, view)), Ok(Some(expected)));
        }
    }
    for (dialect, only) in
        [(QueryLine::Empty, QueryLine::Omit), (QueryLine::Omit, QueryLine::Empty)]
    {
        let text = sign(&sent, dialect, AT);
        let cause = sent
            .with_view(|view| Verifier::new(&credentials()).query_line(only).diagnose(&text, view));
        assert_eq!(cause, Ok(Some(Difference::QueryLine(dialect))));
    }
    let other = Credentials::from_text(ACCESS_KEY, "another secret".to_owned()).unwrap();
    let text = sign(&sent, QueryLine::Omit, AT);
    assert_eq!(sent.with_view(|view| Verifier::new(&other).diagnose(&text, view)), Ok(None));
}
