//! The ends of help texts and manual pages: examples, and the fields that `--json` prints.

/// The end of a command's help.
pub(crate) struct Help {
    example: &'static str,
    json: &'static str,
}

impl Help {
    /// Returns the example, for `-h`.
    pub(crate) fn short(&self) -> String {
        format!("Example:\n{}", self.example)
    }

    /// Returns the fields and the example, for `--help` and the manual page.
    pub(crate) fn long(&self) -> String {
        format!("{}\n\n{}", self.json, self.short())
    }
}

/// The end of the help of `ccfs` itself.
pub(crate) const ROOT: &str = "\
With --json: the page of each command lists the fields of its results. An error is one line on
stderr.
  error        word for the failure of a call, such as idle_timeout or unauthorized, or refused,
               data, file, usage, network, authentication or interrupted
  message      the failure as a sentence
  result_code  result code of CC-FS, if its answer had one";

pub(crate) const DEMO: Help = Help {
    example: "  ccfs demo --out demo-files",
    json: "With --json: the steps are text; only an error is JSON.",
};

pub(crate) const DOWNLOAD: Help = Help {
    example: "  ccfs download 20230406_9239cb50a8384bb0ab503441bf089446.zip -o skills/",
    json: "\
With --json: one object.
  file_name  name of the file on the server
  bytes      size of the file
  path       where it was written",
};

pub(crate) const QUERY: Help = Help {
    example: "  ccfs query --begin '2023-04-05 00:00:00' --end '2023-04-06 00:00:00' \\
    --callback http://10.9.8.7:9080/callback",
    json: "\
With --json: one object.
  response_id  ID of the server's job
  file_name    expected name of the file",
};

pub(crate) const CALL: Help = Help {
    example: "  ccfs call downloadRecord --callId 1577-0001 -o call.wav",
    json: "\
With --json: one object, for an interface that answers with data:
  result_data  the data of the answer unchanged, or null
For an interface that answers with a file:
  kind         zip, wav or audio
  bytes        size of the file
  path         where it was written",
};

pub(crate) const LISTEN: Help = Help {
    example: "  ccfs listen --bind 0.0.0.0:9080 --once
  ccfs listen --bind 0.0.0.0:9443 --path /callback --tls-cert cert.pem --tls-key key.pem",
    json: "\
With and without --json: one line for each callback.
  response_id  ID of the job whose file is ready
  file_name    name of the file to download
  account_id   tenant space, or null",
};

pub(crate) const CONVERT: Help = Help {
    example: "  ccfs convert skills.zip --to jsonl -o skills.jsonl
  ccfs convert folder --to csv --names --rejects bad.csv -o skills.csv
  ccfs convert - --to csv < skills.zip
  ccfs convert folder --to parquet --tz Asia/Shanghai -o skills.parquet",
    json: "\
With --json: the format of the records is that of --to; only an error is JSON. With --to jsonl, a
line has the columns of the kind in their order, null for an empty cell, and then extra, the cells
after the last known column, if there are any.",
};

pub(crate) const DOCTOR: Help = Help {
    example: "  ccfs doctor --endpoint https://10.1.2.3:8443",
    json: "\
With --json: one object.
  endpoint           base URL
  proxy              the proxy without its password, or null
  verdict            well, network, authentication, refused, or unsigned (no keys are set)
  steps              name, mark (ok, warn, fail or skipped), text and details of each check
  tls_version        such as 1.3, or null
  certificates       the server's first: subject, issuer, not_before, not_after, names, sha256,
                     version and rsa_bits of each
  clock_skew_millis  how far the server's clock is ahead of this machine's, or null
  head               of the answer: server, between (header that a proxy adds), html, challenge
                     and location
  findings           likely causes: cause, weight (certain, likely or possible), because, advice
                     and may_sign_again of each",
};

pub(crate) const SIGN: Help = Help {
    example: "  ccfs sign --method POST --path /CCFS/resource/ccfs/queryAgentSkillInfoData \\
    --header 'host: 10.1.2.3:8443' --timestamp 2021-08-31T09:38:50.872Z --body-file body.json",
    json: "\
With --json: one object.
  authorization  value of the Authorization header
  steps          with --explain: prefix, canonical_request and signature",
};

pub(crate) const VERIFY: Help = Help {
    example: "  ccfs verify --authorization \"$VALUE\" --method POST --path /callback \\
    --header 'host: 10.9.8.7' --body-file callback.json",
    json: "\
With --json: one object. A signature that is not valid is an error.
  valid       true
  signed_at   time of the signature, in UTC
  query_line  dialect of the signature: omit or empty",
};

/// The fields of `ccfs serve --json`.
pub(crate) const SERVE_JSON: &str = "\
With --json: one object when the emulator is ready.
  endpoint    base URL
  access_key  access key that the emulator accepts
  secret_key  secret key that it accepts, except with --use-configured-keys
  pin_sha256  SHA-256 of its certificate, except with --plain

";

pub(crate) const COMPLETIONS: Help = Help {
    example: "  ccfs completions bash > /etc/bash_completion.d/ccfs",
    json: "With --json: the script is the same; only an error is JSON.",
};

pub(crate) const MAN: Help = Help {
    example: "  ccfs man --out ~/.local/share/man/man1",
    json: "With --json: the pages are the same; only an error is JSON.",
};
