use std::fmt;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Request, Uri, header};

use super::endpoint::{Endpoint, is_plain_segment};
use super::error::{EXTRA_HEADERS_LIMIT, RequestError};
use crate::auth::{RequestView, Signer, ViewError, percent_encode};
use crate::operation::OperationRequest;
use crate::time::Timestamp;
use crate::words::shown;

/// Headers that an operation cannot set: they belong to the exchange and to the connection.
const RESERVED: [HeaderName; 6] = [
    header::HOST,
    header::AUTHORIZATION,
    header::CONTENT_LENGTH,
    header::CONTENT_TYPE,
    header::TRANSFER_ENCODING,
    header::CONNECTION,
];

/// A request without its `Authorization` header.
///
/// Its bytes are created once; each attempt sends the bytes that are signed. Use it only to sign
/// requests; an [`Exchange`](crate::Exchange) drives a whole call.
///
/// ```
/// use ccfs_proto::exchange::PreparedRequest;
/// use ccfs_proto::{Credentials, DownloadAgentSkillInfoFile, Operation, Signer, Timestamp};
///
/// let name = "20230406_9239cb50a8384bb0ab503441bf089446.zip".parse()?;
/// let operation = DownloadAgentSkillInfoFile::new(name);
/// let endpoint = "https://10.1.2.3:8443/gateway".parse()?;
/// let prepared = PreparedRequest::new(operation.request()?, &endpoint)?;
///
/// let signer = Signer::new(&Credentials::from_text("ak", String::from("sk"))?);
/// let request = prepared.sign(&signer, Timestamp::from_unix_millis(1_680_768_000_000))?;
/// assert_eq!(request.uri().path(), "/gateway/CCFS/resource/ccfs/downloadAgentSkillInfoFile");
/// assert_eq!(request.headers()["host"], "10.1.2.3:8443");
/// assert!(request.headers()["authorization"].to_str()?.starts_with("auth-v2/ak/2023-04-06T"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct PreparedRequest {
    unsigned: Request<Bytes>,
    query: Vec<(String, String)>,
    /// Headers that are signed; `None` if the request is sent without a signature.
    signed_headers: Option<Vec<HeaderName>>,
}

impl PreparedRequest {
    /// Creates the request of an operation to an endpoint.
    ///
    /// # Errors
    ///
    /// [`Path`](RequestError::Path) if the path is not valid, [`Header`](RequestError::Header) if a
    /// header or the content type is malformed, [`ReservedHeader`](RequestError::ReservedHeader) if
    /// the operation cannot set a header,
    /// [`UrlTooLong`](RequestError::UrlTooLong) or [`TooManyHeaders`](RequestError::TooManyHeaders)
    /// above these limits, and [`Sign`](RequestError::Sign) if there are more query parameters or
    /// headers than can be signed.
    pub fn new(request: OperationRequest, endpoint: &Endpoint) -> Result<Self, RequestError> {
        // URL libraries would send another path than the signed one.
        if !request.path.starts_with('/') || !request.path.split('/').all(is_plain_segment) {
            return Err(RequestError::Path);
        }
        let mut target = format!("{}{}", endpoint.prefix(), request.path);
        for (index, (key, value)) in request.query.iter().enumerate() {
            target.push(if index == 0 { '?' } else { '&' });
            target.push_str(&percent_encode(key));
            target.push('=');
            target.push_str(&percent_encode(value));
        }
        let host = endpoint.host_header();
        let uri = Uri::builder()
            .scheme(endpoint.scheme())
            .authority(host.as_str())
            .path_and_query(target)
            .build()
            .map_err(|_| RequestError::UrlTooLong)?;

        let len = request.headers.len();
        if len > EXTRA_HEADERS_LIMIT {
            return Err(RequestError::TooManyHeaders { len });
        }
        let mut headers = HeaderMap::new();
        headers.insert(header::HOST, header_value("host", &host)?);
        let content_type = header_value("content-type", &request.content_type)?;
        if !request.body.is_empty() {
            headers.insert(header::CONTENT_LENGTH, request.body.len().into());
            headers.insert(header::CONTENT_TYPE, content_type);
        }
        let mut signed_headers: Vec<HeaderName> = headers.keys().cloned().collect();
        for (text, value, is_signed) in &request.headers {
            let malformed = |_| RequestError::Header { name: shown(text) };
            let name = HeaderName::try_from(text).map_err(malformed)?;
            if RESERVED.contains(&name) || headers.contains_key(&name) {
                return Err(RequestError::ReservedHeader { name: name.to_string() });
            }
            let mut value = header_value(text, value)?;
            value.set_sensitive(true);
            headers.insert(name.clone(), value);
            signed_headers.extend(is_signed.then_some(name));
        }
        headers.entry(header::ACCEPT).or_insert(HeaderValue::from_static("*/*"));

        let mut unsigned = Request::new(request.body);
        *unsigned.method_mut() = request.method;
        *unsigned.uri_mut() = uri;
        *unsigned.headers_mut() = headers;
        let signed_headers = request.signed.then_some(signed_headers);
        let prepared = Self { unsigned, query: request.query, signed_headers };
        prepared.with_view(|view| view.check().map(drop))?;
        Ok(prepared)
    }

    /// Returns the request, signed at the time `at`. Its `Authorization` header is marked as
    /// sensitive.
    ///
    /// It has a `Host` header, so that the client sends the text that was signed. With a body,
    /// `content-length` and `content-type` are signed as well. See
    /// [Signed headers](crate::protocol#signed-headers).
    ///
    /// # Errors
    ///
    /// None after [`new`](Self::new), which checks that the request can be signed.
    pub fn sign(&self, signer: &Signer, at: Timestamp) -> Result<Request<Bytes>, RequestError> {
        let mut request = self.unsigned.clone();
        if let Some(value) = self.with_view(|view| signer.sign(view, at))? {
            request.headers_mut().insert(header::AUTHORIZATION, value);
        }
        Ok(request)
    }

    /// Calls `f` with what is signed; `None` if nothing is.
    fn with_view<R>(
        &self,
        f: impl FnOnce(RequestView<'_>) -> Result<R, ViewError>,
    ) -> Result<Option<R>, ViewError> {
        let Some(names) = &self.signed_headers else { return Ok(None) };
        let text = |name| self.unsigned.headers().get(name)?.to_str().ok();
        let headers: Vec<(&str, &str)> =
            names.iter().filter_map(|name| Some((name.as_str(), text(name)?))).collect();
        let query: Vec<(&str, &str)> =
            self.query.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
        f(RequestView {
            method: self.unsigned.method().as_str(),
            path: self.unsigned.uri().path(),
            query: &query,
            headers: &headers,
            body: self.unsigned.body(),
        })
        .map(Some)
    }
}

/// Accepts visible ASCII characters, spaces and tabs, which can be signed.
fn header_value(name: &str, value: &str) -> Result<HeaderValue, RequestError> {
    let value = HeaderValue::from_str(value).ok().filter(|value| value.to_str().is_ok());
    value.ok_or_else(|| RequestError::Header { name: shown(name) })
}

impl fmt::Debug for PreparedRequest {
    /// Omits the values of query and headers, one of which may be a token, and the body.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PreparedRequest")
            .field("method", self.unsigned.method())
            .field("path", &self.unsigned.uri().path())
            .field("body_bytes", &self.unsigned.body().len())
            .field("signed_headers", &self.signed_headers)
            .finish_non_exhaustive()
    }
}
