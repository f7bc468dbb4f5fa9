#!/usr/bin/env bash
# twilio-go 1.31.0 and twilio 6.3.1 (npm), Go 1.24 or later, Node.js 20.
#
# Twilio posts forms in which a name stands more than once: MessagingBinding.Address of a
# conversation has one for every member of the group. Every value is signed (twilio-node
# issue 722), and the library for Node verifies such a request. That for Go looks at the
# first value of each name, calls the same request forged, and has no other way to verify a
# form: ValidateBody parses it, and Validate takes a map of one value each. An endpoint in Go
# works until the first group message.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm init -y >/dev/null
npm install --ignore-scripts --no-audit --no-fund --silent twilio@6.3.1
cat >go.mod <<'MOD'
module finding

go 1.24

require github.com/twilio/twilio-go v1.31.0
MOD
cat >main.go <<'GO'
package main

import (
	"fmt"
	"os"

	"github.com/twilio/twilio-go/client"
)

func main() {
	validator := client.NewRequestValidator("token")
	fmt.Println(validator.ValidateBody(os.Args[1], []byte(os.Args[2]), os.Args[3]))
}
GO
go mod tidy >/dev/null 2>&1
go build -o verify .
cat >twilio.cjs <<'JS'
const querystring = require('node:querystring');
const twilio = require('twilio');
const [url, body, signature] = process.argv.slice(2);
const fields = { ...querystring.parse(body) };
console.log(signature
  ? twilio.validateRequest('token', signature, url, fields)
  : twilio.getExpectedTwilioSignature('token', url, fields));
JS
url=https://example.com/twilio
got=
for body in 'EventType=onConversationAdd&MessagingBinding.Address=%2B15550001' \
	'EventType=onConversationAdd&MessagingBinding.Address=%2B15550001&MessagingBinding.Address=%2B15550002'; do
	signature=$(node twilio.cjs "$url" "$body")
	got+="$(grep -o Address <<<"$body" | wc -l) Address: Node $(node twilio.cjs "$url" "$body" "$signature"), Go $(./verify "$url" "$body" "$signature")
"
done
want='1 Address: Node true, Go true
2 Address: Node true, Go false
'
printf %s "$got"
[ "$got" = "$want" ] || { echo "it was: $want" >&2; exit 1; }
