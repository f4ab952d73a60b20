//! Every interface of CC-FS through the facade, against the emulator over TLS, blocking and async: what each hands out, the documented
//! codes with which it refuses, flow control, and a wrong key.
#![allow(clippy::needless_pass_by_value, clippy::unwrap_used)]

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;
use std::time::Duration;

use ccfs::proto::AnyOperation;
use ccfs::proto::answer::{Expected, FileKind};
use ccfs::proto::operation::{
    BillData, DownloadAgentOprInfoFile, DownloadBillFile, DownloadIvrRecordFile,
    DownloadOiapRecord, DownloadRecord, DownloadRecordFile, GetRecordFileUrlFromObs, INTERFACES,
    Interface, IvrDeleteFile, IvrDownloadFile, IvrGetFileHash, IvrUploadFile, PlayVoice,
    PlaybackToken, QueryAgentOprInfoData, QueryBillData, RequestPlayVoice,
};
use ccfs::{
    AsyncClient, Client, Config, Credentials, DownloadAgentSkillInfoFile, Error, ErrorKind,
    FileReceipt, GenerationJob, IndexFileName, LocalTime, Operation, QueryAgentSkillInfoData,
    ResultCode, Timestamp, Trust,
};
use ccfs_conformance::ManualClock;
use ccfs_emulator::{Developer, Emulator, Fault, Recording};
use serde_json::Value;

/// A client of the facade. Its clock is a test's, so that no wait takes time.
trait Caller: Sized {
    fn new(emulator: &Emulator, credentials: Credentials, clock: &ManualClock) -> Self;
    fn call<O: Operation>(&self, operation: O) -> Result<O::Answer, Error>;
    fn bytes<O: Operation<Answer = FileReceipt>>(
        &self,
        operation: O,
    ) -> Result<(FileReceipt, Vec<u8>), Error>;
}

fn trust(emulator: &Emulator) -> Trust {
    Trust::none().add_pem(emulator.ca_pem().unwrap().as_bytes()).unwrap()
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
        Self {
            client,
            runtime: tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap(),
        }
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

/// What every interface is held to. A new row of the table fails the test until it is called here in each of these ways.
const HELD_TO: [&str; 5] = ["good", "by name", "refused", "flow control", "wrong key"];

/// Two of the waits that "try later" asks for, without jitter: half of 5 seconds, and half of twice that.
const FLOW_CONTROL_WAITS: [Duration; 2] = [Duration::from_millis(2500), Duration::from_secs(5)];

/// 2023-04-06T02:30:00Z: half past ten on the tenant's clock.
const NOW: Timestamp = Timestamp::from_unix_millis(1_680_748_200_123);

/// An emulator with two accounts, a client of the one, a client of the other, and one with a wrong key.
struct Bench<C> {
    emulator: Emulator,
    clock: ManualClock,
    client: C,
    other: C,
    stranger: C,
    held: BTreeMap<&'static str, BTreeSet<&'static str>>,
}

type Fields<'a> = &'a [(&'a str, &'a str)];

fn by_name(interface: &str, fields: Fields<'_>) -> AnyOperation {
    AnyOperation::from_fields(
        interface,
        fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())),
        None,
    )
    .unwrap()
}

fn kind<T: Debug>(result: Result<T, Error>) -> ErrorKind {
    match result {
        Err(Error::Exchange(error)) => error.kind,
        other => panic!("the call should have failed at the server: {other:?}"),
    }
}

fn is_unauthorized<T: Debug>(result: Result<T, Error>) -> bool {
    matches!(kind(result), ErrorKind::Refused { refusal, .. } if refusal.status.as_u16() == 401)
}

impl<C: Caller> Bench<C> {
    fn new() -> Self {
        let other = Developer::new("other", "the other's key").account("theirs");
        let builder = Emulator::builder()
            .keys("ak", "the right key")
            .developer(other.clone())
            .rows(20)
            .clock(|| NOW)
            .lockout(None);
        let emulator = builder.start().unwrap();
        let clock = ManualClock::at(NOW);
        let client = |credentials| C::new(&emulator, credentials, &clock);
        let wrong = Credentials::from_text("ak", "the wrong key".into()).unwrap();
        let (client, other, stranger) =
            (client(emulator.credentials()), client(other.credentials().unwrap()), client(wrong));
        Self { emulator, clock, client, other, stranger, held: BTreeMap::new() }
    }

