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
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        let encoded = match tail {
            [high, low, ..] if *first == b'%' => digit(*high).zip(digit(*low)),
            _ => None,
        };
        bytes.push(encoded.map_or(*first, |(high, low)| high << 4 | low));
        rest = if encoded.is_some() { &tail[2..] } else { tail };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn digit(hex: u8) -> Option<u8> {
    let value = char::from(hex).to_digit(16)?;
    u8::try_from(value).ok()
}
