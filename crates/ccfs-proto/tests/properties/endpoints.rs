//! Endpoints, and what a request's target looks like to URL libraries.

use ccfs_proto::exchange::{EndpointError, PreparedRequest, RequestError};
use ccfs_proto::operation::OperationRequest;
use ccfs_proto::{Endpoint, Signer, Timestamp};
use http::{Method, Uri, header};
use proptest::prelude::*;
use url::Url;

use super::cases;
use super::requests::credentials;

fn host() -> impl Strategy<Value = String> {
    let octet = any::<u8>();
    prop_oneof![
        (octet, octet, octet, octet).prop_map(|(a, b, c, d)| format!("{a}.{b}.{c}.{d}")),
        any::<[u16; 8]>().prop_map(|groups| format!("[{}]", std::net::Ipv6Addr::from(groups))),
        prop::array::uniform8(prop_oneof![Just(0_u16), Just(0xFFFF), any::<u16>()])
            .prop_map(|groups| format!("[{}]", groups.map(|group| format!("{group:X}")).join(":"))),
        any::<[u8; 4]>().prop_map(|[a, b, c, d]| format!("[::ffff:{a}.{b}.{c}.{d}]")),
        "[a-zA-Z0-9_-]{1,8}(\\.[a-zA-Z0-9_-]{1,8}){0,3}",
        "(xn--|0x|0)?[a-z0-9.-]{1,12}",
    ]
}

fn endpoint_text() -> impl Strategy<Value = String> {
    let port = prop_oneof![
        3 => Just(String::new()),
        1 => Just(":443".to_owned()),
        1 => Just(":80".to_owned()),
        1 => Just(":0443".to_owned()),
        3 => any::<u16>().prop_map(|port| format!(":{port}")),
    ];
    ("(https|http|HTTPS|Http)", host(), port, "(/[A-Za-z0-9._~-]{1,6}){0,3}/?")
        .prop_map(|(scheme, host, port, path)| format!("{scheme}://{host}{port}{path}"))
}

