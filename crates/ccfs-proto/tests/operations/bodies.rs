//! The exact bytes of one request of every interface, against JSON that was written by hand.

use ccfs_proto::operation::{
    BillData, DownloadAgentOprInfoFile, DownloadBillFile, DownloadIvrRecordFile,
    DownloadOiapRecord, DownloadRecord, DownloadRecordFile, GetRecordFileUrlFromObs, IvrDeleteFile,
    IvrDownloadFile, IvrGetFileHash, IvrUploadFile, PlayVoice, PlaybackToken,
    QueryAgentOprInfoData, QueryBillData, RequestPlayVoice,
};
use ccfs_proto::{
    DownloadAgentSkillInfoFile, IndexFileName, Operation, QueryAgentSkillInfoData, Timestamp,
};

use super::support::{BASE, CALLBACK, INDEX_FILE, parameters, sends, time, wav};

#[test]
fn query_agent_skill_info_data() {
    let query = QueryAgentSkillInfoData::new(
        time("2023-04-01 00:00:00"),
        time("2023-04-04 00:00:00"),
        CALLBACK,
    );
    sends(
        &query,
        "queryAgentSkillInfoData",
        &[],
        r#"{"request":{"version":"2.0"},"msgBody":{"beginTime":"2023-04-01 00:00:00","endTime":"2023-04-04 00:00:00","accountId":"","agentId":"","callBackURL":"https://10.9.8.7:9443/callback"}}"#,
    );
    sends(
        &query.account_id("tenant").agent_id("1001"),
        "queryAgentSkillInfoData",
        &[],
        r#"{"request":{"version":"2.0"},"msgBody":{"beginTime":"2023-04-01 00:00:00","endTime":"2023-04-04 00:00:00","accountId":"tenant","agentId":"1001","callBackURL":"https://10.9.8.7:9443/callback"}}"#,
    );
}

#[test]
fn query_agent_operations() {
    let query = QueryAgentOprInfoData::new(
        time("2023-04-01 08:30:00"),
        time("2023-04-01 08:30:00"),
        "http://receiver/ready?x=1",
    );
    sends(
        &query.account_id("tenant").agent_id("1001"),
        "queryAgentOprInfoData",
        &[],
        r#"{"request":{"version":"2.0"},"msgBody":{"beginTime":"2023-04-01 08:30:00","endTime":"2023-04-01 08:30:00","accountId":"tenant","agentId":"1001","callBackURL":"http://receiver/ready?x=1"}}"#,
    );
}

#[test]
fn query_bills() {
    let (begin, end) = (time("2023-04-01 00:00:00"), time("2023-04-02 23:59:59"));
    sends(
        &QueryBillData::new(begin, end, BillData::CallRecord, CALLBACK),
        "queryBillData",
        &[],
        r#"{"request":{"version":"2.0"},"msgBody":{"beginTime":"2023-04-01 00:00:00","endTime":"2023-04-02 23:59:59","dataType":"call_record","callBackURL":"https://10.9.8.7:9443/callback"}}"#,
    );
    let all = QueryBillData::new(begin, end, BillData::Call, CALLBACK)
        .account_id("tenant")
        .agent_id("1001")
        .call_id("1529991614-67")
        .caller_no("+4930 1")
        .callee_no("10086")
        .callee_no2("10087");
    sends(
        &all,
        "queryBillData",
        &[],
        r#"{"request":{"version":"2.0"},"msgBody":{"beginTime":"2023-04-01 00:00:00","endTime":"2023-04-02 23:59:59","accountId":"tenant","agentId":"1001","callId":"1529991614-67","callerNo":"+4930 1","calleeNo":"10086","calleeNo2":"10087","dataType":"call","callBackURL":"https://10.9.8.7:9443/callback"}}"#,
    );
}

#[test]
fn downloads_of_index_files() {
    let name: IndexFileName = INDEX_FILE.parse().unwrap();
    sends(
        &DownloadAgentSkillInfoFile::new(name.clone()),
        "downloadAgentSkillInfoFile",
        &[],
        r#"{"request":{"version":"2.0"},"msgBody":{"agentSkillInfoFileName":"20230406_9239cb50a8384bb0ab503441bf089446.zip"}}"#,
    );
    sends(
        &DownloadAgentOprInfoFile::new(name.clone()),
        "downloadAgentOprInfoFile",
        &[],
        r#"{"request":{"version":"2.0"},"msgBody":{"agentOprInfoFileName":"20230406_9239cb50a8384bb0ab503441bf089446.zip"}}"#,
    );
    sends(
        &DownloadBillFile::new(name),
        "downloadBillFile",
        &[],
        r#"{"request":{"version":"2.0"},"msgBody":{"billFileName":"20230406_9239cb50a8384bb0ab503441bf089446.zip"}}"#,
    );
    // The server's own rule is laxer than the form that it gives out.
    let lax = IndexFileName::lenient("lax-name.1").unwrap();
    sends(
        &DownloadBillFile::new(lax),
        "downloadBillFile",
        &[],
        r#"{"request":{"version":"2.0"},"msgBody":{"billFileName":"lax-name.1"}}"#,
    );
}

