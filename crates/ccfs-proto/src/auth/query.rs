/// Splits a query into raw keys and values, as needed by [`RequestView`](crate::RequestView).
///
/// Decodes `%XX`. A plus sign and a `%` without two hex digits stay unchanged; bytes that are not
/// UTF-8 become U+FFFD. See [What is not published](crate::protocol#what-is-not-published).
///
/// ```
/// let pairs = ccfs_proto::auth::decode_query("locationId=1%2F2&st=a=b&empty");
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
    let mut parts = text.split('%');
    let mut bytes = parts.next().unwrap_or_default().as_bytes().to_vec();
    for part in parts {
        match part.as_bytes() {
            [high, low, rest @ ..] if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() => {
                bytes.extend(u8::from_str_radix(&part[..2], 16));
                bytes.extend_from_slice(rest);
            }
            other => bytes.extend([b"%", other].concat()),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
