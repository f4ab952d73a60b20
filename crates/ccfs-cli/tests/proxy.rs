//! The usual variables, through the command.

use crate::support::Ccfs;
use ccfs_emulator::Emulator;
use ccfs_tests::ProxyProcess;

const NAME: &str = "20230406_9239cb50a8384bb0ab503441bf089446.zip";

#[test]
fn the_usual_variables_name_a_proxy_and_its_exceptions() {
    let Some(process) = ProxyProcess::start(Some("user:MARKER-word")) else { return };
    let emulator = Emulator::builder().start().unwrap();
    let url = format!("http://user:MARKER-word@{}", process.address());
    for backend in ["blocking", "async"] {
        let ccfs = Ccfs::against(&emulator).env("https_proxy", &url);
        ccfs.run(&["--backend", backend, "download", NAME]).ends_with_code(1);
        let seen = process.next();
        assert_eq!(
            (seen["method"].as_str(), seen["login"].as_bool()),
            (Some("CONNECT"), Some(true)),
            "{backend}"
        );
        let around = ccfs.env("NO_PROXY", "localhost,127.0.0.0/8");
        around.run(&["--backend", backend, "download", NAME]).ends_with_code(1);
        assert!(process.saw_nothing_more(), "{backend}");
        let wrong =
            Ccfs::against(&emulator).env("ALL_PROXY", "socks5://user:MARKER-word@127.0.0.1:1080");
        let run = wrong.run(&["--backend", backend, "download", NAME]);
        run.ends_with_code(2);
        assert!(
            run.stderr.contains("ALL_PROXY: proxy URL has an unsupported scheme")
                && !run.stderr.contains("MARKER"),
            "{}",
            run.stderr
        );
    }
    assert_eq!(emulator.received().len(), 4);
}
