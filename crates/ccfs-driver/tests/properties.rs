//! Properties of atomic files and of sessions.
#![allow(clippy::unwrap_used, missing_docs)]

use std::fs;
use std::io::Write;
use std::path::Path;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use ccfs_driver::{
    Clock, Error, FileError, Overwrite, Progress, Session, SystemClock, WholeFile, check_setting,
};
use ccfs_proto::{
    Credentials, DownloadAgentSkillInfoFile, ErrorKind, Exchange, Now, SinkKind, Step, Timestamp,
};
use http::{HeaderMap, StatusCode, header};
use proptest::prelude::*;
use proptest::test_runner::{Config, FileFailurePersistence};

fn cases(cases: u32) -> Config {
    Config {
        cases,
        failure_persistence: Some(Box::new(FileFailurePersistence::Direct(
            "tests/regressions/properties.txt",
        ))),
        ..Config::default()
    }
}

/// An operation on a file before it is committed.
#[derive(Clone, Debug)]
enum Act {
    Write(Vec<u8>),
    Truncate,
}

/// How the writing of a file ends.
#[derive(Clone, Copy, Debug, PartialEq)]
enum End {
    Commit,
    /// Commit with an expected length that is wrong by this many bytes.
    CommitWrong(i64),
    Drop,
}

fn acts() -> impl Strategy<Value = Vec<Act>> {
    let write = prop::collection::vec(any::<u8>(), 0..3000).prop_map(Act::Write);
    prop::collection::vec(prop_oneof![4 => write, 1 => Just(Act::Truncate)], 0..8)
}

fn end() -> impl Strategy<Value = End> {
    prop_oneof![3 => Just(End::Commit), 1 => (1_i64..5).prop_map(End::CommitWrong), 1 => (-5_i64..0).prop_map(End::CommitWrong), 1 => Just(End::Drop)]
}

fn overwrite() -> impl Strategy<Value = Overwrite> {
    prop::sample::select(vec![Overwrite::Refuse, Overwrite::Replace])
}

/// Returns the sorted names in a directory, hidden files included.
fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}

/// Applies `acts`, calls `after_each` after each, and returns the expected content.
fn act(file: &mut WholeFile, acts: &[Act], mut after_each: impl FnMut()) -> Vec<u8> {
    let mut expected = Vec::new();
    for act in acts {
        match act {
            Act::Write(bytes) => {
                file.write_all(bytes).unwrap();
                expected.extend_from_slice(bytes);
            }
            Act::Truncate => {
                file.truncate().unwrap();
                expected.clear();
            }
        }
        assert_eq!(file.written(), expected.len() as u64);
        after_each();
    }
    expected
}

fn finish(file: WholeFile, end: End, len: usize) -> Result<(), FileError> {
    match end {
        End::Commit => file.commit(len as u64).map(drop),
        End::CommitWrong(off) => file
            .commit(u64::try_from(i64::try_from(len).unwrap() + off).unwrap_or(u64::MAX))
            .map(drop),
        End::Drop => {
            drop(file);
            Ok(())
        }
    }
}

