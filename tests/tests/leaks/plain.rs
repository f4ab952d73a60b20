//! Types of the core that hold only times, names, numbers and texts of the library.

use std::time::Duration;

use ccfs::proto::answer::Expected;
use ccfs::proto::auth::{Difference, Freshness, QueryLine, ViewError};
use ccfs::proto::callback::{Begin, ReceiveError};
use ccfs::proto::exchange::{ClockSkew, RequestError, TlsFailure};
use ccfs::proto::operation::{
    BillData, DownloadAgentOprInfoFile, DownloadBillFile, DownloadIvrRecordFile,
    DownloadOiapRecord, DownloadRecord, FieldProblem, INTERFACES, IvrDeleteFile, IvrDownloadFile,
    QueryAgentOprInfoData, QueryBillData, Received, WavProblem,
};
use ccfs::proto::time::Precision;
use ccfs::proto::{AnyOperation, Envelope, LocalTime, Now, ResponseId, ResultCode};
use ccfs::{Day, Endpoint, IndexFileName, Operation, Policy};
use ccfs_tests::Rendered;

use crate::{Account, NOW};

pub(crate) fn render(shown: &mut Rendered, account: &Account) {
    shown.both(account.credentials.access_key());
    shown.both(&"https://10.1.2.3:8443/base".parse::<Endpoint>().unwrap());
    shown.both(&"2023-04-06".parse::<Day>().unwrap());
    shown.error(&"MARKER-of-no-day".parse::<Day>().unwrap_err());
    let (begin, end): (LocalTime, LocalTime) =
        ("2023-04-05 00:00:00".parse().unwrap(), "2023-04-06 00:00:00".parse().unwrap());
    shown.both(&begin);
    let name: IndexFileName = "20230406_9239cb50a8384bb0ab503441bf089446.zip".parse().unwrap();
    shown.both(&name);
    shown.both(&"9239cb50a8384bb0ab503441bf089446".parse::<ResponseId>().unwrap());
    shown.error(&"MARKER-of-no-file".parse::<IndexFileName>().unwrap_err());
    shown.both(&NOW);
    shown.both(&NOW.text(Precision::Millis));
    shown.debug(&Now { wall: NOW, monotonic: Duration::ZERO });
    shown.debug(&Freshness::default());
    shown.debug(&Policy::default());
    shown.debug(&Expected::Envelope);
    let skew = ClockSkew::measure(
        NOW,
        NOW,
        Duration::ZERO,
        &[("date", "Thu, 06 Apr 2023 02:30:00 GMT")].into_iter().map(header).collect(),
    );
    shown.both(&skew.unwrap());
    for code in ResultCode::DOCUMENTED {
        shown.both(code);
    }
    for difference in [Difference::Method, Difference::QueryLine(QueryLine::Empty)] {
        shown.both(&difference);
    }
    for failure in [TlsFailure::UnknownIssuer, TlsFailure::Expired] {
        shown.both(&failure);
    }
    shown.error(&ViewError::HostNotSigned);
    shown.error(&RequestError::Sign(ViewError::LineBreak));
    shown.both(&WavProblem::NotWav);
    shown.both(&FieldProblem::Missing);
    shown.error(&ReceiveError::Unsigned);
    shown.debug(&Begin::First);
    shown.debug(&Received::Envelope(
        Envelope::parse(br#"{"resultCode":"0","resultDesc":"success"}"#).unwrap(),
    ));

    shown.debug(&DownloadAgentOprInfoFile::new(name.clone()));
    shown.debug(&DownloadBillFile::new(name.clone()));
    shown.debug(&DownloadIvrRecordFile::new("a.wav"));
    shown.debug(&DownloadOiapRecord::new("a.wav"));
    shown.debug(&DownloadRecord::by_call_id("1"));
    shown.debug(&IvrDeleteFile::new("a.wav"));
    shown.debug(&IvrDownloadFile::file("a.wav"));
    shown.debug(&QueryAgentOprInfoData::new(begin, end, "http://10.9.8.7/"));
    shown.debug(&QueryBillData::new(begin, end, BillData::Call, "http://10.9.8.7/"));
    for field in INTERFACES.iter().flat_map(|interface| interface.fields) {
        shown.debug(field);
        shown.both(&field.form);
    }
    let any = AnyOperation::from_fields(
        "downloadAgentSkillInfoFile",
        [("agentSkillInfoFileName".to_owned(), name.to_string())],
        None,
    )
    .unwrap();
    assert!(any.request().is_ok());
    shown.debug(&any.into_download().unwrap());
}

fn header((name, value): (&'static str, &'static str)) -> (http::HeaderName, http::HeaderValue) {
    (http::HeaderName::from_static(name), http::HeaderValue::from_static(value))
}
