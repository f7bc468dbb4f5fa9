#!/usr/bin/env bash
# http-message-sig 0.3.0, http-message-signatures 1.0.6, @ltonetwork/http-message-signatures
# 0.1.12 and @misskey-dev/node-http-message-signatures 0.0.10 (npm), Node.js 20.
#
# All four build what an RFC 9421 signature is made over, and for one request they build two
# things. Of a request that has no query "@query" is "?" (RFC 9421 2.2.7) to the first two, and
# empty to the others. What the one half signs is forged to the other half, but only where the
# URL has no query, as that of a webhook mostly has not; with a query, as one tries it, they
# agree. A receiver that wants "@query" signed, so that nobody adds one, must know who signs.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm init -y >/dev/null
npm install --ignore-scripts --no-audit --no-fund --silent http-message-sig@0.3.0 http-message-signatures@1.0.6 \
	@ltonetwork/http-message-signatures@0.1.12 @misskey-dev/node-http-message-signatures@0.0.10
cat >verify.mjs <<'JS'
import * as lto from '@ltonetwork/http-message-signatures';
import { RFC9421SignatureBaseFactory } from '@misskey-dev/node-http-message-signatures';
import * as sig from 'http-message-sig';
import { httpbis } from 'http-message-signatures';
import { generateKeyPairSync, sign, verify } from 'node:crypto';

const { privateKey, publicKey } = generateKeyPairSync('ed25519');
const right = (base, signature) => verify(null, Buffer.from(base), publicKey, signature);
const verifiers = {
  'http-message-sig': request => sig.verifySignature(request, {
    policy: { algorithms: ['ed25519'], requiredComponents: ['@query'], requiredParameters: ['created'] },
    resolveVerifier: () => ({ algorithm: 'ed25519', verify: right }),
  }).then(() => true),
  'http-message-signatures': request => httpbis.verifyMessage({ keyLookup: () => ({ id: 'k', algs: ['ed25519'], verify: async (base, signature) => right(base, signature) }) },
    { method: request.method, url: request.url, headers: Object.fromEntries(request.headers) }),
  '@ltonetwork': request => lto.verify({ method: request.method, url: request.url, headers: Object.fromEntries(request.headers) }, right),
  '@misskey-dev': request => right(new RFC9421SignatureBaseFactory(request).generate('sig1'),
    Buffer.from(request.headers.get('signature').slice('sig1=:'.length, -1), 'base64')),
};
for (const url of ['https://hooks.example.com/hook?tenant=1', 'https://hooks.example.com/hook']) {
  const unsigned = new Request(url, { method: 'POST' });
  const fields = await sig.createSignature(unsigned, {
    label: 'sig1', components: ['@method', '@query'], parameters: { created: Math.floor(Date.now() / 1000), keyid: 'k', alg: 'ed25519' },
    signer: { algorithm: 'ed25519', sign: base => new Uint8Array(sign(null, base, privateKey)) },
  });
  const request = new Request(url, { method: 'POST', headers: sig.appendSignature(unsigned.headers, fields) });
  for (const [library, takes] of Object.entries(verifiers)) {
    console.log(`${new URL(url).search || 'no query'}: signed by http-message-sig, ${await takes(request) ? 'right' : 'forged'} to ${library}`);
  }
}
JS
got=$(timeout 30 node verify.mjs)
want='?tenant=1: signed by http-message-sig, right to http-message-sig
?tenant=1: signed by http-message-sig, right to http-message-signatures
?tenant=1: signed by http-message-sig, right to @ltonetwork
?tenant=1: signed by http-message-sig, right to @misskey-dev
no query: signed by http-message-sig, right to http-message-sig
no query: signed by http-message-sig, right to http-message-signatures
no query: signed by http-message-sig, forged to @ltonetwork
no query: signed by http-message-sig, forged to @misskey-dev'
echo "$got"
[ "$got" = "$want" ] || { echo "it was: $want" >&2; exit 1; }
