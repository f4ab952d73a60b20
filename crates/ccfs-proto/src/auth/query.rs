//! A query as it was received.

/// Takes a query apart into raw keys and values, as a [`RequestView`](crate::RequestView) wants them: for servers that verify.
///
/// `%XX` is decoded, a plus sign stays one, a `%` without two hex digits stays as it is, and bytes that are no UTF-8 become U+FFFD.
/// See `docs/protocol.md`, "What is not published".
///
/// ```
/// let pairs = ccfs_proto::decode_query("locationId=1%2F2&st=a=b&empty");
/// let expected = [("locationId", "1/2"), ("st", "a=b"), ("empty", "")];
/// assert_eq!(pairs, expected.map(|(key, value)| (key.to_owned(), value.to_owned())));
/// ```
pub fn decode_query(query: &str) -> Vec<(String, String)> {
    let pairs = query.split('&').filter(|pair| !pair.is_empty());
    pairs
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
        .map(|(key, value)| (decode(key), decode(value)))
        .collect()
}

fn decode(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, behind)) = rest.split_first() {
        match (first, behind) {
            (b'%', &[high, low, ref behind @ ..])
                if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() =>
            {
                bytes.push(digit(high) << 4 | digit(low));
                rest = behind;
            }
            _ => {
                bytes.push(first);
                rest = behind;
            }
        }
    }
    String::from_utf8(bytes)
        .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
}

fn digit(hex: u8) -> u8 {
    match hex {
        b'0'..=b'9' => hex - b'0',
        _ => (hex | 0x20) - b'a' + 10,
    }
}
