//! Bytes on the wire, and the handling of unusual answers.

use ccfs_emulator::Fault;
use ccfs_proto::answer::AnswerError;
use ccfs_proto::auth::QueryLine;
use ccfs_proto::{ErrorKind, FailureKind, Verifier};

use crate::archive::archive_bytes;
use crate::backend::Backend;
use crate::server::Behaviour;
use crate::stage::{Bench, Played, Script, failure, holds, is_status, query, same};

/// An answer to a query that keeps the connection, with headers that a client may react to.
const JOB: &str =
    r#"{"resultCode":"0","resultData":{"responseId":"9239cb50a8384bb0ab503441bf089446"}}"#;

pub(super) fn job(keep: bool, headers: &[&str]) -> Behaviour {
    let length = format!("content-length: {}", JOB.len());
    let head = [&["HTTP/1.1 200 OK", "content-type: application/json", &length], headers].concat();
    Behaviour::raw(&head, JOB.as_bytes(), keep)
}

pub(super) fn as_signed(backend: &dyn Backend) -> Played {
    let script = Script::new(backend, [job(true, &[]), Behaviour::ok(archive_bytes(100))])?;
    script.client.query(query()?)?;
    script.download()?;
    script.requests_are(2)?;
    let verifier = Verifier::new(&script.setup.credentials);
    for request in script.server.seen() {
        let host = script.setup.endpoint.host_header();
        same("the header host", &Some(host.as_str()), &request.header("host"))?;
        same(
            "the header content-type",
            &Some("application/json; charset=UTF-8"),
            &request.header("content-type"),
        )?;
        same(
            "the header content-length",
            &Some(request.body.len().to_string().as_str()),
            &request.header("content-length"),
        )?;
        let problem = request
            .verify(&verifier, script.setup.clock.wall())
            .err()
            .map(|error| error.to_string());
        holds(
            problem.is_none(),
            "a signature that fits the bytes that came",
            format_args!("{problem:?}: {request:?}"),
        )?;
    }
    Ok(())
}

pub(super) fn path_prefix(backend: &dyn Backend) -> Played {
    let mut bench = Bench::with(backend, |builder| builder.path_prefix("/gateway/aicc"), |_| {})?;
    let bytes = bench.generate()?;
    bench.brings(&bytes)?;
    let paths: Vec<String> =
        bench.server.received().into_iter().map(|request| request.path).collect();
    same(
        "the paths",
        &vec!["/gateway/aicc/CCFS/resource/ccfs/downloadAgentSkillInfoFile".to_owned()],
        &paths,
    )
}

/// HTTP clients send their name, the encodings that they support, and cookies. A signature covers none of these, but gateways look at them.
pub(super) fn no_added_headers(backend: &dyn Backend) -> Played {
    const SIGNED: [&str; 4] = ["authorization", "content-length", "content-type", "host"];
    const BEARABLE: [&str; 2] = ["accept", "connection"];
    let script = Script::new(backend, [job(true, &["set-cookie: a=b; Path=/"]), job(true, &[])])?;
    script.client.query(query()?)?;
    script.client.query(query()?)?;
    for request in script.server.seen() {
        let mut names: Vec<&str> = request.headers.iter().map(|(name, _)| name.as_str()).collect();
        names.retain(|name| !BEARABLE.contains(name));
        names.sort_unstable();
        same("headers beside accept and connection", &SIGNED.to_vec(), &names)?;
    }
    Ok(())
}

/// A gateway that declares a content encoding for content that is not encoded.
pub(super) fn nothing_is_unpacked(backend: &dyn Backend) -> Played {
    let bytes = archive_bytes(1000);
    let length = format!("content-length: {}", bytes.len());
    for encoding in ["content-encoding: gzip", "content-encoding: deflate", "content-encoding: br"]
    {
        let answer = Behaviour::raw(&["HTTP/1.1 200 OK", &length, encoding], &bytes, false);
        Script::new(backend, [answer])?.brings(&bytes)?;
    }
    Ok(())
}

pub(super) fn dialects(backend: &dyn Backend) -> Played {
    for dialect in QueryLine::ALL {
        let bench = Bench::with(
            backend,
            |builder| builder.query_line(dialect),
            |setup| setup.policy.query_line = dialect,
        )?;
        bench.client.query(query()?)?;
        let other = QueryLine::ALL.into_iter().find(|&other| other != dialect).unwrap_or_default();
        let bench = Bench::with(
            backend,
            |builder| builder.query_line(dialect),
            |setup| setup.policy.query_line = other,
        )?;
        let error = failure(bench.client.query(query()?))?;
        holds(error.is_auth(), "a refused signature", &error)?;
        // The other dialect is never tried automatically.
        bench.requests_are(1)?;
    }
    Ok(())
}

pub(super) fn signed_again(backend: &dyn Backend) -> Played {
    let busy = Behaviour::status(503, "");
    let script = Script::new(backend, [busy.clone(), busy, Behaviour::ok(archive_bytes(100))])?;
    script.download()?;
    script.requests_are(3)?;
    let verifier = Verifier::new(&script.setup.credentials);
    let mut times = Vec::new();
    for request in script.server.seen() {
        times.push(request.verify(&verifier, script.setup.clock.wall())?.timestamp);
    }
    holds(
        times.is_sorted_by(|one, next| one < next),
        "a later time in each signature",
        format_args!("{times:?}"),
    )
}

pub(super) fn redirect(backend: &dyn Backend) -> Played {
    let bench = Bench::new(backend)?;
    bench.add_fault(Fault::Redirect.times(1));
    bench.fails("a refusal with 307", is_status(307), 1)?;

    // The kinds that change a POST into a GET, and one that leads to another server.
    for (status, reason, target) in [
        (301, "Moved Permanently", "/elsewhere"),
        (303, "See Other", "http://127.0.0.1:9/"),
        (308, "Permanent", "/there"),
    ] {
        let head = [
            &format!("HTTP/1.1 {status} {reason}"),
            "content-length: 2",
            &format!("location: {target}"),
        ];
        let refusal = Behaviour::raw(&head, b"{}", true);
        let script = Script::new(backend, [refusal, Behaviour::ok(archive_bytes(100))])?;
        script.fails(&format!("a refusal with {status} {reason}"), is_status(status), 1)?;
    }
    Ok(())
}

pub(super) fn interim(backend: &dyn Backend) -> Played {
    let bytes = archive_bytes(1000);
    let answer = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", bytes.len());
    let body = [answer.as_bytes(), &bytes].concat();
    let answers = Behaviour::raw(&["HTTP/1.1 100 Continue"], &body, false);
    Script::new(backend, [answers])?.brings(&bytes)
}

pub(super) fn babble(backend: &dyn Backend) -> Played {
    let script =
        Script::new(backend, vec![Behaviour::bytes("220 mail.example.com ESMTP ready\r\n"); 4])?;
    let is_reported = |kind: &ErrorKind| match kind {
        ErrorKind::Transport(failure) => failure.kind() == FailureKind::InvalidHttp,
        other => matches!(other, ErrorKind::Answer(AnswerError::Garbage { .. })),
    };
    script.fails("an answer that is not HTTP", is_reported, 1)
}
