//! What a signature allocates: only the value that is returned, or nothing.
#![allow(clippy::unwrap_used, missing_docs)]

use allocation_counter::{AllocationInfo, measure};
use ccfs_proto::auth::QueryLine;
use ccfs_proto::time::Precision;
use ccfs_proto::{Credentials, RequestView, Signer, Timestamp};

const HEADERS: [(&str, &str); 3] = [
    ("Content-Length", "200"),
    ("Content-Type", "application/json; charset=UTF-8"),
    ("Host", "10.1.2.3:8443"),
];
/// As our operations sign them.
const USUAL: [(&str, &str); 3] =
    [("content-length", HEADERS[0].1), ("content-type", HEADERS[1].1), ("host", HEADERS[2].1)];

fn signer() -> Signer {
    Signer::new(&Credentials::from_text("4y0ycv90hl4ap9zc4", "nlXwsoKh".to_owned()).unwrap())
}

fn view<'a>(query: &'a [(&'a str, &'a str)], body: &'a [u8]) -> RequestView<'a> {
    RequestView {
        method: "POST",
        path: "/CCFS/resource/ccfs/downloadAgentSkillInfoFile",
        query,
        headers: &HEADERS,
        body,
    }
}

/// What one signature allocates while its value is kept, so that nothing is freed meanwhile.
fn one(signer: &Signer, view: RequestView<'_>, at: i64) -> (AllocationInfo, usize) {
    let mut kept = None;
    let info = measure(|| kept = signer.sign(view, Timestamp::from_unix_millis(at)).ok());
    (info, kept.unwrap().len())
}

#[test]
#[cfg_attr(miri, ignore = "what is counted is what the system's allocator is asked for")]
fn a_signature_allocates_its_value_and_nothing_else() {
    let large = vec![b'{'; 100_000];
    let query: Vec<(&str, &str)> =
        (0..64).map(|_| ("some key", "some value with a blank and 变")).collect();
    let usual = RequestView { headers: &USUAL, ..view(&[], &large[..200]) };
    for dialect in QueryLine::ALL {
        for precision in [Precision::Millis, Precision::Seconds] {
            let signer = signer().query_line(dialect).precision(precision);
            for view in [
                view(&[], b""),
                view(&[], &large[..200]),
                view(&[], &large),
                view(&query, &large[..200]),
                usual,
            ] {
                for at in [0, 1_630_402_730_872, 253_402_300_799_999] {
                    let (info, len) = one(&signer, view, at);
                    assert_eq!(info.count_total, 1, "{info:?}");
                    assert_eq!(info.count_current, 1, "only the value stays");
                    assert_eq!(info.bytes_total, len as u64, "it has the size of the value");

                    let mut out = Vec::with_capacity(len);
                    let info = measure(|| {
                        signer.sign_into(view, Timestamp::from_unix_millis(at), &mut out).unwrap();
                    });
                    assert_eq!(
                        (info.count_total, out.len()),
                        (0, len),
                        "there is capacity for just that"
                    );
                    let mut out = Vec::new();
                    let info = measure(|| {
                        signer.sign_into(view, Timestamp::from_unix_millis(at), &mut out).unwrap();
                    });
                    assert_eq!(info.count_total, 1, "the capacity is reserved at once");
                }
            }
        }
    }
}

#[test]
#[cfg_attr(miri, ignore = "what is counted is what the system's allocator is asked for")]
fn a_request_that_cannot_be_signed_allocates_nothing() {
    let headers = [("content-type", "text/plain")];
    let view = RequestView { headers: &headers, ..view(&[], b"") };
    let signer = signer();
    let mut refused = None;
    let info = measure(|| refused = signer.sign(view, Timestamp::from_unix_millis(0)).err());
    assert!(refused.is_some());
    assert_eq!(info.count_total, 0);
}

#[test]
#[cfg_attr(miri, ignore = "what is counted is what the system's allocator is asked for")]
fn timestamps_and_copies_of_credentials_allocate_nothing() {
    let credentials = Credentials::from_text("4y0ycv90hl4ap9zc4", "nlXwsoKh".to_owned()).unwrap();
    let info = measure(|| {
        let signer = Signer::new(&credentials);
        let text = Timestamp::from_unix_millis(1_630_402_730_872).text(Precision::Millis);
        assert!(text.as_str().parse::<Timestamp>().is_ok());
        drop(signer);
    });
    assert_eq!(info.count_total, 0);
}