    fn note(&mut self, interface: &'static str, what: &'static str) {
        self.held.entry(interface).or_default().insert(what);
    }

    /// The operation by its name and fields must send what the typed one sends.
    fn same_request(typed: &impl Operation, any: &AnyOperation) {
        assert_eq!(any.request().unwrap(), typed.request().unwrap());
        assert_eq!((any.repeat(), any.expected()), (typed.repeat(), typed.expected()));
    }

    /// Applies flow control twice, and returns the attempts and waits of `call`.
    fn behind_flow_control<T>(
        &mut self,
        interface: &'static str,
        call: impl FnOnce(&C) -> Result<T, Error>,
    ) -> T {
        self.emulator.clear_logs();
        let before = self.clock.waits().len();
        self.emulator.faults().add(Fault::FlowControl.at(interface).times(2));
        let answer = call(&self.client).unwrap();
        let codes: Vec<_> =
            self.emulator.received().iter().map(|request| request.result_code.clone()).collect();
        let flow_control = match Interface::named(interface).unwrap().expected {
            Expected::File(_) => ResultCode::DownloadFlowControl,
            _ => ResultCode::QueryFlowControl,
        };
        assert_eq!(codes[..2], [Some(flow_control.clone()), Some(flow_control)], "{interface}");
        assert_eq!(codes.len(), 3, "{interface}");
        assert_eq!(self.clock.waits()[before..], FLOW_CONTROL_WAITS, "{interface}");
        self.note(interface, "flow control");
        answer
    }

    /// An interface that answers with data. `make` creates the operation again, because some can be used only once.
    fn data<O: Operation>(
        &mut self,
        interface: &'static str,
        mut make: impl FnMut(&C) -> (O, AnyOperation),
        mut check: impl FnMut(&Emulator, O::Answer),
        mut check_any: impl FnMut(&Emulator, Value),
    ) where
        O::Answer: Debug,
    {
        let (typed, any) = make(&self.client);
        assert_eq!(typed.interface(), interface);
        Self::same_request(&typed, &any);
        check(&self.emulator, self.client.call(typed).unwrap());
        self.note(interface, "good");
        let (_, any) = make(&self.client);
        let envelope = self.client.call(any).unwrap().into_envelope().expect("data");
        let data = envelope.data().map(|data| data.parse().expect("JSON")).unwrap_or_default();
        check_any(&self.emulator, data);
        self.note(interface, "by name");
        let (typed, _) = make(&self.client);
        let answer = self.behind_flow_control(interface, |client| client.call(typed));
        check(&self.emulator, answer);

        let (typed, any) = make(&self.client);
        assert!(
            is_unauthorized(self.stranger.call(typed)) && is_unauthorized(self.stranger.call(any)),
            "{interface}"
        );
        self.note(interface, "wrong key");
    }

    /// An interface that answers with a file.
    fn file<O: Operation<Answer = FileReceipt> + Clone>(
        &mut self,
        operation: &O,
        fields: Fields<'_>,
        expected: (FileKind, &[u8]),
    ) {
        let interface = Interface::named(&operation.interface()).unwrap().name;
        let any = by_name(interface, fields);
        Self::same_request(operation, &any);
        let right = |(receipt, bytes): (FileReceipt, Vec<u8>)| {
            assert_eq!(
                (receipt.kind, receipt.bytes),
                (expected.0, expected.1.len() as u64),
                "{interface}"
            );
            assert!(bytes == expected.1, "{interface}: other bytes than the emulator has");
        };
        right(self.client.bytes(operation.clone()).unwrap());
        self.note(interface, "good");
        let receipt = self.client.call(any.clone()).unwrap().into_file().expect("a file");
        assert_eq!((receipt.kind, receipt.bytes), (expected.0, expected.1.len() as u64));
        self.note(interface, "by name");
        right(self.behind_flow_control(interface, |client| client.bytes(operation.clone())));

        if Interface::named(interface).unwrap().signed {
            assert!(
                is_unauthorized(self.stranger.bytes(operation.clone()))
                    && is_unauthorized(self.stranger.call(any)),
                "{interface}"
            );
        } else {
            // Without a signature no key counts.
            right(self.stranger.bytes(operation.clone()).unwrap());
        }
        self.note(interface, "wrong key");
    }

