#!/usr/bin/env bash
# @polar-sh/sdk 0.49.0 (npm), Node.js 20.
#
# validateEvent verifies a webhook and returns the event. One that is rightly signed, and of a
# type that its switch does not have, is an exception. The package's own WebhookEventType, from
# which one subscribes, lists two such types. To a handler it is a failure of its own and no
# forgery, so it answers 5xx, and Polar delivers the event again in vain. That happens (Polar's
# issue 10173, of an older version and another type): who adds a type to a subscription, or
# takes all, has to update the library first.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm init -y >/dev/null
npm install --ignore-scripts --no-audit --no-fund --silent @polar-sh/sdk@0.49.0 standardwebhooks@1.1.1
cat >validate.mjs <<'JS'
import { WebhookEventType } from '@polar-sh/sdk/models/components/webhookeventtype.js';
import { validateEvent } from '@polar-sh/sdk/webhooks';
import { Webhook } from 'standardwebhooks';

const secret = 'polar_whs_secret';
for (const type of Object.values(WebhookEventType)) {
  const now = new Date();
  const body = JSON.stringify({ type, timestamp: now.toISOString(), data: {} });
  const headers = {
    'webhook-id': 'msg_1', 'webhook-timestamp': String(Math.floor(now / 1000)),
    'webhook-signature': new Webhook(secret, { format: 'raw' }).sign('msg_1', now, body),
  };
  try {
    validateEvent(body, headers, secret);
  } catch (error) {
    // Of a type that it knows it says what the data lacks.
    const reason = error.cause?.rawMessage ?? '';
    if (reason.startsWith('Unknown')) console.log(`${error.name}: ${reason}`);
  }
}
JS
got=$(timeout 60 node validate.mjs)
want='SDKValidationError: Unknown event type: subscription.paused
SDKValidationError: Unknown event type: subscription.resumed'
echo "$got"
[ "$got" = "$want" ] || { echo "it was: $want" >&2; exit 1; }
