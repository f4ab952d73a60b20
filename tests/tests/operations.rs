//! Every interface of CC-FS through the facade, against the emulator over TLS, blocking and async: what each hands out, the documented
//! codes with which it refuses, flow control, and a wrong key.

use std::collections::BTreeSet;
use std::fmt::Debug;
use std::time::Duration;

use ccfs::proto::AnyOperation;
use ccfs::proto::answer::{Expected, FileKind};
use ccfs::proto::operation::{
    DownloadRecord, GetRecordFileUrlFromObs, IvrDeleteFile, IvrGetFileHash, IvrUploadFile,
    PlayVoice, RequestPlayVoice,
};
use ccfs::{
    AsyncClient, Client, Config, Credentials, DownloadAgentSkillInfoFile, Error, ErrorKind,
    FileReceipt, Operation, ResultCode, Timestamp,
};
use ccfs_conformance::ManualClock;
use ccfs_emulator::{Emulator, Fault};
use ccfs_tests::interfaces::{self, Call, Extent, Outcome, kind_of};
use ccfs_tests::{query, runtime, trust, wav_of};

/// A client of the facade. Its clock is a test's, so that no wait takes time.
trait Caller: Sized {
    fn new(emulator: &Emulator, credentials: Credentials, clock: &ManualClock) -> Self;
    fn call<O: Operation>(&self, operation: O) -> Result<O::Answer, Error>;
    fn bytes<O: Operation<Answer = FileReceipt>>(
        &self,
        operation: O,
    ) -> Result<(FileReceipt, Vec<u8>), Error>;
}

fn session(emulator: &Emulator, credentials: Credentials, clock: &ManualClock) -> Config {
    Config::new(emulator.endpoint().clone(), credentials)
        .proxy(None)
        .clock(clock.clone())
        .jitter(|| 0)
}

impl Caller for Client {
    fn new(emulator: &Emulator, credentials: Credentials, clock: &ManualClock) -> Self {
        Self::with_trust(session(emulator, credentials, clock), &trust(emulator)).unwrap()
    }

    fn call<O: Operation>(&self, operation: O) -> Result<O::Answer, Error> {
        Self::call(self, operation)
    }

    fn bytes<O: Operation<Answer = FileReceipt>>(
        &self,
        operation: O,
    ) -> Result<(FileReceipt, Vec<u8>), Error> {
        let mut bytes = Vec::new();
        Ok((self.download(operation).to_writer(&mut bytes)?, bytes))
    }
}

struct Awaited {
    client: AsyncClient,
    runtime: tokio::runtime::Runtime,
}

impl Caller for Awaited {
    fn new(emulator: &Emulator, credentials: Credentials, clock: &ManualClock) -> Self {
        let client =
            AsyncClient::with_trust(session(emulator, credentials, clock), &trust(emulator))
                .unwrap();
        Self { client, runtime: runtime() }
    }

    fn call<O: Operation>(&self, operation: O) -> Result<O::Answer, Error> {
        self.runtime.block_on(self.client.call(operation))
    }

    fn bytes<O: Operation<Answer = FileReceipt>>(
        &self,
        operation: O,
    ) -> Result<(FileReceipt, Vec<u8>), Error> {
        let mut bytes = Vec::new();
        Ok((self.runtime.block_on(self.client.download(operation).to_writer(&mut bytes))?, bytes))
    }
}

/// Two of the waits that "try later" asks for, without jitter: half of 5 seconds, and half of twice that.
const FLOW_CONTROL_WAITS: [Duration; 2] = [Duration::from_millis(2500), Duration::from_secs(5)];

/// 2023-04-06T02:30:00Z: half past ten on the tenant's clock.
const NOW: Timestamp = Timestamp::from_unix_millis(1_680_748_200_123);

fn kind<T: Debug>(result: Result<T, Error>) -> ErrorKind {
    match result {
        Err(Error::Exchange(error)) => error.kind,
        other => panic!("the call should have failed at the server: {other:?}"),
    }
}

/// Calls an interface by name.
fn by_name<C: Caller>(client: &C, call: Call<'_>) -> Result<Outcome, ErrorKind> {
    let fields = call.fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    let data = call.data.map(|data| data.to_vec().into());
    let any = AnyOperation::from_fields(call.interface.name, fields, data).unwrap();
    let outcome = match any.clone().into_download() {
        Some(download) => client.bytes(download).map(|(receipt, bytes)| {
            assert_eq!((receipt.kind, receipt.bytes), (kind_of(&bytes), bytes.len() as u64));
            Outcome::File(bytes)
        }),
        None => client.call(any).map(|received| {
            let envelope = received.into_envelope().expect("data");
            Outcome::Data(envelope.data().map(|data| data.parse().unwrap()).unwrap_or_default())
        }),
    };
    match outcome {
        Err(Error::Exchange(error)) => match error.kind {
            ErrorKind::ResultCode { code, .. } => Ok(Outcome::Refused(code.to_string())),
            other => Err(other),
        },
        outcome => Ok(outcome.unwrap()),
    }
}