    /// The server refuses with this code, in one attempt, and no byte of its answer becomes part of the file.
    fn refuses<O: Operation>(&mut self, operation: O, code: ResultCode)
    where
        O::Answer: Debug,
    {
        let interface = Interface::named(&operation.interface()).unwrap().name;
        self.emulator.clear_logs();
        match kind(self.client.call(operation)) {
            ErrorKind::ResultCode { code: told, .. } => assert_eq!(told, code, "{interface}"),
            other => panic!("{interface}: {other:?} instead of {code}"),
        }
        assert_eq!(self.emulator.received().len(), 1, "{interface}: {code} is not retried");
        assert_eq!(self.emulator.received()[0].interface, Some(interface));
        self.note(interface, "refused");
    }

    fn mine(&self) -> Vec<Recording> {
        self.emulator
            .recordings()
            .iter()
            .filter(|recording| recording.owner == "ak")
            .cloned()
            .collect()
    }

    fn theirs(&self) -> Recording {
        self.emulator
            .recordings()
            .iter()
            .find(|recording| recording.owner == "other")
            .unwrap()
            .clone()
    }

    /// A file that was generated just now, with its bytes.
    fn generated(
        &self,
        client: &C,
        query: impl Operation<Answer = GenerationJob>,
    ) -> (IndexFileName, Vec<u8>) {
        let name = client.call(query).unwrap().file_name("2023-04-06".parse().unwrap());
        let bytes = self.emulator.file(&name).unwrap();
        (name, bytes)
    }
}

const BEGIN: &str = "2023-04-05 00:00:00";
const END: &str = "2023-04-06 00:00:00";
const CALLBACK: &str = "http://127.0.0.1:9/callback";

fn time(text: &str) -> LocalTime {
    text.parse().unwrap()
}

/// A check that an answer to a query names a job that the emulator has.
fn is_job(emulator: &Emulator, job: GenerationJob) {
    let name = job.file_name("2023-04-06".parse().unwrap());
    assert!(emulator.files().contains(&name), "{name}");
}

fn is_job_by_name(emulator: &Emulator, data: &Value) {
    let id = data["responseId"].as_str().unwrap();
    assert!(emulator.files().iter().any(|name| name.as_str().contains(id)), "{id}");
}

