//! Choice of the proxy from environment variables, and proxy URLs.
#![allow(clippy::unwrap_used, missing_docs)]

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};

use ccfs_driver::{Proxy, ProxyError};
use ccfs_proto::Endpoint;
use proptest::prelude::*;
use proptest::test_runner::{Config, FileFailurePersistence};

fn cases(cases: u32) -> Config {
    Config {
        cases,
        failure_persistence: Some(Box::new(FileFailurePersistence::Direct(
            "tests/regressions/proxies.txt",
        ))),
        ..Config::default()
    }
}

fn endpoint(text: &str) -> Endpoint {
    text.parse().unwrap()
}

/// Returns the proxy for an endpoint, given these environment variables.
fn from(at: &Endpoint, variables: &[(&str, &str)]) -> Result<Option<Proxy>, ProxyError> {
    let variables: BTreeMap<&str, &str> = variables.iter().copied().collect();
    Proxy::from_env_with(at, |name| variables.get(name).map(|&value| value.to_owned()))
}

fn shown(at: &str, variables: &[(&str, &str)]) -> Option<String> {
    from(&endpoint(at), variables).unwrap().map(|proxy| proxy.to_string())
}

#[test]
fn scheme_and_case_decide_which_variable_is_used() {
    let all = [
        ("https_proxy", "a"),
        ("HTTPS_PROXY", "b"),
        ("http_proxy", "c"),
        ("HTTP_PROXY", "d"),
        ("all_proxy", "e"),
        ("ALL_PROXY", "f"),
    ];
    let order = |at: &str| -> Vec<String> {
        let mut left = all.to_vec();
        let mut order = Vec::new();
        while let Some(proxy) = shown(at, &left) {
            let name = proxy.trim_start_matches("http://").trim_end_matches(":80").to_owned();
            left.retain(|(_, value)| *value != name);
            order.push(name);
        }
        order
    };
    assert_eq!(order("https://10.1.2.3"), ["a", "b", "e", "f"]);
    assert_eq!(order("http://10.1.2.3"), ["c", "d", "e", "f"]);
    assert_eq!(
        shown("http://10.1.2.3", &[("HTTP_PROXY", "d"), ("REQUEST_METHOD", "GET")]),
        None,
        "set from the Proxy header of a CGI request"
    );
    assert_eq!(
        shown("http://10.1.2.3", &[("http_proxy", "c"), ("REQUEST_METHOD", "GET")]),
        Some("http://c:80".into())
    );
    assert_eq!(
        shown("https://10.1.2.3", &[("https_proxy", " "), ("HTTPS_PROXY", "b")]),
        Some("http://b:80".into()),
        "a blank value counts as absent"
    );
    assert_eq!(shown("https://10.1.2.3", &[]), None);
}

#[test]
fn no_proxy_has_domains_addresses_networks_and_ports() {
    for (at, list, excluded) in [
        ("https://ccfs.example.com", "example.com", true),
        ("https://ccfs.example.com", ".example.com", true),
        ("https://ccfs.example.com", "*.EXAMPLE.com.", true),
        ("https://example.com", "example.com", true),
        ("https://example.com", "example.com:443", true),
        ("https://example.com", "example.com:8443", false),
        ("https://badexample.com", "example.com", false),
        ("https://example.com", "ccfs.example.com", false),
        ("https://example.com", ".", false),
        ("https://example.com", "", false),
        ("https://example.com", "*", true),
        ("https://10.1.2.3:8443", "10.1.2.3", true),
        ("https://10.1.2.3:8443", "10.1.2.3:8443", true),
        ("https://10.1.2.3:8443", "10.1.2.3:443", false),
        ("https://10.1.2.3", "1.2.3", false),
        ("https://10.1.2.3", "2.3", false),
        ("https://10.1.2.3", "10.0.0.0/8", true),
        ("https://10.1.2.3", "10.1.2.0/30", true),
        ("https://10.1.2.3", "10.1.2.0/31", false),
        ("https://10.1.2.3", "0.0.0.0/0", true),
        ("https://10.1.2.3", "10.0.0.0/33", false),
        ("https://10.1.2.3", "::/0", false),
        ("https://[2001:db8::7]:8443", "2001:db8::7", true),
        ("https://[2001:db8::7]:8443", "[2001:DB8:0::7]:8443", true),
        ("https://[2001:db8::7]:8443", "[2001:db8::7]:443", false),
        ("https://[2001:db8::7]", "2001:db8::/32", true),
        ("https://[2001:db9::7]", "2001:db8::/32", false),
        ("https://ccfs", "localhost, 127.0.0.1\tccfs", true),
        ("https://ccfs", "localhost 127.0.0.1", false),
    ] {
        let proxy = shown(at, &[("https_proxy", "p:3128"), ("no_proxy", list)]);
        assert_eq!(proxy.is_none(), excluded, "{at} with no_proxy={list:?}");
    }
    assert_eq!(
        shown("https://a", &[("https_proxy", "p"), ("no_proxy", ""), ("NO_PROXY", "a")]),
        None
    );
}

