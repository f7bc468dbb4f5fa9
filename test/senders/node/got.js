import fs from 'node:fs'
import http from 'node:http'
import got from 'got'
import { content, pieces, serve } from './worker.js'

const bodies = {
  length: (r) => ({ body: content(r) }),
  chunked: (r) => ({ body: pieces(r) }),
  form: (r) => ({ form: r.form }),
  empty: () => ({}),
}

const { version } = JSON.parse(fs.readFileSync(new URL('node_modules/got/package.json', import.meta.url)))

serve(`got ${version}`, () => {
  const client = got.extend({ agent: { http: new http.Agent({ keepAlive: true }) }, throwHttpErrors: false })
  return async (r) => {
    const answer = await client.post(r.url, { headers: r.headers, ...bodies[r.how](r) })
    return { status: answer.statusCode, body: answer.body }
  }
})
