//! The properties that every backend must have.

#[test]
fn the_blocking_backend_has_every_property() {
    ccfs_tests::properties::hold::<ccfs_tests::Blocking>("tests/regressions/properties.txt");
}
