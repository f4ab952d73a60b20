//! Endpoints.

use ccfs_proto::exchange::PreparedRequest;
use ccfs_proto::{AnyOperation, Endpoint, Operation};
use url::Url;

use crate::tape::text;

/// The bytes are an endpoint's text.
///
/// An accepted text is printed so that it parses as the same endpoint, a URL library finds the same host, port and path in it, and requests
/// can be made for it.
pub fn endpoint(input: &[u8]) {
    let text = text(input);
    let Ok(endpoint) = text.parse::<Endpoint>() else { return };
    let printed = endpoint.to_string();
    assert_eq!(printed.parse::<Endpoint>().as_ref(), Ok(&endpoint));
    assert_eq!(endpoint.host(), endpoint.host().to_lowercase());
    assert!(endpoint.port() > 0 && text.len() <= 2048);

    for form in [text, &printed] {
        let url = match Url::parse(form) {
            // Invalid Punycode does not resolve, so a URL library may refuse it; it accepts every other text that is accepted here.
            Err(url::ParseError::IdnaError) if endpoint.host().contains("xn--") => break,
            parsed => parsed.expect("a URL"),
        };
        assert_eq!(url.scheme(), endpoint.scheme());
        assert_eq!(url.host_str(), Some(endpoint.host()));
        assert_eq!(url.port_or_known_default(), Some(endpoint.port()));
        assert_eq!(url.path().strip_suffix('/').unwrap_or(url.path()), endpoint.prefix());
        assert!(
            url.username().is_empty()
                && url.password().is_none()
                && url.query().is_none()
                && url.fragment().is_none()
        );
    }

    let fields = [(
        "agentSkillInfoFileName".to_owned(),
        "20230406_9239cb50a8384bb0ab503441bf089446.zip".to_owned(),
    )];
    let operation = AnyOperation::from_fields("downloadAgentSkillInfoFile", fields, None)
        .expect("a known interface");
    let request = PreparedRequest::new(operation.request().expect("good fields"), &endpoint);
    request.expect("an endpoint that requests can be made for");
}
