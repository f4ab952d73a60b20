//! What every program links: a panic and its message.
fn main() {
    assert!(std::hint::black_box(1) > 0, "{:?}", std::hint::black_box(1));
}