proptest! {
    #![proptest_config(cases(64))]

    #[test]
    fn the_target_is_unchanged_or_has_exactly_the_bytes_written(
        before in prop::option::of(prop::collection::vec(any::<u8>(), 0..50)), overwrite in overwrite(), acts in acts(), end in end(),
    ) {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("20230406.zip");
        if let Some(before) = &before {
            fs::write(&target, before).unwrap();
        }
        let mut file = match WholeFile::create(&target, overwrite) {
            Ok(file) => file,
            Err(error) => {
                let refused = matches!(error, FileError::Exists { .. }) && before.is_some() && overwrite == Overwrite::Refuse;
                prop_assert!(refused, "{}", error);
                prop_assert_eq!(fs::read(&target).ok(), before);
                prop_assert_eq!(names(folder.path()), ["20230406.zip"]);
                return Ok(());
            }
        };
        let bytes = act(&mut file, &acts, || assert_eq!(fs::read(&target).ok(), before));
        let ended = finish(file, end, bytes.len());
        prop_assert_eq!(ended.is_ok(), !matches!(end, End::CommitWrong(_)), "{:?}", ended);
        let expected = if end == End::Commit { Some(bytes) } else { before };
        prop_assert_eq!(names(folder.path()).len(), usize::from(expected.is_some()));
        prop_assert_eq!(fs::read(&target).ok(), expected);
    }

    #[test]
    fn refuse_also_applies_to_files_that_appear_while_writing(acts in acts(), kind in 0..4) {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("a.zip");
        let mut file = WholeFile::create(&target, Overwrite::Refuse).unwrap();
        let bytes = act(&mut file, &acts, || ());
        match kind {
            0 => fs::write(&target, b"of another process").unwrap(),
            1 => fs::write(&target, b"").unwrap(),
            2 => fs::create_dir(&target).unwrap(),
            _ => create_dangling_link(&target),
        }
        let before = fs::symlink_metadata(&target).unwrap();
        let error = file.commit(bytes.len() as u64).unwrap_err();
        let refused = matches!(&error, FileError::Exists { path } if *path == target);
        prop_assert!(refused, "{}", error);
        let after = fs::symlink_metadata(&target).unwrap();
        prop_assert_eq!((after.file_type(), after.len(), after.modified().unwrap()), (before.file_type(), before.len(), before.modified().unwrap()));
        prop_assert_eq!(names(folder.path()), ["a.zip"]);
        let error = WholeFile::create(&target, Overwrite::Refuse).unwrap_err();
        let refused = match error {
            FileError::NotRegular { .. } => target.is_dir(),
            FileError::Exists { .. } => !target.is_dir(),
            _ => false,
        };
        prop_assert!(refused, "{}", error);
    }

    #[test]
    fn a_wrong_length_is_an_error_and_leaves_no_file(acts in acts(), off in prop_oneof![1_u64..100, Just(u64::MAX / 2)], overwrite in overwrite()) {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("a.zip");
        let mut file = WholeFile::create(&target, overwrite).unwrap();
        let len = act(&mut file, &acts, || ()).len() as u64;
        let error = file.commit(len + off).unwrap_err();
        let is_length = matches!(error, FileError::Length { expected, found, .. } if expected == len + off && found == len);
        prop_assert!(is_length, "{}", error);
        prop_assert!(names(folder.path()).is_empty());
    }

    #[test]
    fn of_two_files_for_one_target_one_is_complete(first in acts(), second in acts(), overwrite in overwrite(), swap in any::<bool>()) {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("a.zip");
        let mut one = WholeFile::create(&target, overwrite).unwrap();
        let mut two = WholeFile::create(&target, overwrite).unwrap();
        let (one_bytes, two_bytes) = (act(&mut one, &first, || ()), act(&mut two, &second, || ()));
        let (earlier, later) = if swap { ((two, two_bytes), (one, one_bytes)) } else { ((one, one_bytes), (two, two_bytes)) };
        earlier.0.commit(earlier.1.len() as u64).unwrap();
        let committed = later.0.commit(later.1.len() as u64);
        prop_assert_eq!(committed.is_ok(), overwrite == Overwrite::Replace);
        prop_assert_eq!(fs::read(&target).unwrap(), if overwrite == Overwrite::Replace { later.1 } else { earlier.1 });
        prop_assert_eq!(names(folder.path()), ["a.zip"]);
    }

    /// Linux allows names of up to 255 bytes; the temporary name must not be longer.
    #[test]
    fn every_name_that_the_file_system_allows_works(name in prop_oneof!["[a-zA-Z0-9._ -]{1,255}", "[技é%]{1,85}", "a{200,255}"], overwrite in overwrite()) {
        prop_assume!(name != "." && name != "..");
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join(&name);
        if fs::write(&target, b"").is_err() {
            return Ok(());
        }
        fs::remove_file(&target).unwrap();
        let mut file = WholeFile::create(&target, overwrite).unwrap();
        file.write_all(b"whole").unwrap();
        let temporary = names(folder.path());
        prop_assert!(temporary.len() == 1 && temporary[0].starts_with('.') && temporary[0].rsplit('.').next() == Some("part"), "{:?}", temporary);
        prop_assert_eq!(file.commit(5).unwrap(), target);
        prop_assert_eq!(names(folder.path()), [name]);
    }

    /// Property: a correction is stored if and only if the server accepted the signature, whatever
    /// it answered: otherwise the next call would send an invalid signature again.
    #[test]
    fn a_correction_is_stored_once_the_server_accepted_it(calls in prop::collection::vec((-100_000_i64..100_000, answers(), any::<bool>()), 1..6)) {
        let session = session();
        let shared = session.clone();
        let mut remembered = 0;
        for (drift, answer, through_clone) in calls {
            let session = if through_clone { &shared } else { &session };
            let (running, mut exchange) = session.call(download(), SinkKind::Once).unwrap();
            prop_assert_eq!(exchange.correction(), remembered);
            call(&mut exchange, drift * 1000, answer);
            running.end(&exchange, &Err(Error::Stopped));
            let measured = session.clock_skew().unwrap();
            prop_assert!((measured.millis - drift * 1000).abs() <= 1000);
            prop_assert_eq!(Some(measured), shared.clock_skew());
            if answer != Answer::Refusal {
                remembered = exchange.correction();
            }
        }
    }

    /// A long download started before another call corrected the clock, and ends after it.
    #[test]
    fn a_call_without_a_correction_does_not_reset_the_stored_one(drift in 100_i64..1_000_000) {
        let session = session();
        let (long_call, mut long) = session.call(download(), SinkKind::Once).unwrap();
        let (short_call, mut short) = session.call(download(), SinkKind::Once).unwrap();
        prop_assert!(call(&mut short, drift * 1000, Answer::File));
        short_call.end(&short, &Err(Error::Stopped));
        prop_assert_eq!(short.confirmed_correction(), Some(short.correction()));
        prop_assert!(call(&mut long, 0, Answer::File));
        long_call.end(&long, &Err(Error::Stopped));
        prop_assert_eq!(long.confirmed_correction(), None);
        prop_assert_eq!(session.call(download(), SinkKind::Once).unwrap().1.correction(), short.correction());
    }

    #[test]
    fn a_stored_correction_avoids_the_401(drift in -1_000_000_i64..1_000_000) {
        let session = session();
        for nth in 0..3 {
            let (running, mut exchange) = session.call(download(), SinkKind::Once).unwrap();
            prop_assert!(call(&mut exchange, drift * 1000, Answer::File));
            running.end(&exchange, &Err(Error::Stopped));
            let refused = nth == 0 && drift.abs() > 62;
            prop_assert_eq!(exchange.attempts(), 1 + u32::from(refused));
        }
    }

    #[test]
    fn progress_reports_attempts_and_bytes(chunks in prop::collection::vec(1_usize..400, 0..6), declared in prop::option::of(1_000_u64..9_000)) {
        let mut exchange = session().call(download(), SinkKind::Once).unwrap().1;
        prop_assert_eq!(Progress::of(&exchange), Progress::default());
        let step = exchange.poll(now()).unwrap();
        let sent = matches!(step, Step::Send { .. });
        prop_assert!(sent);
        let mut headers = HeaderMap::new();
        if let Some(declared) = declared {
            headers.insert(header::CONTENT_LENGTH, declared.into());
        }
        exchange.on_head(now(), StatusCode::OK, &headers).unwrap();
        let mut received = 0;
        for (nth, len) in chunks.iter().enumerate() {
            while !matches!(exchange.poll(now()).unwrap(), Step::Receive { .. }) {}
            let mut chunk = vec![0; *len + 4];
            if nth == 0 {
                chunk[..4].copy_from_slice(b"PK\x03\x04");
            }
            received += chunk.len() as u64;
            exchange.on_body(now(), chunk.into()).unwrap();
            let progress = Progress::of(&exchange);
            prop_assert_eq!((progress.attempts, progress.received, progress.declared), (1, received, declared));
        }
    }
}

