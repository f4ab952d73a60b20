//! Properties of signatures: they follow the algorithm.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use ccfs_proto::auth::{QueryLine, ViewError};
use ccfs_proto::time::Precision;
use ccfs_proto::{RequestView, Signer, Timestamp};
use proptest::prelude::*;

use super::requests::{
    Request, credentials, plain_authorization, plain_canonical, plain_list, plain_trim, requests,
};
use super::{cases, sized};

proptest! {
    #![proptest_config(cases(96))]

    #[test]
    fn every_stage_matches_a_plain_implementation(request in requests(), millis in 0_i64..253_402_300_800_000) {
        let at = Timestamp::from_unix_millis(millis);
        for (dialect, precision) in [(QueryLine::Omit, Precision::Millis), (QueryLine::Empty, Precision::Seconds)] {
            let signer = Signer::new(&credentials()).query_line(dialect).precision(precision);
            let expected = plain_authorization(&request, at.text(precision).as_str(), dialect);
            let steps = request.with_view(|view| signer.explain(view, at)).unwrap();
            prop_assert_eq!(&steps.signed_headers, &plain_list(&request));
            prop_assert_eq!(&steps.canonical_request, &plain_canonical(&request, dialect));
            prop_assert_eq!(steps.authorization(), expected.as_str());
            let value = request.with_view(|view| signer.sign(view, at)).unwrap();
            prop_assert_eq!(value.to_str().unwrap(), expected);
            prop_assert!(value.is_sensitive());
        }
    }

    #[test]
    fn signing_appends_to_the_buffer(
        request in requests(), before in prop::collection::vec(any::<u8>(), 0..100), spare in 0_usize..500,
    ) {
        let (signer, at) = (Signer::new(&credentials()), Timestamp::from_unix_millis(1_630_402_730_872));
        let mut out = Vec::with_capacity(before.len() + spare);
        out.extend_from_slice(&before);
        request.with_view(|view| signer.sign_into(view, at, &mut out)).unwrap();
        let value = request.with_view(|view| signer.sign(view, at)).unwrap();
        prop_assert_eq!(out.strip_prefix(before.as_slice()), Some(value.as_bytes()));

        let without_host = Request { headers: Vec::new(), ..request };
        let mut kept = before.clone();
        prop_assert_eq!(without_host.with_view(|view| signer.sign_into(view, at, &mut kept)), Err(ViewError::HostNotSigned));
        prop_assert_eq!(kept, before);
    }

    /// Names that begin like one another, with marks that are encoded and marks that are not, in the order of the list, which spares the sorting.
    #[test]
    fn names_in_order_are_signed_like_any(names in prop::collection::btree_set("(h|ho|[ab]|host[ab])[-.!0]{0,2}[ab]?", 0..8), request in requests()) {
        let names = names.into_iter().chain(["host".to_owned()]).collect::<BTreeSet<_>>();
        let request = Request { headers: names.into_iter().map(|name| (name, "v".to_owned())).collect(), ..request };
        let steps = request.with_view(|view| Signer::new(&credentials()).explain(view, Timestamp::from_unix_millis(0))).unwrap();
        prop_assert_eq!(&steps.signed_headers, &plain_list(&request));
        prop_assert_eq!(&steps.canonical_request, &plain_canonical(&request, QueryLine::Omit));
    }

    #[test]
    fn a_line_break_anywhere_in_the_method_or_the_path_is_refused(
        method in "POST|[A-Z]{0,40}", path in "/[!-~]{0,70}", at in any::<prop::sample::Index>(), in_method: bool, request in requests(),
    ) {
        let sign = |request: &Request| request.with_view(|view| Signer::new(&credentials()).sign(view, Timestamp::from_unix_millis(0)));
        let mut request = Request { method, path, ..request };
        prop_assert!(sign(&request).is_ok());
        let text = if in_method { &mut request.method } else { &mut request.path };
        text.insert(at.index(text.len() + 1), '\n');
        prop_assert_eq!(sign(&request), Err(ViewError::LineBreak));
    }

    #[test]
    fn the_order_of_headers_and_parameters_does_not_matter(
        (request, shuffled) in requests().prop_flat_map(|request| {
            let (headers, query) = (Just(request.headers.clone()).prop_shuffle(), Just(request.query.clone()).prop_shuffle());
            let shuffled = (Just(request.clone()), headers, query)
                .prop_map(|(request, headers, query)| Request { query, headers, ..request });
            (Just(request), shuffled)
        }),
    ) {
        let at = Timestamp::from_unix_millis(1_630_402_730_872);
        let sign = |request: &Request| request.with_view(|view| Signer::new(&credentials()).sign(view, at)).unwrap();
        prop_assert_eq!(sign(&request), sign(&shuffled));
        // Names in lower case may take a shorter way when they are in order, and only then.
        let lower = |request: &Request| {
            let headers = request.headers.iter().map(|(name, value)| (name.to_ascii_lowercase(), value.clone())).collect();
            Request { headers, ..request.clone() }
        };
        prop_assert_eq!(sign(&request), sign(&lower(&shuffled)));
    }

    #[test]
    fn the_case_of_names_and_outer_blanks_of_values_do_not_matter(request in requests(), blanks in "[ \t\r\n]{0,3}") {
        let at = Timestamp::from_unix_millis(1_630_402_730_872);
        let sign = |request: &Request| request.with_view(|view| Signer::new(&credentials()).sign(view, at)).unwrap();
        let mut other = request.clone();
        other.headers.iter_mut().for_each(|(_, value)| *value = format!("{blanks}{value}{blanks}"));
        prop_assert_eq!(sign(&request), sign(&other));
        other.headers.iter_mut().for_each(|(name, _)| name.make_ascii_uppercase());
        prop_assert_eq!(sign(&request), sign(&other));
    }

    /// One canonical text, one request: no trick with separators makes two requests look alike.
    #[test]
    fn different_requests_have_different_canonical_texts(
        requests in prop::collection::vec(tricky(), 2..sized(60, 8)), dialect in prop::sample::select(&QueryLine::ALL[..]),
    ) {
        let signer = Signer::new(&credentials()).query_line(dialect);
        let mut known = HashMap::new();
        for request in &requests {
            let Ok(steps) = request.with_view(|view| signer.explain(view, Timestamp::from_unix_millis(0))) else { continue };
            let first = known.entry(steps.canonical_request).or_insert_with(|| meaning(request));
            prop_assert_eq!(&*first, &meaning(request));
        }
    }

    #[test]
    fn views_that_cannot_be_signed_say_why(request in requests(), parameters in 65_usize..80, headers in 32_usize..40, bad in "[ (),/:;<=>?@\\[\\]{}é\n]") {
        let signer = Signer::new(&credentials());
        let sign = |request: &Request| request.with_view(|view| signer.sign(view, Timestamp::from_unix_millis(0))).map(drop);

        let without_host = request.headers.iter().filter(|(name, _)| !name.eq_ignore_ascii_case("host")).cloned().collect();
        prop_assert_eq!(sign(&Request { headers: without_host, ..request.clone() }), Err(ViewError::HostNotSigned));

        let mut twice = request.clone();
        twice.headers.push(("hOST".to_owned(), String::new()));
        prop_assert_eq!(sign(&twice), Err(ViewError::DuplicateHeader { name: "host".to_owned() }));

        let mut misnamed = request.clone();
        misnamed.headers.push((format!("x{bad}"), String::new()));
        prop_assert_eq!(sign(&misnamed), Err(ViewError::HeaderName { index: request.headers.len() }));

        let many = vec![("k".to_owned(), "v".to_owned()); parameters];
        prop_assert_eq!(sign(&Request { query: many, ..request.clone() }), Err(ViewError::TooManyParameters { count: parameters }));

        let mut crowded = request.clone();
        crowded.headers = (0..headers).map(|n| (format!("x-{n}"), String::new())).collect();
        crowded.headers.push(("host".to_owned(), "h".to_owned()));
        prop_assert_eq!(sign(&crowded), Err(ViewError::TooManyHeaders { count: headers + 1 }));
    }
}

