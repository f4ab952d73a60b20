//! Both backends against the suite that every transport is held to.

use ccfs_tests::{Async, Blocking};

#[test]
fn the_blocking_backend_conforms() {
    let verdicts = ccfs_conformance::run(&Blocking);
    println!("{verdicts}");
    verdicts.assert_all_passed();
    assert_eq!(verdicts.0.len(), ccfs_conformance::scenarios().count());
}

#[test]
fn the_async_backend_conforms() {
    let verdicts = ccfs_conformance::run(&Async);
    println!("{verdicts}");
    verdicts.assert_all_passed();
    assert_eq!(verdicts.0.len(), ccfs_conformance::scenarios().count());
}
