//! Base64 encoding (RFC 4648, with padding), which an upload needs.

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

pub(crate) fn encode(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for group in bytes.chunks(3) {
        let byte = |nth: usize| u32::from(group.get(nth).copied().unwrap_or(0));
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        for nth in 0..4 {
            let digit = ALPHABET[(bits >> (18 - 6 * nth) & 63) as usize];
            // One byte takes two digits, two take three.
            text.push(if nth <= group.len() { digit.into() } else { '=' });
        }
    }
    text
}
