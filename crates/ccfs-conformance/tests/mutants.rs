//! The suite can fail: a transport with one thing wrong fails the scenario that is about it, by name, and the example's fails none.
#![allow(clippy::unwrap_used)]

#[path = "../examples/own_transport.rs"]
#[allow(dead_code)] // Its `main`.
mod own_transport;
mod support;

use std::collections::BTreeSet;
use std::thread;

use ccfs_conformance::{Outcome, run, run_only, scenarios};
use own_transport::OwnTransport;
use support::{Flaw, Flawed};

/// What each flaw must be found by.
const FOUND_BY: &[(Flaw, &[&str])] = &[
    (Flaw::RetriesByItself, &["a job is not asked for again when it may have arrived", "a closed connection is tried again"]),
    (Flaw::RetriesRefusals, &["a 401 is sent once, whatever follows", "a wrong key is a 401 and is sent once"]),
    (Flaw::FollowsRedirects, &["a redirect is not followed"]),
    (Flaw::AddsHeaders, &["no header is added"]),
    (Flaw::ChangesHost, &["what is sent is what was signed"]),
    (Flaw::ChangesBody, &["what is sent is what was signed"]),
    (Flaw::Unpacks, &["nothing is unpacked"]),
    (Flaw::ForgetsTime, &["silence from the start is given up", "silence in the middle is given up", "the deadline ends a silence"]),
    (Flaw::ForgetsTimeInBodies, &["silence in the middle is given up"]),
    (Flaw::TimeStands, &["every attempt is signed anew", "the deadline ends a trickle"]),
    (Flaw::GathersBodies, &["a large file goes to the writer while it comes"]),
    (Flaw::TakesCutsForEnds, &["chunks without their end leave no file"]),
    (Flaw::SaysConnectOfAll, &["a job is not asked for again when it may have arrived", "what is not HTTP is told, and not tried again"]),
    (Flaw::SaysBrokenOfAll, &["what is not HTTP is told, and not tried again", "silence from the start is given up"]),
    (Flaw::SaysConnectAsBroken, &["nobody listens"]),
    (Flaw::NeverRewinds, &["a second attempt begins the file anew"]),
    (Flaw::SaysWritersRewind, &["a cut body into a writer says what it has"]),
    (Flaw::SleepsForReal, &["a cut body is tried again, and the file is right"]),
    (Flaw::ForgetsCorrections, &["a wrong clock is corrected once, and the next call knows"]),
    (Flaw::WritesInPlace, &["a body that is always cut leaves no file", "a file that is there is replaced on demand, at once"]),
    (Flaw::Overwrites, &["a file that is there is left alone, and nothing is sent"]),
    (Flaw::LeavesParts, &["a download that is given up leaves nothing, and the next call works"]),
    (Flaw::OneDialect, &["both query line dialects are accepted as set"]),
    (Flaw::Panics, &["a job is started and its file comes to disk"]),
];

#[test]
fn the_examples_transport_conforms() {
    let verdicts = run(&OwnTransport);
    verdicts.assert_all_passed();
    let not_played: Vec<&str> =
        verdicts.iter().filter(|verdict| verdict.outcome != Outcome::Passed).map(|verdict| verdict.scenario).collect();
    assert_eq!(not_played, ["a certificate of an unknown CA is refused"]);
}

#[test]
fn each_flaw_is_found_by_its_scenario() {
    // Side by side: most of them only wait.
    thread::scope(|scope| FOUND_BY.iter().map(|(flaw, expected)| scope.spawn(|| found(*flaw, expected))).for_each(drop));
}

fn found(flaw: Flaw, expected: &[&str]) {
    let verdicts = run_only(&Flawed(flaw), |name| expected.contains(&name));
    let failed: BTreeSet<&str> = verdicts.failed().map(|verdict| verdict.scenario).collect();
    assert_eq!(failed, expected.iter().copied().collect(), "{flaw:?}:\n{verdicts}");
    for verdict in verdicts.failed() {
        let Outcome::Failed { expected, seen } = &verdict.outcome else { unreachable!() };
        assert!(!expected.is_empty() && !seen.is_empty() && expected != seen, "{flaw:?}: {verdict:?}");
    }
    let table = verdicts.to_string();
    assert!(table.contains("FAILED\n    expected: ") && table.contains("\n    seen:     "), "{table}");
    assert!(std::panic::catch_unwind(|| verdicts.assert_all_passed()).is_err());
}

/// What finds them is the flaw, not the copy of the transport that has it.
#[test]
fn without_a_flaw_all_of_them_pass() {
    let named: BTreeSet<&str> = FOUND_BY.iter().flat_map(|(_, names)| names.iter().copied()).collect();
    let verdicts = run_only(&Flawed(Flaw::Nothing), |name| named.contains(name));
    assert_eq!(verdicts.iter().count(), named.len(), "every name is one of the suite's");
    verdicts.assert_all_passed();
}

#[test]
fn names_are_said_once() {
    let names: BTreeSet<&str> = scenarios().collect();
    assert_eq!(names.len(), scenarios().count());
    assert!(!run_only(&OwnTransport, |_| false).all_passed(), "nothing played is nothing shown");
}