/// A wrong key is refused, except where no signature is sent. Flow control is waited for, and other codes are not retried.
fn every_interface<C: Caller>() {
    let emulator = interfaces::builder().clock(|| NOW).start().unwrap();
    let clock = ManualClock::at(NOW);
    let client = |credentials| C::new(&emulator, credentials, &clock);
    let stranger = client(Credentials::from_text("ak", "the wrong key".into()).unwrap());
    let client = client(emulator.credentials());
    let mut called = BTreeSet::new();
    interfaces::call_every_interface(&emulator, Extent::All, |call| {
        let interface = call.interface;
        if !interface.signed {
            return by_name(&stranger, call).unwrap();
        }
        let is_first = called.insert(interface.name);
        if is_first {
            match by_name(&stranger, call).unwrap_err() {
                ErrorKind::Refused { refusal, .. } => assert_eq!(refusal.status.as_u16(), 401),
                other => panic!("{}: {other:?}", interface.name),
            }
            emulator.faults().add(Fault::FlowControl.at(interface.name).times(2));
        }
        emulator.clear_logs();
        let before = clock.waits().len();
        let outcome = by_name(&client, call).unwrap();
        let mut codes: Vec<_> =
            emulator.received().into_iter().map(|request| request.result_code).collect();
        codes.pop().unwrap();
        let flow_control = match interface.expected {
            Expected::File(_) => ResultCode::DownloadFlowControl,
            _ => ResultCode::QueryFlowControl,
        };
        let (waits, expected) = if is_first {
            (&FLOW_CONTROL_WAITS[..], vec![Some(flow_control); 2])
        } else {
            (&[][..], Vec::new())
        };
        assert_eq!((&clock.waits()[before..], codes), (waits, expected), "{}", interface.name);
        outcome
    });
}

#[test]
fn the_blocking_client_calls_every_interface() {
    every_interface::<Client>();
}

#[test]
fn the_async_client_calls_every_interface() {
    every_interface::<Awaited>();
}

/// What an answer leads to: its type is what the next call takes.
fn answers_have_types<C: Caller>() {
    let emulator = interfaces::builder().clock(|| NOW).start().unwrap();
    let client = C::new(&emulator, emulator.credentials(), &ManualClock::at(NOW));
    let recording = &emulator.recordings()[0];
    let wav = recording.wav();
    let times = ["2023-04-05 00:00:00", "2023-04-06 00:00:00"];
    let [begin, end] = times.map(|time| time.parse().unwrap());

    let name = client.call(query()).unwrap().file_name("2023-04-06".parse().unwrap());
    let (receipt, zip) = client.bytes(DownloadAgentSkillInfoFile::new(name.clone())).unwrap();
    assert_eq!(receipt.kind, FileKind::Zip);
    assert_eq!(Some(zip), emulator.file(&name));

    // Some files have backslashes in that name, and slashes are sent for them.
    let name = recording.original_file_name.replace('/', "\\");
    let token = client.call(RequestPlayVoice::new(name)).unwrap();
    emulator.clear_logs();
    assert_eq!(client.bytes(PlayVoice::new(token, NOW)).unwrap().1, wav);
    let played = &emulator.received()[0];
    assert_eq!((played.method.as_str(), played.body_len), ("GET", 0));
    assert_eq!(played.header("authorization"), None);

    // A call with several recordings comes as a ZIP of them.
    let (receipt, zip) = client.bytes(DownloadRecord::by_call_id(&recording.call_id)).unwrap();
    assert_eq!(receipt.kind, FileKind::Zip);
    let mut archive = zip::ZipArchive::new(std::io::Cursor::new(zip)).unwrap();
    for (index, recording) in emulator.recordings()[..2].iter().enumerate() {
        let bytes: Result<Vec<u8>, _> =
            std::io::Read::bytes(archive.by_index(index).unwrap()).collect();
        assert_eq!(bytes.unwrap(), recording.wav());
    }
    let url = client.call(GetRecordFileUrlFromObs::new(&recording.call_id, begin, end)).unwrap();
    assert!(url.as_str().contains(&recording.file_name), "{}", url.as_str());

    let file = client.call(IvrUploadFile::new(39, wav.clone())).unwrap();
    let hash = IvrGetFileHash::new(&file.file_name).location_id(&file.location_ids[0]);
    let hash = client.call(hash).unwrap();
    assert!(hash.is_of(&wav) && !hash.is_of(&wav[1..]));
    client.call(IvrDeleteFile::new(&file.file_name).location_id("1")).unwrap();
    // Only the server's own bound is left when the caller lifts ours.
    let upload = IvrUploadFile::new(39, wav_of(5 * 1024 * 1024)).size_limit(usize::MAX);
    let refused = kind(client.call(upload));
    let is_too_large =
        matches!(&refused, ErrorKind::ResultCode { code: ResultCode::FileTooLarge, .. });
    assert!(is_too_large, "{refused:?}");
}

#[test]
fn answers_of_the_blocking_client_have_types() {
    answers_have_types::<Client>();
}

#[test]
fn answers_of_the_async_client_have_types() {
    answers_have_types::<Awaited>();
}