fn index_files<C: Caller>(bench: &mut Bench<C>) {
    // The end of the window is in the emulator's past, and the operations check only its length.
    let future = time("2023-04-06 10:30:01");
    let window = [("beginTime", BEGIN), ("endTime", END), ("callBackURL", CALLBACK)];

    let query = || QueryAgentSkillInfoData::new(time(BEGIN), time(END), CALLBACK);
    bench.data(
        "queryAgentSkillInfoData",
        |_| {
            (
                query().account_id("own").agent_id("101"),
                by_name(
                    "queryAgentSkillInfoData",
                    &[&window[..], &[("accountId", "own"), ("agentId", "101")]].concat(),
                ),
            )
        },
        is_job,
        |emulator, data| is_job_by_name(emulator, &data),
    );
    bench.refuses(
        QueryAgentSkillInfoData::new(time(BEGIN), future, CALLBACK),
        ResultCode::TimeInFuture,
    );
    bench.refuses(query().account_id("theirs"), ResultCode::AuthenticationFailed);
    bench.refuses(query().agent_id("a b"), ResultCode::IllegalCharacters);
    bench.refuses(
        QueryAgentSkillInfoData::new(time("2023-04-01 00:00:00"), time(END), CALLBACK)
            .span_limit(Duration::MAX),
        ResultCode::SpanTooLong,
    );
    let (name, bytes) = bench.generated(&bench.client, query());
    let fields = [("agentSkillInfoFileName", name.as_str())];
    bench.file(&DownloadAgentSkillInfoFile::new(name.clone()), &fields, (FileKind::Zip, &bytes));
    let (theirs, _) = bench.generated(&bench.other, query());
    bench.refuses(DownloadAgentSkillInfoFile::new(theirs), ResultCode::OtherDevelopersRecord);
    let missing: IndexFileName = "20230406_9239cb50a8384bb0ab503441bf089446.zip".parse().unwrap();
    bench.refuses(DownloadAgentSkillInfoFile::new(missing.clone()), ResultCode::FileNotFound);
    let no_day = IndexFileName::lenient("20230230_9239cb50a8384bb0ab503441bf089446.zip").unwrap();
    bench.refuses(DownloadAgentSkillInfoFile::new(no_day.clone()), ResultCode::FileNameDate);

    let query = || QueryAgentOprInfoData::new(time(BEGIN), time(END), CALLBACK);
    bench.data(
        "queryAgentOprInfoData",
        |_| (query(), by_name("queryAgentOprInfoData", &window)),
        is_job,
        |emulator, data| is_job_by_name(emulator, &data),
    );
    bench.refuses(
        QueryAgentOprInfoData::new(time(BEGIN), future, CALLBACK),
        ResultCode::TimeInFuture,
    );
    bench.refuses(query().account_id("theirs"), ResultCode::AuthenticationFailed);
    let (name, bytes) = bench.generated(&bench.client, query());
    bench.file(
        &DownloadAgentOprInfoFile::new(name.clone()),
        &[("agentOprInfoFileName", name.as_str())],
        (FileKind::Zip, &bytes),
    );
    // Each interface has its own file.
    bench.refuses(DownloadAgentSkillInfoFile::new(name.clone()), ResultCode::FileNotFound);
    bench.refuses(DownloadBillFile::new(name), ResultCode::FileNotFound);
    bench.refuses(DownloadAgentOprInfoFile::new(missing.clone()), ResultCode::FileNotFound);
    bench.refuses(DownloadAgentOprInfoFile::new(no_day.clone()), ResultCode::FileNameDate);

    let query = |data_type| {
        QueryBillData::new(time(BEGIN), time(END), data_type, CALLBACK).caller_no("13800000001")
    };
    bench.data(
        "queryBillData",
        |_| {
            let more = [("dataType", "call_record"), ("callerNo", "13800000001")];
            (query(BillData::CallRecord), by_name("queryBillData", &[&window[..], &more].concat()))
        },
        is_job,
        |emulator, data| is_job_by_name(emulator, &data),
    );
    bench.refuses(
        QueryBillData::new(time(BEGIN), future, BillData::Call, CALLBACK),
        ResultCode::TimeInFuture,
    );
    bench.refuses(query(BillData::Call).account_id("theirs"), ResultCode::AuthenticationFailed);
    for data_type in BillData::ALL {
        let (name, bytes) = bench.generated(&bench.client, query(data_type));
        bench.file(
            &DownloadBillFile::new(name.clone()),
            &[("billFileName", name.as_str())],
            (FileKind::Zip, &bytes),
        );
    }
    bench.refuses(DownloadBillFile::new(missing), ResultCode::FileNotFound);
    bench.refuses(DownloadBillFile::new(no_day), ResultCode::FileNameDate);
}