#[cfg(unix)]
fn create_dangling_link(target: &Path) {
    std::os::unix::fs::symlink("missing", target).unwrap();
}

#[cfg(not(unix))]
fn create_dangling_link(target: &Path) {
    fs::write(target, b"").unwrap();
}

fn now() -> Now {
    Now { wall: Timestamp::from_unix_millis(1_700_000_000_500), monotonic: Duration::ZERO }
}

fn session() -> Session {
    let credentials = Credentials::from_text("4y0ycv90hl4ap9zc4", "nlXwsoKh".to_owned()).unwrap();
    Session::new(ccfs_driver::Config::new("https://10.1.2.3:8443".parse().unwrap(), credentials))
}

fn download() -> DownloadAgentSkillInfoFile {
    DownloadAgentSkillInfoFile::new(
        "20230406_9239cb50a8384bb0ab503441bf089446.zip".parse().unwrap(),
    )
}

/// What a server answers to a signature in time.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Answer {
    File,
    Failure,
    Refusal,
}

fn answers() -> impl Strategy<Value = Answer> {
    prop::sample::select(&[Answer::File, Answer::Failure, Answer::Refusal][..])
}

/// Runs one call against a server whose clock is `drift` milliseconds ahead and which accepts
/// signatures of at most 62 seconds before or after it. Returns whether it succeeded.
fn call(exchange: &mut Exchange<DownloadAgentSkillInfoFile>, drift: i64, answer: Answer) -> bool {
    const ZIP: &[u8] = b"PK\x05\x06\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0";
    let mut body = Bytes::new();
    loop {
        match exchange.poll(now()).unwrap() {
            Step::Send { .. } => {
                let server = now().wall.plus_millis(drift);
                let off = drift - exchange.correction();
                let refuses = off.abs() > 62_000 || answer == Answer::Refusal;
                let status = if refuses { 401 } else { 200 };
                body = Bytes::from_static(match answer {
                    Answer::File => ZIP,
                    Answer::Failure | Answer::Refusal => br#"{"resultCode":"0300011"}"#,
                });
                let time = SystemTime::UNIX_EPOCH
                    + Duration::from_millis(server.unix_millis().unsigned_abs());
                let headers = HeaderMap::from_iter([(
                    header::DATE,
                    httpdate::fmt_http_date(time).parse().unwrap(),
                )]);
                exchange.on_head(now(), StatusCode::from_u16(status).unwrap(), &headers).unwrap();
            }
            Step::Receive { .. } if body.is_empty() => exchange.on_end(now()).unwrap(),
            Step::Receive { .. } => exchange.on_body(now(), std::mem::take(&mut body)).unwrap(),
            Step::Done(result) => return result.is_ok(),
            _ => {}
        }
    }
}

