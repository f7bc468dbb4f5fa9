#!/usr/bin/env bash
# standardwebhooks 1.1.1, svix 1.99.1, openai 6.49.0, replicate 1.4.0 and @polar-sh/sdk 0.49.0
# (npm), Node.js 20.
#
# All five verify webhook-id, webhook-timestamp and webhook-signature as Standard Webhooks has
# them, and yet one secret is three keys. The standard's own library and Svix decode a secret
# from base64, whether it has the prefix whsec_ or not. OpenAI decodes it with the prefix, and
# takes the bytes of the text without. Polar takes the bytes of the whole text, whsec_ and all.
# A request that one of them signs is refused by another with the same secret, so "it is
# Standard Webhooks" does not say how to verify.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm init -y >/dev/null
npm install --ignore-scripts --no-audit --no-fund --silent \
	standardwebhooks@1.1.1 svix@1.99.1 openai@6.49.0 replicate@1.4.0 @polar-sh/sdk@0.49.0
cat >verify.mjs <<'JS'
import { Webhook } from 'standardwebhooks';
import { Webhook as Svix } from 'svix';
import OpenAI from 'openai';
import { validateWebhook } from 'replicate';
import { validateEvent } from '@polar-sh/sdk/webhooks';

const body = '{"type":"ping"}';
const verifiers = {
  standardwebhooks: (headers, secret) => new Webhook(secret).verify(body, headers),
  svix: (headers, secret) => new Svix(secret).verify(body, headers),
  replicate: async (headers, secret) => { if (!await validateWebhook({ headers, body }, secret)) throw new Error('refused'); },
  openai: (headers, secret) => new OpenAI({ apiKey: 'key' }).webhooks.verifySignature(body, headers, secret),
  // It knows no event of this type, and says so once it has verified the request.
  polar: (headers, secret) => { try { validateEvent(body, headers, secret); } catch (error) { if (error.name !== 'SDKValidationError') throw error; } },
};
const text = 'MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw';
for (const secret of [`whsec_${text}`, text]) {
  const keys = { base64: Buffer.from(text, 'base64'), text: Buffer.from(text), whole: Buffer.from(secret) };
  for (const [name, key] of Object.entries(keys)) {
    if (name === 'whole' && secret === text) continue;
    const now = new Date();
    const headers = {
      'webhook-id': 'msg_1', 'webhook-timestamp': String(Math.floor(now / 1000)),
      'webhook-signature': new Webhook(key, { format: 'raw' }).sign('msg_1', now, body),
    };
    const takes = [];
    for (const [library, verify] of Object.entries(verifiers)) {
      try { await verify(headers, secret); takes.push(library); } catch {}
    }
    console.log(`${secret.slice(0, 6)}...: ${name} is the key of ${takes.join(', ') || 'none'}`);
  }
}
JS
got=$(timeout 60 node verify.mjs)
want='whsec_...: base64 is the key of standardwebhooks, svix, replicate, openai
whsec_...: text is the key of none
whsec_...: whole is the key of polar
MfKQ9r...: base64 is the key of standardwebhooks, svix, replicate
MfKQ9r...: text is the key of openai, polar'
echo "$got"
[ "$got" = "$want" ] || { echo "it was: $want" >&2; exit 1; }
