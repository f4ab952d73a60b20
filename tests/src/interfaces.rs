//! Calls of every interface of CC-FS that an emulator answers or refuses, for whatever makes calls: a client, the command, a socket.

use std::collections::BTreeSet;

use ccfs_emulator::{Builder, Developer, Emulator, Fault, Recording};
use ccfs_proto::ResultCode;
use ccfs_proto::answer::FileKind;
use ccfs_proto::operation::{INTERFACES, Interface};
use serde_json::Value;

const BEGIN: &str = "2023-04-05 00:00:00";
const END: &str = "2023-04-06 00:00:00";
const TIMES: [Field<'static>; 2] = [("beginTime", BEGIN), ("endTime", END)];
const CALLBACK: Field<'static> = ("callBackURL", "http://127.0.0.1:9/callback");
const FUTURE: &str = "2099-04-06 00:00:00";
const MISSING_FILE: &str = "20230406_9239cb50a8384bb0ab503441bf089446.zip";
const FILE_WITHOUT_DAY: &str = "20230230_9239cb50a8384bb0ab503441bf089446.zip";

/// Name and value of a field.
pub type Field<'a> = (&'a str, &'a str);

/// One call.
#[derive(Clone, Copy, Debug)]
pub struct Call<'a> {
    /// The interface.
    pub interface: &'static Interface,
    /// Its fields, except a file.
    pub fields: &'a [Field<'a>],
    /// The WAV file of an upload.
    pub data: Option<&'a [u8]>,
}

/// The outcome of a call.
#[derive(Debug, PartialEq)]
#[non_exhaustive]
pub enum Outcome {
    /// The data of the envelope.
    Data(Value),
    /// A file.
    File(Vec<u8>),
    /// A result code.
    Refused(String),
}

/// Which calls are made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Extent {
    /// All.
    All,
    /// One of each interface that it answers, and one that it refuses, for callers that take long.
    OneOfEach,
}

/// The kind of these files: all are ZIP archives or WAV files.
#[must_use]
pub fn kind_of(file: &[u8]) -> FileKind {
    if file.starts_with(b"PK") { FileKind::Zip } else { FileKind::Wav }
}

/// An emulator for [`call_every_interface`]: it has a second developer, and does not lock addresses.
pub fn builder() -> Builder {
    let other = Developer::new("other", "the other's key").account("theirs");
    Emulator::builder().keys("ak", "the right key").developer(other).rows(20).lockout(None)
}

/// Calls every interface with `call`, first with fields that the emulator accepts and then with those that it refuses, and checks the outcomes.
///
/// # Panics
///
/// If an outcome is not the expected one.
pub fn call_every_interface(
    emulator: &Emulator,
    extent: Extent,
    call: impl FnMut(Call<'_>) -> Outcome,
) {
    let (answered, refused) = (BTreeSet::new(), BTreeSet::new());
    let mut calls = Calls { emulator, extent, call, answered, refused };
    calls.index_files();
    calls.recordings();
    calls.playback();
    calls.voice_files();
    calls.uploads();
    let all: BTreeSet<_> = INTERFACES.iter().map(|interface| interface.name).collect();
    assert_eq!((&calls.answered, &calls.refused), (&all, &all), "an interface is not called here");
}

/// The recordings of the main developer, and one of the other developer.
pub fn recordings(emulator: &Emulator) -> (Vec<&Recording>, &Recording) {
    let is_mine = |recording: &&Recording| recording.owner == emulator.access_key();
    let mine = emulator.recordings().iter().filter(is_mine).collect();
    (mine, emulator.recordings().iter().find(|recording| !is_mine(recording)).unwrap())
}

struct Calls<'e, C> {
    emulator: &'e Emulator,
    extent: Extent,
    call: C,
    answered: BTreeSet<&'static str>,
    refused: BTreeSet<&'static str>,
}