#[test]
fn a_path_without_a_name_is_refused() {
    for path in ["", "/", "..", "a/.."] {
        let error = WholeFile::create(path, Overwrite::Replace).unwrap_err();
        assert!(matches!(error, FileError::NoName { .. }), "{path}: {error}");
    }
    let error = WholeFile::create("no/such/folder/a.zip", Overwrite::Replace).unwrap_err();
    assert!(matches!(error, FileError::Io { .. }), "{error}");
}

#[cfg(unix)]
#[test]
fn only_regular_files_are_replaced() {
    let folder = tempfile::tempdir().unwrap();
    let (directory, socket) = (folder.path().join("directory"), folder.path().join("socket"));
    fs::create_dir(&directory).unwrap();
    let _listener = std::os::unix::net::UnixListener::bind(&socket).unwrap();
    let link = folder.path().join("link");
    std::os::unix::fs::symlink(&socket, &link).unwrap();
    for target in [&directory, &socket, &link] {
        for overwrite in [Overwrite::Refuse, Overwrite::Replace] {
            let error = WholeFile::create(target, overwrite).unwrap_err();
            assert!(matches!(error, FileError::NotRegular { .. }), "{error}");
        }
    }
    assert_eq!(names(folder.path()), ["directory", "link", "socket"]);
}

