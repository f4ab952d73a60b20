//! Headers and queries, as HTTP libraries of Python have them.

use ccfs::proto::auth::decode_query;
use http::{HeaderMap, HeaderName, HeaderValue};
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyMapping, PyString};

use crate::arguments;
use crate::errors::invalid;

/// Pairs of texts: a mapping, or an iterable of pairs, each of `str` or `bytes`.
pub(crate) struct Pairs(pub(crate) Vec<(String, String)>);

impl<'py> FromPyObject<'_, 'py> for Pairs {
    type Error = PyErr;

    fn extract(value: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        let items = match value.cast::<PyMapping>() {
            Ok(mapping) => mapping.items()?.into_any(),
            Err(_) => value.to_owned(),
        };
        let pair = |item: PyResult<Bound<'py, PyAny>>| {
            let (name, value): (Bound<'py, PyAny>, Bound<'py, PyAny>) = item?.extract()?;
            Ok((header_text(&name)?, header_text(&value)?))
        };
        Ok(Self(items.try_iter()?.map(pair).collect::<PyResult<_>>()?))
    }
}

/// Bytes are Latin-1, as in the headers of WSGI and ASGI.
fn header_text(value: &Bound<'_, PyAny>) -> PyResult<String> {
    if let Ok(bytes) = value.cast::<PyBytes>() {
        return Ok(bytes.as_bytes().iter().map(|&byte| char::from(byte)).collect());
    }
    let text = value.cast::<PyString>();
    let text = text.map_err(|_| PyTypeError::new_err("names and values must be str or bytes"))?;
    arguments::text("a header or a query", text)
}

impl Pairs {
    /// Returns borrowed pairs, for a view of a request.
    pub(crate) fn view(&self) -> Vec<(&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect()
    }

    /// Returns the headers of a response.
    pub(crate) fn headers(&self) -> PyResult<HeaderMap> {
        let mut headers = HeaderMap::with_capacity(self.0.len());
        for (name, value) in &self.0 {
            let malformed = || invalid(format!("the value of the header {name:?} is malformed"));
            let name = HeaderName::from_bytes(name.as_bytes())
                .map_err(|_| invalid(format!("{name:?} is not the name of a header")))?;
            let bytes: Option<Vec<u8>> =
                value.chars().map(|character| u8::try_from(character).ok()).collect();
            let value = bytes.and_then(|bytes| HeaderValue::try_from(bytes).ok());
            headers.append(name, value.ok_or_else(malformed)?);
        }
        Ok(headers)
    }
}

/// A query: pairs that are decoded, or the text after the question mark.
pub(crate) struct Query(pub(crate) Pairs);

impl<'py> FromPyObject<'_, 'py> for Query {
    type Error = PyErr;

    fn extract(value: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        if value.is_instance_of::<PyString>() || value.is_instance_of::<PyBytes>() {
            let raw = header_text(&value)?;
            return Ok(Self(Pairs(if raw.is_empty() { Vec::new() } else { decode_query(&raw) })));
        }
        value.extract().map(Self)
    }
}
