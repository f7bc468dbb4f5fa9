import { Readable } from 'node:stream'
import { content, pieces, serve } from './worker.js'

const bodies = {
  length: (r) => ({ body: content(r) }),
  chunked: (r) => ({ body: Readable.toWeb(Readable.from(pieces(r))), duplex: 'half' }),
  form: (r) => ({ body: new URLSearchParams(r.form) }),
  empty: () => ({}),
}

// All fetches of a process share their connections.
serve(`fetch of undici ${process.versions.undici}`, () => async (r) => {
  const answer = await fetch(r.url, { method: 'POST', headers: r.headers, ...bodies[r.how](r) })
  return { status: answer.status, body: await answer.text() }
})
