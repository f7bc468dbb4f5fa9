#!/usr/bin/env bash
# got 14.6.6 (npm), Node.js 20.
#
# A POST whose body is a stream and that is answered with 308 is sent again to the new
# address as a POST without its body, and the promise fulfils with the 200 that the empty
# request got. RFC 9110 15.4.9 wants the request repeated as it was; node's fetch refuses
# what it cannot repeat. A webhook sender that streams loses the event and is told it
# arrived, so a proxy in front of a webhook must not redirect at all.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm init -y >/dev/null
npm install --no-audit --no-fund --silent got@14.6.6
cat >post.mjs <<'JS'
import got from 'got';
import http from 'node:http';
import {Readable} from 'node:stream';

const seen = [];
const server = http.createServer((request, response) => {
  let bytes = 0;
  request.on('data', chunk => bytes += chunk.length);
  request.on('end', () => {
    seen.push(`${request.method} ${request.url} ${bytes} bytes`);
    if (request.url === '/old') response.writeHead(308, {location: '/new'}).end();
    else response.end('taken');
  });
}).listen(0, '127.0.0.1', async () => {
  const address = `http://127.0.0.1:${server.address().port}/old`;
  const answer = await got.post(address, {body: Readable.from([Buffer.alloc(1024, 'x')]), retry: {limit: 0}});
  console.log(`${seen.join(', ')}; the sender reads ${answer.statusCode} ${answer.body}`);
  server.close();
});
JS
got=$(timeout 30 node post.mjs)
want='POST /old 1024 bytes, POST /new 0 bytes; the sender reads 200 taken'
echo "$got"
[ "$got" = "$want" ] || { echo "it was: $want" >&2; exit 1; }
