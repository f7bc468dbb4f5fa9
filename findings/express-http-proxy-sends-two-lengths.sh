#!/usr/bin/env bash
# express-http-proxy 2.1.2 with express 5.2.1, koa-better-http-proxy 0.2.10 with koa 3.2.1 (npm),
# Node.js 20.
#
# A chunked POST is passed on with the Transfer-Encoding that it came with and a
# Content-Length of the proxy's own, which RFC 9112 6.2 forbids a sender. The two agree, yet
# who is careful refuses such a request: node's own http server, to which these proxies mostly
# pass on, answers 400 before the application sees it. Webhooks with a length arrive, and those
# of a sender that streams (PHP's curl without a length, Go and Java of a body of unknown
# size) are lost one and all.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm init -y >/dev/null
npm install --ignore-scripts --no-audit --no-fund --silent express@5.2.1 express-http-proxy@2.1.2 koa@3.2.1 koa-better-http-proxy@0.2.10
cat >post.mjs <<'JS'
import express from 'express';
import expressProxy from 'express-http-proxy';
import http from 'node:http';
import Koa from 'koa';
import koaProxy from 'koa-better-http-proxy';

const listen = server => new Promise(resolve => server.listen(0, '127.0.0.1', () => resolve(server.address().port)));
let reached = 0;
const upstream = await listen(http.createServer((request, response) => {
  reached++;
  request.resume().on('end', () => response.end());
}));
const fronts = {
  'express-http-proxy': express().use(expressProxy(`http://127.0.0.1:${upstream}`)),
  'koa-better-http-proxy': new Koa().use(koaProxy('127.0.0.1', { port: upstream })).callback(),
};
const post = (port, headers) => new Promise((resolve, reject) => {
  http.request({ host: '127.0.0.1', port, path: '/hook', method: 'POST', headers: { 'content-type': 'application/json', ...headers } },
    response => response.resume().on('end', () => resolve(response.statusCode))).on('error', reject).end('{"event":"paid"}');
});
for (const [name, handler] of Object.entries(fronts)) {
  const port = await listen(http.createServer(handler));
  for (const headers of [{ 'content-length': 16 }, { 'transfer-encoding': 'chunked' }]) {
    reached = 0;
    const status = await post(port, headers);
    console.log(`${name}, ${Object.keys(headers)[0]}: ${status}, reached the application ${reached} times`);
  }
}
process.exit();
JS
got=$(timeout 30 node post.mjs)
want='express-http-proxy, content-length: 200, reached the application 1 times
express-http-proxy, transfer-encoding: 400, reached the application 0 times
koa-better-http-proxy, content-length: 200, reached the application 1 times
koa-better-http-proxy, transfer-encoding: 400, reached the application 0 times'
echo "$got"
[ "$got" = "$want" ] || { echo "it was: $want" >&2; exit 1; }