#[test]
fn downloads_of_recordings() {
    sends(
        &DownloadRecordFile::new("/1/1/record/39/20201015/1001/10233946.wav"),
        "downloadRecordFile",
        &[],
        r#"{"request":{"version":"2.0"},"msgBody":{"fileName":"/1/1/record/39/20201015/1001/10233946.wav"}}"#,
    );
    sends(
        &DownloadRecord::by_file_name(r"Y:\128\0\20180626\1023.V3"),
        "downloadRecord",
        &[],
        r#"{"request":{"version":"2.0"},"msgBody":{"fileName":"Y:\\128\\0\\20180626\\1023.V3"}}"#,
    );
    sends(
        &DownloadRecord::by_call_id("1529991614-67"),
        "downloadRecord",
        &[],
        r#"{"request":{"version":"2.0"},"msgBody":{"callId":"1529991614-67"}}"#,
    );
    sends(
        &DownloadRecord::by_file_name("a.V3").call_id("7").cc_id("2"),
        "downloadRecord",
        &[],
        r#"{"request":{"version":"2.0"},"msgBody":{"fileName":"a.V3","callId":"7","ccId":"2"}}"#,
    );
}

#[test]
fn the_url_of_a_recording_has_a_flat_body() {
    sends(
        &GetRecordFileUrlFromObs::new(
            "1529991614-67",
            time("2023-04-01 08:00:00"),
            time("2023-04-01 09:00:00"),
        ),
        "getRecordFileUrlFromObs",
        &[],
        r#"{"callId":"1529991614-67","beginTime":"2023-04-01 08:00:00","endTime":"2023-04-01 09:00:00","version":"2.0"}"#,
    );
}

#[test]
fn playback() {
    sends(
        &RequestPlayVoice::new(r"Y:\128\0/20180626\1023.V3"),
        "requestPlayVoice",
        &[],
        r#"{"request":{"version":"2.0"},"msgBody":{"fileName":"Y:/128/0/20180626/1023.V3"}}"#,
    );
    let play = PlayVoice::new(
        PlaybackToken::new("to ken/+".to_owned()).unwrap(),
        Timestamp::from_unix_millis(1_630_402_730_872),
    );
    let request = play.request().unwrap();
    assert_eq!((request.method.as_str(), request.signed), ("GET", false));
    assert_eq!(request.path, format!("{BASE}playVoice"));
    assert_eq!(
        parameters(&request),
        [("t", "1630402730872"), ("version", "2.0"), ("st", "to ken/+")]
    );
    assert!(request.body.is_empty());
}

#[test]
fn downloads_of_ivr_files() {
    sends(
        &DownloadOiapRecord::new("Y:/39/odfsrecord/20201015/1.wav"),
        "downloadOiapRecord",
        &[],
        r#"{"request":{"version":"2.0"},"msgBody":{"fileName":"Y:/39/odfsrecord/20201015/1.wav"}}"#,
    );
    sends(
        &DownloadOiapRecord::new("1.wav").location_id(0),
        "downloadOiapRecord",
        &[("locationId", "0")],
        r#"{"request":{"version":"2.0"},"msgBody":{"fileName":"1.wav"}}"#,
    );
    sends(
        &DownloadIvrRecordFile::new("Y:/39/record/20201015/1.wav").location_id(12),
        "downloadIVRRecordFile",
        &[("locationId", "12")],
        r#"{"request":{"version":"2.0"},"msgBody":{"fileName":"Y:/39/record/20201015/1.wav"}}"#,
    );
    sends(
        &IvrDownloadFile::file("Y:/voice/1/IVRrecordFile/a.wav"),
        "ivr/downloadFile",
        &[],
        r#"{"request":{"version":"2.0"},"msgBody":{"filePath":"Y:/voice/1/IVRrecordFile/a.wav"}}"#,
    );
    sends(
        &IvrDownloadFile::only_file_in("Y:/voice/1/IVRrecordFile"),
        "ivr/downloadFile",
        &[],
        r#"{"request":{"version":"2.0"},"msgBody":{"filePath":"Y:/voice/1/IVRrecordFile","mode":1}}"#,
    );
}

#[test]
fn files_of_a_third_party() {
    // The base64 text was made with Python's base64.
    sends(
        &IvrUploadFile::new(39, wav(b"\x80\x81\x7f\x80")),
        "ivr/uploadFile",
        &[("vdnId", "39")],
        r#"{"request":{"version":"2.0"},"msgBody":{"data":"UklGRigAAABXQVZFZm10IBAAAAABAAEAQB8AAEAfAAABAAgAZGF0YQQAAACAgX+A"}}"#,
    );
    sends(
        &IvrGetFileHash::new("Y:/3rdfile/39/thirdvoicebotfile/a.wav"),
        "ivr/getFileHash",
        &[],
        r#"{"request":{"version":"2.0"},"msgBody":{"fileName":"Y:/3rdfile/39/thirdvoicebotfile/a.wav"}}"#,
    );
    sends(
        &IvrGetFileHash::new("a.wav").location_id("3"),
        "ivr/getFileHash",
        &[],
        r#"{"request":{"version":"2.0"},"msgBody":{"fileName":"a.wav","locationId":"3"}}"#,
    );
    sends(
        &IvrDeleteFile::new("a \"b\".wav").location_id("3"),
        "ivr/deleteFile",
        &[],
        r#"{"request":{"version":"2.0"},"msgBody":{"fileName":"a \"b\".wav","locationId":"3"}}"#,
    );
}