/// Method, path, query, headers and body.
type Meaning<'a> =
    (&'a str, &'a str, Vec<&'a (String, String)>, BTreeMap<String, &'a str>, &'a [u8]);

/// What a request means to the signature: everything but orders, cases and outer blanks.
fn meaning(request: &Request) -> Meaning<'_> {
    let mut query: Vec<_> = request.query.iter().collect();
    query.sort();
    let headers = request
        .headers
        .iter()
        .map(|(name, value)| (name.to_ascii_lowercase(), plain_trim(value)))
        .collect();
    (&request.method, &request.path, query, headers, &request.body)
}

/// Short requests of few characters, the separators among them: likely to collide when anything can.
fn tricky() -> impl Strategy<Value = Request> {
    let text = || "[a=&\n%]{0,2}";
    let query = prop::collection::vec((text(), text()), 0..2);
    let body = prop::collection::vec(prop::sample::select(&b"a\n"[..]), 0..2);
    let headers = prop::collection::vec(("[ab]", "[a:\n ]{0,2}"), 0..2);
    ("(G|G\n/)", "/(|a=|\n|\na=|a\n=)", query, headers, body).prop_map(
        |(method, path, query, mut headers, body)| {
            headers.dedup_by_key(|(name, _)| name.clone());
            headers.push(("host".to_owned(), "h".to_owned()));
            Request { method, path, query, headers, body }
        },
    )
}

#[test]
fn a_line_break_cannot_stand_for_the_end_of_the_path_or_the_method() {
    let headers = &[("host", "h")];
    let plain = RequestView { method: "GET", path: "/p", query: &[("a", "b")], headers, body: b"" };
    let tricks = [
        RequestView { path: "/p\na=b", query: &[], ..plain },
        RequestView { method: "GET\n/p", path: "a=b", query: &[], ..plain },
    ];
    let signer = Signer::new(&credentials());
    let at = Timestamp::from_unix_millis(0);
    let genuine = signer.explain(plain, at).unwrap().canonical_request;
    for trick in tricks {
        assert!(
            signer.explain(trick, at).is_ok_and(|steps| steps.canonical_request != genuine)
                || signer.sign(trick, at).is_err()
        );
    }
}