fn recordings<C: Caller>(bench: &mut Bench<C>) {
    let (mine, theirs) = (bench.mine(), bench.theirs());
    let [first, second, third, .., last] = &mine[..] else { panic!("there are 24") };

    let by_file = DownloadRecordFile::new(&first.file_name);
    bench.file(&by_file, &[("fileName", &first.file_name)], (FileKind::Wav, &first.wav()));
    bench.refuses(DownloadRecordFile::new(&theirs.file_name), ResultCode::OtherDevelopersRecord);
    bench.refuses(
        DownloadRecordFile::new("/1/0/record/20230405/101/1.wav"),
        ResultCode::FileNotFound,
    );
    bench.refuses(
        DownloadRecordFile::new("/1/0/record/20230230/101/1.wav"),
        ResultCode::FileNameDate,
    );
    bench.refuses(DownloadRecordFile::new("/1/../x"), ResultCode::PathNotCanonical);

    let original = DownloadRecord::by_file_name(&second.original_file_name);
    bench.file(
        &original,
        &[("fileName", &second.original_file_name)],
        (FileKind::Wav, &second.wav()),
    );
    bench.file(
        &DownloadRecord::by_call_id(&third.call_id),
        &[("callId", &third.call_id)],
        (FileKind::Wav, &third.wav()),
    );
    let elsewhere = DownloadRecord::by_call_id(&last.call_id).cc_id("2");
    bench.file(
        &elsewhere,
        &[("callId", &last.call_id), ("ccId", "2")],
        (FileKind::Wav, &last.wav()),
    );
    bench.refuses(DownloadRecord::by_call_id(&last.call_id), ResultCode::CcIdNeeded);
    bench.refuses(DownloadRecord::by_call_id("1"), ResultCode::NoData);
    bench.refuses(DownloadRecord::by_call_id(&theirs.call_id), ResultCode::OtherDevelopersRecord);
    bench.refuses(DownloadRecord::by_file_name("Y:/none.V3"), ResultCode::FileNotFound);
    // A call with several recordings comes as a ZIP of them.
    let (receipt, zip) = bench.client.bytes(DownloadRecord::by_call_id(&first.call_id)).unwrap();
    assert_eq!(receipt.kind, FileKind::Zip);
    let mut archive = zip::ZipArchive::new(std::io::Cursor::new(zip)).unwrap();
    for (index, recording) in [first, second].into_iter().enumerate() {
        let bytes: Result<Vec<u8>, _> =
            std::io::Read::bytes(archive.by_index(index).unwrap()).collect();
        assert_eq!(bytes.unwrap(), recording.wav());
    }

    let url = || GetRecordFileUrlFromObs::new(&first.call_id, time(BEGIN), time(END));
    let expected = format!("https://obs.invalid{}?Expires=", first.file_name);
    bench.data(
        "getRecordFileUrlFromObs",
        |_| {
            (
                url(),
                by_name(
                    "getRecordFileUrlFromObs",
                    &[("callId", &first.call_id), ("beginTime", BEGIN), ("endTime", END)],
                ),
            )
        },
        |_, answer| assert!(answer.as_str().starts_with(&expected), "{}", answer.as_str()),
        |_, data| assert!(data["url"].as_str().unwrap().starts_with(&expected), "{data}"),
    );
    bench.refuses(GetRecordFileUrlFromObs::new("1", time(BEGIN), time(END)), ResultCode::NoData);
    bench.refuses(
        GetRecordFileUrlFromObs::new(&theirs.call_id, time(BEGIN), time(END)),
        ResultCode::OtherDevelopersRecord,
    );
    bench.refuses(
        GetRecordFileUrlFromObs::new(&first.call_id, time(BEGIN), time("2023-04-06 10:30:01")),
        ResultCode::TimeInFuture,
    );
}

