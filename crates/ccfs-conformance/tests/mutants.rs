//! The suite can fail: a transport with one flaw fails the scenario about it, by name, and the example's transport passes all.
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

/// What each flaw must be found by: the scenarios, and what their verdicts must say that was seen, so that none is found for being slow.
const FOUND_BY: &[(Flaw, &[(&str, &str)])] = &[
    (
        Flaw::RetriesByItself,
        &[
            ("a job is not asked for again when it may have arrived", "success: GenerationJob"),
            ("a closed connection is tried again", "8: POST"),
        ],
    ),
    (
        Flaw::RetriesRefusals,
        &[
            ("a 401 is sent once, whatever follows", "success: FileReceipt"),
            ("a wrong key is a 401 and is sent once", "2"),
        ],
    ),
    (Flaw::FollowsRedirects, &[("a redirect is not followed", "HTTP 404")]),
    (Flaw::AddsHeaders, &[("no header is added", "user-agent")]),
    (Flaw::ChangesHost, &[("what is sent is what was signed", "Some(\"127.0.0.1\")")]),
    (Flaw::ChangesBody, &[("what is sent is what was signed", "signature does not match")]),
    (
        Flaw::Unpacks,
        &[("nothing is unpacked", "broke before the response began (after 4 attempts)")],
    ),
    (
        Flaw::ForgetsTime,
        &[
            (
                "silence from the start is given up",
                "broke before the response began (after 2 attempts)",
            ),
            ("silence in the middle is given up", "has a wrong length: 5000 bytes"),
            ("the deadline ends a silence", "it took "),
            ("the deadline ends a silence in the middle", "it took "),
        ],
    ),
    (
        Flaw::ForgetsTimeInBodies,
        &[("silence in the middle is given up", "has a wrong length: 5000 bytes")],
    ),
    (
        Flaw::TimeStands,
        &[
            ("every attempt is signed again", "stopped by the progress function"),
            ("the deadline ends a trickle", "stopped by the progress function"),
        ],
    ),
    (
        Flaw::GathersBodies,
        &[("a large file goes to the writer while it comes", "gathered in memory")],
    ),
    (Flaw::TakesCutsForEnds, &[("chunks without their end leave no file", "success: FileReceipt")]),
    (
        Flaw::SaysConnectOfAll,
        &[
            ("a job is not asked for again when it may have arrived", "success: GenerationJob"),
            ("what is not HTTP is reported, and not retried", "could not connect to 127.0.0.1:"),
        ],
    ),
    (
        Flaw::SaysBrokenOfAll,
        &[
            ("what is not HTTP is reported, and not retried", "broke before the response began"),
            ("silence from the start is given up", "broke before the response began"),
        ],
    ),
    (Flaw::SaysConnectAsBroken, &[("no server listens", "broke before the response began")]),
    (Flaw::NeverRewinds, &[("a second attempt begins the file again", "41176 bytes that differ")]),
    (
        Flaw::SaysWritersRewind,
        &[("a cut body into a writer says what it has", "(after 4 attempts)")],
    ),
    (
        Flaw::SleepsForReal,
        &[("a cut body is tried again, and the file is right", "waits of [0ns, ")],
    ),
    (
        Flaw::ForgetsCorrections,
        &[(
            "a wrong clock is corrected once, and the next call knows",
            "[Some(401), Some(200), Some(401), Some(200)]",
        )],
    ),
    (
        Flaw::WritesInPlace,
        &[
            ("a file that is there is replaced on demand, at once", "0 bytes that differ"),
            ("a body that is always cut leaves no file", "[\"file.zip\"]"),
        ],
    ),
    (
        Flaw::Overwrites,
        &[("a file that is there is left alone, and nothing is sent", "Ok(FileReceipt")],
    ),
    (
        Flaw::LeavesParts,
        &[("a download that is given up leaves nothing, and the next call works", ".part\"]")],
    ),
    (
        Flaw::OneDialect,
        &[("both query line dialects are accepted as set", "success: GenerationJob")],
    ),
    (Flaw::Panics, &[("a job is started and its file comes to disk", "a panic: out of luck")]),
];

#[test]
fn the_examples_transport_conforms() {
    let verdicts = run(&OwnTransport);
    verdicts.assert_all_passed();
    let not_played: Vec<&str> = verdicts
        .0
        .iter()
        .filter(|verdict| verdict.outcome != Outcome::Passed)
        .map(|verdict| verdict.scenario)
        .collect();
    assert_eq!(not_played, ["a certificate of an unknown CA is refused"]);
}

/// After the head of a response, the exchange does not believe that the request never arrived.
#[test]
fn a_transport_that_lies_after_the_head_repeats_no_job() {
    let verdicts = run_only(&Flawed(Flaw::SaysConnectOfAll), |name| {
        name == "a job whose response breaks off is not requested again"
    });
    assert_eq!(verdicts.0.len(), 1);
    verdicts.assert_all_passed();
}

#[test]
fn each_flaw_is_found_by_its_scenario() {
    // In parallel, since some of them mostly wait.
    thread::scope(|scope| {
        for (flaw, by) in FOUND_BY {
            for by in *by {
                scope.spawn(|| found(*flaw, by));
            }
        }
        // What finds them is the flaw, not the copy of the transport that has it.
        let named = FOUND_BY.iter().flat_map(|(_, by)| by.iter().map(|(scenario, _)| *scenario));
        for scenario in named.collect::<BTreeSet<&str>>() {
            scope.spawn(move || {
                let verdicts = run_only(&Flawed(Flaw::Nothing), |name| name == scenario);
                assert_eq!(verdicts.0.len(), 1, "{scenario:?} is a name of the suite");
                verdicts.assert_all_passed();
            });
        }
    });
}

fn found(flaw: Flaw, (scenario, reason): &(&str, &str)) {
    let verdicts = run_only(&Flawed(flaw), |name| name == *scenario);
    let [verdict] = &verdicts.0[..] else { panic!("{flaw:?}:\n{verdicts}") };
    let Outcome::Failed { expected, seen } = &verdict.outcome else {
        panic!("{flaw:?}:\n{verdicts}")
    };
    assert!(!expected.is_empty() && expected != seen, "{flaw:?}: {verdict:?}");
    assert!(
        seen.contains(reason),
        "{flaw:?} is found for another reason than {reason:?}: {verdict:?}"
    );
    let table = verdicts.to_string();
    assert!(
        table.contains("FAILED\n    expected: ") && table.contains("\n    seen:     "),
        "{table}"
    );
}

#[test]
fn scenario_names_are_unique() {
    let names: BTreeSet<&str> = scenarios().collect();
    assert_eq!(names.len(), scenarios().count());
    assert!(!run_only(&OwnTransport, |_| false).all_passed(), "nothing played is nothing shown");
}
