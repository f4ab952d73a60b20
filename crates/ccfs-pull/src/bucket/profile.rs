//! The profiles of AWS tools, in `~/.aws/config` and `~/.aws/credentials`.

use std::collections::BTreeMap;

use super::error::BucketError;

/// Settings that say how to log in and are not supported.
const UNSUPPORTED: [&str; 5] =
    ["credential_process", "sso_session", "sso_start_url", "role_arn", "source_profile"];

/// The settings of one profile. Those in a group have names such as `s3.addressing_style`.
pub(super) struct Profile {
    name: String,
    exists: bool,
    settings: BTreeMap<String, String>,
}

impl Profile {
    pub(super) fn new(name: &str) -> Self {
        Self { name: name.to_owned(), exists: false, settings: BTreeMap::new() }
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    pub(super) fn exists(&self) -> bool {
        self.exists
    }

    pub(super) fn get(&self, key: &str) -> Option<&str> {
        self.settings.get(key).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// Returns the access key and its secret, if it has them.
    pub(super) fn keys(&self) -> Result<Option<(String, String)>, BucketError> {
        let keys = self.get("aws_access_key_id").zip(self.get("aws_secret_access_key"));
        if let Some((id, secret)) = keys {
            return Ok(Some((id.to_owned(), secret.to_owned())));
        }
        match UNSUPPORTED.into_iter().find(|key| self.get(key).is_some()) {
            Some(key) => Err(BucketError::Profile { name: self.name.clone(), key }),
            None => Ok(None),
        }
    }
}

/// Adds the settings of a file. `prefix` is that of its section names, except of `default`.
pub(super) fn read(text: &str, prefix: &str, profile: &mut Profile) {
    let (mut is_in, mut group) = (false, None);
    for line in text.lines() {
        let content = line.trim();
        if content.is_empty() || content.starts_with(['#', ';']) {
            continue;
        }
        if let Some(section) = content.strip_prefix('[').and_then(|rest| rest.split(']').next()) {
            let section = section.trim();
            let named = section.strip_prefix(prefix).map(str::trim);
            is_in =
                named == Some(&profile.name) || (section == "default" && profile.name == section);
            profile.exists |= is_in;
            group = None;
            continue;
        }
        let Some((key, value)) = content.split_once('=').filter(|_| is_in) else { continue };
        let (key, value) = (key.trim().to_ascii_lowercase(), value.trim());
        let is_nested = line.starts_with([' ', '\t']);
        let key = match &group {
            Some(group) if is_nested => format!("{group}.{key}"),
            _ => key,
        };
        if value.is_empty() && !is_nested {
            group = Some(key);
        } else {
            if !is_nested {
                group = None;
            }
            profile.settings.insert(key, value.to_owned());
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::{Profile, read};

    const CONFIG: &str = "[default]\nregion = eu-west-1\n# a comment\n\n[profile obs]\nregion=cn-north-4\nendpoint_url = https://obs.example.com\ns3 =\n  addressing_style = virtual\n\tmax_concurrent_requests = 3\noutput = json\n";

    #[test]
    fn a_profile_is_read_from_both_files() {
        let mut profile = Profile::new("obs");
        read(CONFIG, "profile ", &mut profile);
        read("[obs]\naws_access_key_id = AK\naws_secret_access_key = a=b/c\n", "", &mut profile);
        assert!(profile.exists());
        assert_eq!(profile.get("region"), Some("cn-north-4"));
        assert_eq!(profile.get("endpoint_url"), Some("https://obs.example.com"));
        assert_eq!(profile.get("s3.addressing_style"), Some("virtual"));
        assert_eq!(profile.get("output"), Some("json"));
        assert_eq!(profile.keys().unwrap(), Some(("AK".into(), "a=b/c".into())));
    }

    #[test]
    fn the_default_profile_has_no_prefix() {
        let mut profile = Profile::new("default");
        read(CONFIG, "profile ", &mut profile);
        assert_eq!(profile.get("region"), Some("eu-west-1"));
        assert!(profile.keys().unwrap().is_none());
        let mut other = Profile::new("other");
        read(CONFIG, "profile ", &mut other);
        assert!(!other.exists());
    }

    #[test]
    fn another_way_to_log_in_is_named() {
        let mut profile = Profile::new("work");
        read("[profile work]\nsso_session = work\n", "profile ", &mut profile);
        let error = profile.keys().unwrap_err().to_string();
        assert!(error.contains("the profile work uses sso_session"), "{error}");
    }
}