fn playback<C: Caller>(bench: &mut Bench<C>) {
    let (mine, theirs) = (bench.mine(), bench.theirs());
    let name = &mine[0].original_file_name;
    let mut tokens = Vec::new();
    let ask = || RequestPlayVoice::new(name);
    bench.data(
        "requestPlayVoice",
        |_| (ask(), by_name("requestPlayVoice", &[("fileName", name)])),
        |_, token| tokens.push(token),
        |_, data| assert_eq!(data["token"].as_str().unwrap().len(), 32),
    );
    // Some files have backslashes in that name, and slashes are sent for them.
    assert!(bench.client.call(RequestPlayVoice::new(name.replace('/', "\\"))).is_ok());
    bench.refuses(RequestPlayVoice::new("Y:/none"), ResultCode::PlaybackFileNotFound);
    bench.refuses(
        RequestPlayVoice::new(&theirs.original_file_name),
        ResultCode::OtherDevelopersRecord,
    );

    let wav = mine[0].wav();
    for token in tokens {
        let text = token.as_str().to_owned();
        let fields = [("t", NOW.unix_millis().to_string()), ("st", text)];
        let fields: Vec<(&str, &str)> =
            fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
        bench.file(&PlayVoice::new(token, NOW), &fields, (FileKind::Wav, &wav));
    }
    bench.refuses(
        PlayVoice::new(PlaybackToken::new("another".into()).unwrap(), NOW),
        ResultCode::AuthenticationFailed,
    );
    let played = &bench.emulator.received()[0];
    assert_eq!(
        (played.method.as_str(), played.header("authorization"), played.body_len),
        ("GET", None, 0)
    );
}

fn voice_files<C: Caller>(bench: &mut Bench<C>) {
    let wav = |bench: &Bench<C>, path: &str| bench.emulator.voice_files()[path].wav.to_vec();

    let bytes = wav(bench, "Y:/oiap/0/1.wav");
    let fields = [("fileName", "Y:/oiap/0/1.wav"), ("locationId", "1")];
    bench.file(
        &DownloadOiapRecord::new("Y:/oiap/0/1.wav").location_id(1),
        &fields,
        (FileKind::Wav, &bytes),
    );
    bench.refuses(
        DownloadOiapRecord::new("Y:/oiap/0/1.wav").location_id(2),
        ResultCode::FileNotFound,
    );
    bench.refuses(DownloadOiapRecord::new("Y:/oiap/1/1.wav"), ResultCode::OtherDevelopersRecord);
    bench.refuses(DownloadOiapRecord::new("Y:/oiap/../x"), ResultCode::FilePathInvalid);

    let bytes = wav(bench, "Y:/ivr/record/0/1.wav");
    let fields = [("fileName", "Y:/ivr/record/0/1.wav"), ("locationId", "1")];
    bench.file(
        &DownloadIvrRecordFile::new("Y:/ivr/record/0/1.wav").location_id(1),
        &fields,
        (FileKind::Wav, &bytes),
    );
    bench.refuses(DownloadIvrRecordFile::new("Y:/none"), ResultCode::FileNotFound);
    bench.refuses(
        DownloadIvrRecordFile::new("Y:/ivr/record/1/1.wav"),
        ResultCode::OtherDevelopersRecord,
    );

    let bytes = wav(bench, "Y:/3rd/0/two/b.wav");
    bench.file(
        &IvrDownloadFile::file("Y:/3rd/0/two/b.wav"),
        &[("filePath", "Y:/3rd/0/two/b.wav")],
        (FileKind::Wav, &bytes),
    );
    let bytes = wav(bench, "Y:/3rd/0/one/a.wav");
    let fields = [("filePath", "Y:/3rd/0/one"), ("mode", "1")];
    bench.file(&IvrDownloadFile::only_file_in("Y:/3rd/0/one"), &fields, (FileKind::Wav, &bytes));
    bench.refuses(
        IvrDownloadFile::only_file_in("Y:/3rd/0/two"),
        ResultCode::DirectoryHasSeveralFiles,
    );
    bench.refuses(IvrDownloadFile::only_file_in("Y:/3rd/0"), ResultCode::FileNotFound);
    bench.refuses(IvrDownloadFile::file("Y:/3rd/1/one/a.wav"), ResultCode::OtherDevelopersRecord);
}

