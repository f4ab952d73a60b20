//! Both backends against one list of scenarios.

use ccfs_tests::{Async, Blocking, scenarios};

#[test]
fn the_blocking_backend_holds_every_scenario() {
    scenarios::hold::<Blocking>();
}

#[test]
fn the_async_backend_holds_every_scenario() {
    scenarios::hold::<Async>();
}
