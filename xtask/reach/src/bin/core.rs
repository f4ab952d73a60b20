//! The core.
fn main() {
    assert!(reach::everything() > std::hint::black_box(1000), "everything was done");
    #[cfg(feature = "planted")]
    assert!(reach::planted().len() > std::hint::black_box(10));
}