#[test]
fn a_value_that_is_not_an_http_proxy_is_an_error_without_the_value() {
    for (value, said) in [
        ("socks5://MARKER", "unsupported scheme"),
        ("https://MARKER:3128", "unsupported scheme"),
        ("http://user:MARKER%@proxy", "percent-encode"),
        ("http://user%3aMARKER@proxy", "no colon"),
        ("http://user:MARKER", "host or port"),
        ("http://user:MARKER%0d%0aHost@proxy", "control characters"),
        ("http://proxy/MARKER", "has a path"),
        ("http://MARKER:0", "host or port"),
        ("http://MARK ER", "host or port"),
        ("http://MARKER?query", "host or port"),
    ] {
        let error = from(&endpoint("https://10.1.2.3"), &[("ALL_PROXY", value)]).unwrap_err();
        let text = error.to_string();
        assert!(
            text.contains("ALL_PROXY") && text.contains(said) && text.contains("NO_PROXY"),
            "{value}: {text}"
        );
        assert!(!format!("{text} {error:?}").contains("MARK"), "{text}");
        assert_eq!(
            from(&endpoint("https://10.1.2.3"), &[("ALL_PROXY", value), ("NO_PROXY", "10.1.2.3")])
                .unwrap()
                .map(|proxy| proxy.to_string()),
            None,
            "the host is excluded"
        );
    }
}

fn host() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-z]{1,5}(\\.[a-z]{1,5}){0,3}",
        any::<[u8; 4]>().prop_map(|bytes| Ipv4Addr::from(bytes).to_string())
    ]
}

fn percent(text: &str) -> String {
    text.bytes()
        .map(|b| {
            if b.is_ascii_alphanumeric() { char::from(b).to_string() } else { format!("%{b:02X}") }
        })
        .collect()
}

proptest! {
    #![proptest_config(cases(256))]

    #[test]
    fn a_url_is_parsed_to_its_parts(host in host(), port in 1_u16.., user in "[^\\pC:]{0,12}", password in "[^\\pC]{0,12}", slash in any::<bool>()) {
        let url = format!("http://{}:{}@{host}:{port}{}", percent(&user), percent(&password), if slash { "/" } else { "" });
        let proxy: Proxy = url.parse().unwrap();
        prop_assert_eq!((proxy.host(), proxy.port()), (host.as_str(), port));
        prop_assert_eq!(proxy.login(), Some((user.as_str(), password.as_str())));
        let bare: Proxy = proxy.to_string().parse().unwrap();
        prop_assert!(bare.login().is_none() && bare.authorization().is_none());
    }

    /// Compares with RFC 7617; base64 is decoded bit by bit.
    #[test]
    fn a_login_becomes_a_basic_authentication_header(user in "[^\\pC:]{0,12}", password in "[^\\pC]{0,12}") {
        let proxy: Proxy = format!("{}:{}@proxy", percent(&user), percent(&password)).parse().unwrap();
        let value = proxy.authorization().unwrap();
        prop_assert!(value.is_sensitive() && value.len() % 4 == 2);
        let alphabet = ('A'..='Z').chain('a'..='z').chain('0'..='9').chain(['+', '/']).collect::<String>();
        let encoded = value.to_str().unwrap().strip_prefix("Basic ").unwrap();
        let bits: Vec<bool> = encoded
            .trim_end_matches('=')
            .chars()
            .flat_map(|c| (0..6).rev().map(|bit| alphabet.find(c).unwrap() >> bit & 1 == 1).collect::<Vec<_>>())
            .collect();
        let bytes: Vec<u8> = bits.chunks_exact(8).map(|byte| byte.iter().fold(0, |sum, &bit| sum << 1 | u8::from(bit))).collect();
        prop_assert_eq!(String::from_utf8(bytes).unwrap(), format!("{user}:{password}"));
    }

    #[test]
    fn debug_and_display_do_not_contain_the_login(host in "[a-z]{1,9}", user in "USER[0-9]{3}", password in "WORD[0-9]{3}") {
        let proxy: Proxy = format!("{user}:{password}@{host}").parse().unwrap();
        let shown = format!("{proxy} {proxy:?} {proxy:#?}");
        prop_assert!(!shown.contains("USER") && !shown.contains("WORD"), "{}", shown);
    }

    #[test]
    fn no_value_causes_a_panic(value in "\\PC{0,40}", list in "\\PC{0,40}", at in host()) {
        let at = endpoint(&format!("https://{at}"));
        let _ = from(&at, &[("ALL_PROXY", &value), ("NO_PROXY", &list)]);
        let _ = from(&at, &[("ALL_PROXY", "p"), ("NO_PROXY", &list)]).unwrap();
    }

    /// Another `NO_PROXY` entry never makes an excluded host use the proxy.
    #[test]
    fn more_entries_only_exclude_more(at in host(), list in prop::collection::vec(host(), 0..5), more in host()) {
        let at = endpoint(&format!("https://{at}"));
        let before = from(&at, &[("ALL_PROXY", "p"), ("NO_PROXY", &list.join(","))]).unwrap();
        let after = from(&at, &[("ALL_PROXY", "p"), ("NO_PROXY", &[&list[..], &[more]].concat().join(","))]).unwrap();
        prop_assert!(before.is_some() || after.is_none());
    }

    /// Compares bit by bit.
    #[test]
    fn a_network_contains_the_addresses_with_its_prefix(address in any::<u32>(), flip in 0_u32..33, bits in 0_u32..33) {
        let network = if flip < 32 { address ^ (1 << (31 - flip)) } else { address };
        let inside = (0..bits).all(|bit| address >> (31 - bit) & 1 == network >> (31 - bit) & 1);
        let at = endpoint(&format!("https://{}", IpAddr::V4(Ipv4Addr::from_bits(address))));
        let list = format!("{}/{bits}", Ipv4Addr::from_bits(network));
        prop_assert_eq!(from(&at, &[("ALL_PROXY", "p"), ("NO_PROXY", &list)]).unwrap().is_none(), inside);
    }
}
