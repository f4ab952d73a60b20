#!/bin/sh
# Signing alone: `ccfs sign` makes the header, curl does everything else.
#
# Run it against a CC-FS, or against the emulator (`ccfs serve --ca-out ca.pem` prints what to set):
#
#   CCFS_ENDPOINT=https://127.0.0.1:8443 CCFS_ACCESS_KEY=my-app-id CCFS_SECRET_KEY=... CCFS_CA=ca.pem sh sign_with_curl.sh
#
# It prints:
#
#   {"resultCode":"0",…"responseId":"…"…}
set -eu

path=/CCFS/resource/ccfs/queryAgentSkillInfoData
body=$(mktemp)
trap 'rm -f "$body"' EXIT
printf '%s' '{"request":{"version":"2.0"},"msgBody":{"beginTime":"2023-04-05 00:00:00","endTime":"2023-04-06 00:00:00",
"accountId":"","agentId":"","callBackURL":"http://127.0.0.1:9/callback"}}' > "$body"

# Sign just what curl will send: the bytes of the file, and the text of each header.
host=${CCFS_ENDPOINT#https://}
type='application/json; charset=UTF-8'
length=$(($(wc -c < "$body")))
authorization=$(ccfs sign --method POST --path "$path" --body-file "$body" \
    --header "host: $host" --header "content-type: $type" --header "content-length: $length")

# --data-binary, because --data drops line ends, which are signed. The header comes from a file, because arguments can be seen by others.
curl --silent --show-error --fail --cacert "$CCFS_CA" --data-binary "@$body" \
    --header "content-type: $type" --header @- "$CCFS_ENDPOINT$path" <<END
authorization: $authorization
END
echo
