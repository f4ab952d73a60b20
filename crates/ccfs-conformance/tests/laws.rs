//! The laws that both backends of the house are held to, for the example's transport.

#[path = "../examples/own_transport.rs"]
#[allow(dead_code)] // Its `main`.
mod own_transport;

#[test]
fn the_examples_transport_holds_every_law() {
    ccfs_tests::laws::hold::<own_transport::OwnTransport>("tests/regressions/laws.txt");
}
