//! Base64 (RFC 4648, with padding), the one direction that an upload needs.

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

pub(super) fn encode(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for group in bytes.chunks(3) {
        let at = |nth: usize| u32::from(group.get(nth).copied().unwrap_or(0));
        let bits = at(0) << 16 | at(1) << 8 | at(2);
        for nth in 0..4 {
            // One byte makes two digits, two make three.
            let digit = if nth <= group.len() {
                ALPHABET[(bits >> (18 - 6 * nth) & 63) as usize]
            } else {
                b'='
            };
            text.push(char::from(digit));
        }
    }
    text
}
