//! Servers that start again, lose their jobs, and make the same file twice.

use crate::support::{Client, DOWNLOAD, QUERY, fixed, now};
use ccfs_emulator::{Builder, Emulator};
use ccfs_proto::IndexFileName;
use serde_json::json;

/// Asks for a file, and gives its name.
fn ask(emulator: &Emulator, end: &str) -> IndexFileName {
    let before = emulator.files();
    let body = json!({"beginTime": "2023-04-05 00:00:00", "endTime": end, "callBackURL": "http://127.0.0.1:9/"});
    assert_eq!(Client::new(emulator).call(QUERY, &body).code(), "0");
    emulator.files().into_iter().find(|name| !before.contains(name)).unwrap()
}

fn bytes(builder: Builder, ends: &[&str]) -> Vec<Vec<u8>> {
    let emulator = builder.start().unwrap();
    ends.iter().map(|end| emulator.file(&ask(&emulator, end)).unwrap()).collect()
}

#[test]
fn the_same_window_has_the_same_file_when_that_is_wanted() {
    let (one, two) = ("2023-04-05 11:59:59", "2023-04-05 23:59:59");
    let files = bytes(fixed().same_files(true), &[one, two, one]);
    assert!(files[0] == files[2] && files[0] != files[1]);
    // Not the order, nor the time, nor another server makes a difference; another seed does.
    let later = || now().plus_millis(86_400_123);
    assert!(
        bytes(fixed().same_files(true).clock(later), &[two, one])
            == [files[1].clone(), files[0].clone()]
    );
    assert!(bytes(fixed().same_files(true).seed(2), &[one])[0] != files[0]);
    // Unless that is wanted, each job has its own member names.
    let others = bytes(fixed(), &[one, one]);
    assert!(others[0] != others[1]);
}

#[test]
fn jobs_are_kept_or_lost() {
    let former = fixed().start().unwrap();
    let name = ask(&former, "2023-04-05 11:59:59");
    let file = former.file(&name).unwrap();
    let (keeps, forgets) = (fixed().jobs_of(&former).start().unwrap(), fixed().start().unwrap());
    former.shutdown();
    let get = |emulator: &Emulator| {
        Client::new(emulator).call(DOWNLOAD, &json!({"agentSkillInfoFileName": name.as_str()}))
    };
    assert!(get(&keeps).body == file);
    assert_eq!(get(&forgets).code(), "0300011");
    keeps.lose_jobs();
    assert_eq!((get(&keeps).code().as_str(), keeps.files().len()), ("0300011", 0));
    // The next job is another one.
    assert_ne!(ask(&keeps, "2023-04-05 11:59:59"), name);
}
