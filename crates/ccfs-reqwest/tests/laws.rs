//! The laws that every backend is held to.

#[test]
fn the_async_backend_holds_every_law() {
    ccfs_tests::laws::hold::<ccfs_tests::Async>("tests/regressions/laws.txt");
}
