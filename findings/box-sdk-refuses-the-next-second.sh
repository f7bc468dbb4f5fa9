#!/usr/bin/env bash
# box-node-sdk 10.12.0 and 3.8.2 (npm), Node.js 20.
#
# validateMessage takes a webhook that is up to ten minutes old, and none that is stamped ahead
# of the receiver's clock, be it by one second. Box says that a timestamp must not be older than
# ten minutes, and no more. So a receiver whose clock is a little late calls what is rightly
# signed forged, now and then, by where the second falls. Releases up to 3 of the same package
# look at the age alone and take it. maxAge is of the past: no option lets the message pass.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm init -y >/dev/null
npm install --ignore-scripts --no-audit --no-fund --silent box-node-sdk@10.12.0 box-node-sdk-3@npm:box-node-sdk@3.8.2
cat >validate.cjs <<'JS'
const { createHmac } = require('node:crypto');
const { WebhooksManager } = require('box-node-sdk/managers/webhooks');
const BoxSDK = require('box-node-sdk-3');

const key = 'primary key', body = '{"type":"webhook_event","trigger":"FILE.UPLOADED"}';
const clients = {
  '10.12.0': (headers, maxAge) => WebhooksManager.validateMessage(body, headers, key, { maxAge }),
  '3.8.2': (headers, maxAge) => BoxSDK.validateWebhookMessage(body, headers, key, null, maxAge),
};
(async () => {
  for (const [version, validate] of Object.entries(clients)) {
    for (const seconds of [-300, -5, 5]) {
      const stamp = new Date(Date.now() + seconds * 1000).toISOString().slice(0, 19) + 'Z';
      const headers = {
        'box-delivery-timestamp': stamp, 'box-signature-version': '1', 'box-signature-algorithm': 'HmacSHA256',
        'box-signature-primary': createHmac('sha256', key).update(body).update(stamp).digest('base64'),
      };
      console.log(`${version}, stamped ${Math.abs(seconds)} s ${seconds < 0 ? 'ago' : 'ahead'}: ${await validate(headers, 600)}`);
    }
  }
})();
JS
got=$(timeout 60 node validate.cjs)
want='10.12.0, stamped 300 s ago: true
10.12.0, stamped 5 s ago: true
10.12.0, stamped 5 s ahead: false
3.8.2, stamped 300 s ago: true
3.8.2, stamped 5 s ago: true
3.8.2, stamped 5 s ahead: true'
echo "$got"
[ "$got" = "$want" ] || { echo "it was: $want" >&2; exit 1; }