#[cfg(unix)]
#[test]
fn a_directory_that_appears_is_not_replaced() {
    let folder = tempfile::tempdir().unwrap();
    let target = folder.path().join("a.zip");
    let file = WholeFile::create(&target, Overwrite::Replace).unwrap();
    fs::create_dir(&target).unwrap();
    fs::write(target.join("inside"), b"kept").unwrap();
    assert!(matches!(file.commit(0), Err(FileError::Io { .. })));
    assert_eq!(names(folder.path()), ["a.zip"]);
    assert_eq!(fs::read(target.join("inside")).unwrap(), b"kept");
}

#[test]
fn errors_keep_their_kind() {
    let credentials = Credentials::from_text("ak", "sk".into()).unwrap();
    let session = Session::new(ccfs_driver::Config::new(
        "https://10.1.2.3:8443".parse().unwrap(),
        credentials,
    ));
    let mut exchange = session.call(download(), SinkKind::Once).unwrap().1;
    exchange.poll(now()).unwrap();
    let driver = Error::from(exchange.poll(now()).unwrap_err());
    exchange.on_head(now(), StatusCode::FORBIDDEN, &HeaderMap::new()).unwrap();
    exchange.poll(now()).unwrap();
    exchange.on_end(now()).unwrap();
    let Step::Done(Err(error)) = exchange.poll(now()).unwrap() else { panic!("a refusal") };
    let error = Error::from(error);
    assert!(matches!(error.exchange().unwrap().kind, ErrorKind::Refused { .. }));
    assert!(driver.exchange().is_none());
}

#[test]
fn the_system_clock_does_not_go_back_and_leaves_waiting_to_the_driver() {
    let clock = SystemClock::new();
    let (first, second) = (clock.now(), clock.now());
    assert!(second.monotonic >= first.monotonic);
    assert!(!clock.wait(Duration::from_secs(3600)));
    assert!(clock.now().monotonic < first.monotonic + Duration::from_secs(3600));
}

/// Characters that must not be around a setting, with their kinds.
const STRAY: &[(char, &str)] = &[
    ('\n', "a line break"),
    ('\r', "a line break"),
    ('\u{2028}', "a line break"),
    ('\t', "a tab"),
    (' ', "a blank"),
    ('\u{3000}', "a blank"),
    ('\'', "a quotation mark"),
    ('"', "a quotation mark"),
    ('\u{2018}', "a quotation mark"),
    ('\u{201D}', "a quotation mark"),
    ('\u{AB}', "a quotation mark"),
    ('\u{FF02}', "a quotation mark"),
    ('\u{FEFF}', "an invisible character"),
    ('\u{200B}', "an invisible character"),
    ('\u{200D}', "an invisible character"),
    ('\u{A0}', "an invisible character"),
    ('\u{202F}', "an invisible character"),
    ('\0', "an invisible character"),
];

proptest! {
    #![proptest_config(cases(256))]

    /// Only the first and the last character count, and the error says which and of what kind.
    #[test]
    fn only_the_ends_of_a_setting_are_checked(
        inside in "\\PC{0,12}",
        (stray, kind) in prop::sample::select(STRAY),
        first in "[!#-&(-~]",
    ) {
        prop_assert_eq!(check_setting(&format!("{first}{inside}{stray}{first}")), Ok(()));
        let error = check_setting(&format!("{stray}{inside}{first}")).unwrap_err();
        prop_assert!(error.to_string().starts_with(&format!("begins with {kind}")), "{}", error);
        let error = check_setting(&format!("{first}{inside}{stray}")).unwrap_err();
        prop_assert!(error.to_string().starts_with(&format!("ends with {kind}")), "{}", error);
    }
}
