//! The laws that every backend is held to.

#[test]
fn the_blocking_backend_holds_every_law() {
    ccfs_tests::laws::hold::<ccfs_tests::Blocking>("tests/regressions/laws.txt");
}