fn uploads<C: Caller>(bench: &mut Bench<C>) {
    let wav = bench.mine()[0].wav();
    let mut uploaded = Vec::new();
    bench.data(
        "ivr/uploadFile",
        |_| {
            let vdn = [("vdnId".to_owned(), "39".to_owned())];
            (
                IvrUploadFile::new(39, wav.clone()),
                AnyOperation::from_fields("ivr/uploadFile", vdn, Some(wav.clone().into())).unwrap(),
            )
        },
        |emulator, file| {
            assert_eq!(emulator.voice_files()[&file.file_name].wav, wav);
            uploaded.push(file);
        },
        |emulator, data| {
            assert_eq!(emulator.voice_files()[data["fileName"].as_str().unwrap()].wav, wav);
        },
    );
    // Only the server's own bound is left when the caller lifts ours.
    bench.refuses(
        IvrUploadFile::new(39, wav_of(5 * 1024 * 1024)).size_limit(usize::MAX),
        ResultCode::FileTooLarge,
    );

    let file = uploaded.pop().unwrap();
    let hash = || IvrGetFileHash::new(&file.file_name).location_id(&file.location_ids[0]);
    let fields =
        [("fileName", file.file_name.as_str()), ("locationId", file.location_ids[0].as_str())];
    bench.data(
        "ivr/getFileHash",
        |_| (hash(), by_name("ivr/getFileHash", &fields)),
        |_, hash| assert!(hash.is_of(&wav) && !hash.is_of(&wav[1..])),
        |_, data| assert_eq!(data["hashValue"].as_str().unwrap().len(), 64),
    );
    bench.refuses(IvrGetFileHash::new("Y:/none"), ResultCode::FileNotFound);
    bench.refuses(IvrGetFileHash::new("Y:/3rd/1/one/a.wav"), ResultCode::OtherDevelopersRecord);

    // The downloaded bytes are the uploaded ones, through the other interface too.
    assert_eq!(bench.client.bytes(IvrDownloadFile::file(&file.file_name)).unwrap().1, wav);

    let before = bench.emulator.voice_files().len();
    bench.data(
        "ivr/deleteFile",
        |client| {
            let file = client.call(IvrUploadFile::new(39, wav.clone())).unwrap();
            (
                IvrDeleteFile::new(&file.file_name),
                by_name("ivr/deleteFile", &[("fileName", &file.file_name)]),
            )
        },
        |_, ()| {},
        |_, data| assert_eq!(data, Value::Null),
    );
    // Three were deleted, and the one that was requested with a wrong key still exists.
    assert_eq!(bench.emulator.voice_files().len(), before + 1);
    bench.client.call(IvrDeleteFile::new(&file.file_name).location_id("1")).unwrap();
    assert!(!bench.emulator.voice_files().contains_key(&file.file_name));
    bench.refuses(IvrDeleteFile::new(&file.file_name), ResultCode::FileNotFound);
    bench.refuses(IvrDeleteFile::new("Y:/3rd/0/one/a.wav"), ResultCode::DeletionFailed);
    bench.refuses(IvrDeleteFile::new("Y:/3rd/1/one/a.wav"), ResultCode::OtherDevelopersRecord);
}

/// A WAV file that the server accepts, with this number of samples.
fn wav_of(samples: u32) -> Vec<u8> {
    let mut wav = Vec::from(*b"RIFF");
    wav.extend_from_slice(&(36 + samples).to_le_bytes());
    wav.extend_from_slice(
        b"WAVEfmt \x10\0\0\0\x01\0\x01\0\x40\x1F\0\0\x40\x1F\0\0\x01\0\x08\0data",
    );
    wav.extend_from_slice(&samples.to_le_bytes());
    wav.resize(wav.len() + samples as usize, 0x80);
    wav
}

fn every_interface<C: Caller>() {
    let mut bench = Bench::<C>::new();
    index_files(&mut bench);
    recordings(&mut bench);
    playback(&mut bench);
    voice_files(&mut bench);
    uploads(&mut bench);
    let all: BTreeMap<_, _> =
        INTERFACES.iter().map(|interface| (interface.name, BTreeSet::from(HELD_TO))).collect();
    assert_eq!(bench.held, all, "an interface is not called in every way");
}

#[test]
fn the_blocking_client_calls_every_interface() {
    every_interface::<Client>();
}

#[test]
fn the_async_client_calls_every_interface() {
    every_interface::<Awaited>();
}
