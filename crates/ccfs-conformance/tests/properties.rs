//! The properties of both backends, checked for the transport of the example.

#[path = "../examples/own_transport.rs"]
#[allow(dead_code)] // Its `main`.
mod own_transport;

#[test]
fn the_examples_transport_has_every_property() {
    ccfs_tests::properties::hold::<own_transport::OwnTransport>("tests/regressions/properties.txt");
}
