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

pub(crate) const PULL: Help = Help {
    example: "  ccfs pull --from -7d --recheck 3d --tz Asia/Shanghai --out skills --convert jsonl
  ccfs pull --from 2021-01-01 --to 2021-12-31 --out skills --in-flight 8 \\
    --wait callback --bind 0.0.0.0:9080 --callback http://10.9.8.7:9080/callback",
    json: "\
With --json: one line for each window that changed in this run (with --all: for each of the range), then a summary.
  window          begin and end as in file names
  begin, end      first and last second, in the time zone of the call center
  outcome         stored, no_data or failed
  changed         false if an earlier run completed the window and this run did not change it
  rows            good records
  bad_rows        rows that could not be read and were skipped
  outside_rows    records whose time is not in the window
  unread_members  members of the archive with data that were not read
  files           path and bytes of each file: the converted ones, or the ZIP if none
  kept_zip        a ZIP that --no-zip kept, because the converted files do not have all of its data
  why             reason of the failure
  rejected        the downloaded file that could not be used
  notes           what was skipped or guessed
  summary         windows, changed, failed, rows, bad_rows, bytes (of files), requests, left_from (first day that has not ended yet)",
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

pub(crate) const INSPECT: Help = Help {
    example: "  ccfs inspect skills.zip
  ccfs --json inspect folder
  ccfs inspect skills/agent_skill_info",
    json: "\
With --json: one line for each archive, CSV file or Parquet file, and a summary after the Parquet files of a folder.
  input            its path
  members          of archives and CSV files: name, kind, sizes, charset, header and counts of each member
  compressed_size  of archives and CSV files: compressed size of all members, in bytes
  size             of archives and CSV files: size of all members, in bytes
  kind             of Parquet files: agentSkillInfo, agentOprInfo, record or call, determined by the columns
  row_groups       of Parquet files: number of row groups
  bytes            of Parquet files: size
  time_zone        of Parquet files: time zone of the call center, if the file has it
  begin, end       of Parquet files: first and last second of the period, in local time of the call center
  version          of Parquet files: version of ccfs that wrote the file
  source_sha256    of Parquet files: SHA-256 of the archive that the rows come from
  totals           rows, bad_rows, earliest and latest time of an event in local time of the call center, number of rows
                   by_operation (code, name, rows) and by_hour (24 numbers)
  summary          input (the folder), files, bytes, totals",
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