impl<C: FnMut(Call<'_>) -> Outcome> Calls<'_, C> {
    fn call(&mut self, name: &str, fields: &[Field<'_>], data: Option<&[u8]>) -> Outcome {
        (self.call)(Call { interface: Interface::named(name).unwrap(), fields, data })
    }

    fn data(&mut self, name: &'static str, fields: &[Field<'_>], data: Option<&[u8]>) -> Value {
        self.answered.insert(name);
        match self.call(name, fields, data) {
            Outcome::Data(data) => data,
            other => panic!("{name} {fields:?}: {other:?}"),
        }
    }

    fn file(&mut self, name: &'static str, fields: &[Field<'_>], expected: &[u8]) {
        if !self.answered.insert(name) && self.extent == Extent::OneOfEach {
            return;
        }
        let outcome = self.call(name, fields, None);
        let is_right = matches!(&outcome, Outcome::File(bytes) if bytes == expected);
        assert!(is_right, "{name} {fields:?}: not the file that the emulator has");
    }

    fn refused(&mut self, name: &'static str, fields: &[Field<'_>], code: &str) {
        if !self.refused.insert(name) && self.extent == Extent::OneOfEach {
            return;
        }
        let outcome = self.call(name, fields, None);
        assert_eq!(outcome, Outcome::Refused(code.to_owned()), "{name} {fields:?}");
    }

    fn index_files(&mut self) {
        for (query, more, download, field) in [
            (
                "queryAgentSkillInfoData",
                &[("accountId", "own"), ("agentId", "101")][..],
                "downloadAgentSkillInfoFile",
                "agentSkillInfoFileName",
            ),
            ("queryAgentOprInfoData", &[], "downloadAgentOprInfoFile", "agentOprInfoFileName"),
            ("queryBillData", &[("dataType", "call")], "downloadBillFile", "billFileName"),
            ("queryBillData", &[("dataType", "record")], "downloadBillFile", "billFileName"),
            (
                "queryBillData",
                &[("dataType", "call_record"), ("callerNo", "13800000001")],
                "downloadBillFile",
                "billFileName",
            ),
        ] {
            if self.answered.contains(query) && self.extent == Extent::OneOfEach {
                continue;
            }
            let fields = [&TIMES[..], &[CALLBACK], more].concat();
            let data = self.data(query, &fields, None);
            let id = data["responseId"].as_str().unwrap();
            let files = self.emulator.files();
            let name = files.iter().find(|name| name.as_str().contains(id)).unwrap();
            let bytes = self.emulator.file(name).unwrap();
            self.file(download, &[(field, name.as_str())], &bytes);

            let mut theirs = fields.clone();
            theirs.retain(|(name, _)| *name != "accountId");
            theirs.push(("accountId", "theirs"));
            self.refused(query, &theirs, "0300026");
            let times = [("beginTime", FUTURE), ("endTime", FUTURE), CALLBACK];
            self.refused(query, &[&times[..], more].concat(), "0300016");
            self.refused(download, &[(field, MISSING_FILE)], "0300011");
            self.refused(download, &[(field, FILE_WITHOUT_DAY)], "0300010");
            // Each interface has its own file.
            let (other, field) = match download {
                "downloadBillFile" => ("downloadAgentOprInfoFile", "agentOprInfoFileName"),
                _ => ("downloadBillFile", "billFileName"),
            };
            self.refused(other, &[(field, name.as_str())], "0300011");
        }
        let fields = [TIMES[0], TIMES[1], CALLBACK, ("agentId", "a b")];
        self.refused("queryAgentSkillInfoData", &fields, "0300022");
    }

    fn recordings(&mut self) {
        let (mine, theirs) = recordings(self.emulator);
        let [first, second, third, .., last] = mine[..] else { panic!("there are 24") };

        let download = "downloadRecordFile";
        self.file(download, &[("fileName", &first.file_name)], &first.wav());
        self.refused(download, &[("fileName", &theirs.file_name)], "0300018");
        let missing = "/1/0/record/20230405/101/1.wav";
        self.refused(download, &[("fileName", missing)], "0300011");
        let no_day = "/1/0/record/20230230/101/1.wav";
        self.refused(download, &[("fileName", no_day)], "0300010");
        self.refused(download, &[("fileName", "/1/../x")], "0300024");

        let download = "downloadRecord";
        self.file(download, &[("fileName", &second.original_file_name)], &second.wav());
        self.file(download, &[("callId", &third.call_id)], &third.wav());
        self.file(download, &[("callId", &last.call_id), ("ccId", "2")], &last.wav());
        self.refused(download, &[("callId", &last.call_id)], "0300017");
        self.refused(download, &[("callId", &last.call_id), ("ccId", "1")], "0300012");
        self.refused(download, &[("callId", "1")], "0300012");
        self.refused(download, &[("callId", &theirs.call_id)], "0300018");
        self.refused(download, &[("fileName", "Y:/none.V3")], "0300011");

        let url = "getRecordFileUrlFromObs";
        let with = |call_id, end| [("callId", call_id), TIMES[0], ("endTime", end)];
        let data = self.data(url, &with(&first.call_id, END), None);
        let expected = format!("https://obs.invalid{}?Expires=", first.file_name);
        assert!(data["url"].as_str().unwrap().starts_with(&expected), "{data}");
        self.refused(url, &with("1", END), "0300012");
        self.refused(url, &with(&theirs.call_id, END), "0300018");
        let future = [("callId", &first.call_id[..]), ("beginTime", FUTURE), ("endTime", FUTURE)];
        self.refused(url, &future, "0300016");
    }

    fn playback(&mut self) {
        let (mine, theirs) = recordings(self.emulator);
        let ask = "requestPlayVoice";
        let name = &mine[0].original_file_name;
        let data = self.data(ask, &[("fileName", name)], None);
        let token = data["token"].as_str().unwrap();
        assert_eq!(token.len(), 32);
        self.refused(ask, &[("fileName", "Y:/none")], "0300029");
        self.refused(ask, &[("fileName", &theirs.original_file_name)], "0300018");

        let time = self.emulator.now().unix_millis().to_string();
        self.file("playVoice", &[("t", &time), ("st", token)], &mine[0].wav());
        self.refused("playVoice", &[("t", &time), ("st", "another")], "0300026");
    }

    fn voice_files(&mut self) {
        let files = self.emulator.voice_files();
        let oiap = "downloadOiapRecord";
        let path = ("fileName", "Y:/oiap/0/1.wav");
        self.file(oiap, &[path, ("locationId", "1")], &files[path.1].wav);
        self.file(oiap, &[path], &files[path.1].wav);
        self.refused(oiap, &[path, ("locationId", "2")], "0300011");
        self.refused(oiap, &[("fileName", "Y:/oiap/1/1.wav")], "0300018");
        self.refused(oiap, &[("fileName", "Y:/oiap/../x")], "0300032");

        let ivr = "downloadIVRRecordFile";
        let path = ("fileName", "Y:/ivr/record/0/1.wav");
        self.file(ivr, &[path, ("locationId", "1")], &files[path.1].wav);
        self.refused(ivr, &[("fileName", "Y:/none")], "0300011");
        self.refused(ivr, &[("fileName", "Y:/ivr/record/1/1.wav")], "0300018");

        let download = "ivr/downloadFile";
        let path = ("filePath", "Y:/3rd/0/two/b.wav");
        self.file(download, &[path], &files[path.1].wav);
        let folder = |path| [("filePath", path), ("mode", "1")];
        self.file(download, &folder("Y:/3rd/0/one"), &files["Y:/3rd/0/one/a.wav"].wav);
        self.refused(download, &folder("Y:/3rd/0/two"), "0300044");
        self.refused(download, &folder("Y:/3rd/0"), "0300011");
        self.refused(download, &folder("Y:/3rd/1/one"), "0300018");
        self.refused(download, &[("filePath", "Y:/3rd/1/one/a.wav")], "0300018");
    }

    fn uploads(&mut self) {
        let wav = recordings(self.emulator).0[0].wav();
        let data = self.data("ivr/uploadFile", &[("vdnId", "39")], Some(&wav));
        let path = data["fileName"].as_str().unwrap();
        assert!(path.starts_with("Y:/3rdfile/39/"), "{path}");
        assert_eq!(self.emulator.voice_files()[path].wav, wav);
        self.file("ivr/downloadFile", &[("filePath", path)], &wav);
        let failed = Fault::ErrorUnder200(ResultCode::ObjectStorageUploadFailed);
        self.emulator.faults().add(failed.times(1));
        self.refused.insert("ivr/uploadFile");
        let outcome = self.call("ivr/uploadFile", &[("vdnId", "39")], Some(&wav));
        assert_eq!(outcome, Outcome::Refused("0300047".into()));

        let hash = "ivr/getFileHash";
        let location = ("locationId", data["locationId"][0].as_str().unwrap());
        let data = self.data(hash, &[("fileName", path), location], None);
        assert_eq!(data["hashValue"].as_str().unwrap().len(), 64);
        self.refused(hash, &[("fileName", "Y:/none")], "0300011");
        self.refused(hash, &[("fileName", "Y:/3rd/1/one/a.wav")], "0300018");

        let delete = "ivr/deleteFile";
        assert_eq!(self.data(delete, &[("fileName", path), location], None), Value::Null);
        assert!(!self.emulator.voice_files().contains_key(path));
        self.refused(delete, &[("fileName", path)], "0300011");
        self.refused(delete, &[("fileName", "Y:/3rd/0/one/a.wav")], "0300040");
        self.refused(delete, &[("fileName", "Y:/3rd/1/one/a.wav")], "0300018");
    }
}