proptest! {
    #![proptest_config(cases(512))]

    #[test]
    fn what_is_printed_is_read_back(text in endpoint_text()) {
        if let Ok(endpoint) = text.parse::<Endpoint>() {
            prop_assert_eq!(endpoint.to_string().parse(), Ok(endpoint));
        }
    }

    #[test]
    fn the_host_header_never_has_the_schemes_own_port(text in endpoint_text()) {
        if let Ok(endpoint) = text.parse::<Endpoint>() {
            let header = endpoint.host_header();
            let default = endpoint.port() == if endpoint.is_https() { 443 } else { 80 };
            prop_assert_eq!(header.as_str() == endpoint.host(), default);
            let with_port = format!("{}:{}", endpoint.host(), endpoint.port());
            prop_assert!(default || header == with_port);
            prop_assert_eq!(header.to_ascii_lowercase(), header);
        }
    }

    /// What is signed as `host` is what clients built on either URL library send.
    #[test]
    fn url_libraries_see_the_same_host_port_and_path(text in endpoint_text()) {
        if let Ok(endpoint) = text.parse::<Endpoint>() {
            for form in [text.clone(), endpoint.to_string()] {
                // Invalid Punycode does not resolve, so a URL library may refuse it; it accepts every other text that is accepted here.
                let url = match Url::parse(&form) {
                    Err(url::ParseError::IdnaError) if endpoint.host().contains("xn--") => return Ok(()),
                    parsed => parsed.unwrap(),
                };
                prop_assert_eq!(url.scheme(), endpoint.scheme());
                prop_assert_eq!(url.host_str(), Some(endpoint.host()));
                prop_assert_eq!(url.port_or_known_default(), Some(endpoint.port()));
                prop_assert_eq!(url.path().strip_suffix('/').unwrap_or(url.path()), endpoint.prefix());
            }
            let uri: Uri = endpoint.to_string().parse().unwrap();
            prop_assert_eq!(uri.scheme_str(), Some(endpoint.scheme()));
            prop_assert_eq!(uri.authority().unwrap().as_str(), endpoint.host_header());
            prop_assert_eq!(uri.path().strip_suffix('/').unwrap_or(uri.path()), endpoint.prefix());
        }
    }

    #[test]
    fn each_refusal_names_its_part(port in 65_536_u32..1_000_000, junk in "[ %<>\"^`{|}é\\\\]", user in "[a-z]{1,5}") {
        let read = |text: String| text.parse::<Endpoint>().unwrap_err();
        prop_assert_eq!(read(format!("https://10.1.2.3:{port}")), EndpointError::Port);
        for text in ["https://10.1.2.3:", "https://10.1.2.3:0", "https://h:+443", "https://[::1]:x"] {
            prop_assert_eq!(read(text.to_owned()), EndpointError::Port);
        }
        prop_assert_eq!(read(format!("https://{user}:{user}@10.1.2.3")), EndpointError::UserInfo);
        prop_assert_eq!(read(format!("https://h/?{user}")), EndpointError::Query);
        prop_assert_eq!(read(format!("https://h/{user}#{user}")), EndpointError::Query);
        prop_assert_eq!(read(format!("{user}x://h")), EndpointError::Scheme);
        prop_assert_eq!(read(format!("{user}.example")), EndpointError::Scheme);
        prop_assert_eq!(read(format!("https://{user}{junk}{user}")), EndpointError::Host);
        prop_assert_eq!(read(format!("https://h/{user}{junk}")), EndpointError::Prefix);
        prop_assert_eq!(read(format!("https://h/{user}/../{user}")), EndpointError::Prefix);
        prop_assert_eq!(read(format!("https://h/{user}//{user}")), EndpointError::Prefix);
        prop_assert_eq!(read(format!("https://h/{user}/CCFS/resource/ccfs")), EndpointError::InterfacePath);
        for host in ["", "256.1.1.1", "010.1.1.1", "1.2.3", "0x7f.1", "[::1", "::1", "[::1%25eth0]", "a..b", "h."] {
            prop_assert!(matches!(read(format!("https://{host}")), EndpointError::Host | EndpointError::Port), "{}", host);
        }
        let long = format!("https://h/{}", "a".repeat(3000));
        prop_assert_eq!(read(long.clone()), EndpointError::TooLong { len: long.len() });
    }

    #[test]
    fn parsing_never_panics(text in "(https://|http://)?[ -~é]{0,30}") {
        if let Ok(endpoint) = text.parse::<Endpoint>() {
            prop_assert_eq!(endpoint.scheme() == "https", endpoint.is_https());
            prop_assert!(!endpoint.host().is_empty() && endpoint.port() > 0);
        }
    }

    /// A URL library may rewrite its input; a signed request must survive it unchanged.
    #[test]
    fn a_requests_target_is_the_one_that_was_signed(
        text in endpoint_text(), path in "(/|/[a-zA-Z0-9/._~-]{0,24}|/(\\.|\\.\\.)/a|/a/\\.\\.|/[ %?#é]|a)", query in prop::collection::vec((".{0,5}", ".{0,8}"), 0..4), body in "[a-z]{0,4}",
    ) {
        let Ok(endpoint) = text.parse::<Endpoint>() else { return Ok(()) };
        let mut operation = OperationRequest::new(Method::POST, path.clone()).body(body.clone());
        operation.query = query.clone();
        let prepared = match PreparedRequest::new(operation, &endpoint) {
            Ok(prepared) => prepared,
            Err(error) => {
                prop_assert_eq!(error, RequestError::Path);
                let plain = |b: u8| b.is_ascii_alphanumeric() || b"/-._~".contains(&b);
                let dots = path.split('/').any(|segment| segment == "." || segment == "..");
                prop_assert!(!path.starts_with('/') || !path.bytes().all(plain) || dots);
                return Ok(());
            }
        };
        let request = prepared.sign(&Signer::new(&credentials()), Timestamp::from_unix_millis(0)).unwrap();
        let Ok(url) = Url::parse(&request.uri().to_string()) else { return Ok(()) };
        prop_assert_eq!(url.path(), format!("{}{path}", endpoint.prefix()));
        prop_assert_eq!(request.uri().path(), url.path());
        prop_assert_eq!(request.uri().query(), url.query());
        prop_assert_eq!(url.query_pairs().map(|(key, value)| (key.into_owned(), value.into_owned())).collect::<Vec<_>>(), query);
        let text = |name: header::HeaderName| request.headers().get(name).map(|value| value.to_str().unwrap().to_owned());
        prop_assert_eq!(text(header::HOST), Some(endpoint.host_header()));
        prop_assert!(request.headers()[header::AUTHORIZATION].is_sensitive());
        if body.is_empty() {
            prop_assert_eq!((text(header::CONTENT_LENGTH), text(header::CONTENT_TYPE)), (None, None));
        } else {
            prop_assert_eq!(text(header::CONTENT_LENGTH), Some(body.len().to_string()));
        }
    }
}
