//! The properties that every backend must have.

#[test]
fn the_async_backend_has_every_property() {
    ccfs_tests::properties::hold::<ccfs_tests::Async>("tests/regressions/properties.txt");
}
