import http from 'node:http'
import { Readable } from 'node:stream'
import axios from 'axios'
import { content, pieces, serve } from './worker.js'

// A string would be trimmed, so bytes are sent as they are.
const bodies = {
  length: content,
  chunked: (r) => Readable.from(pieces(r)),
  form: (r) => new URLSearchParams(r.form),
  empty: () => undefined,
}

serve(`axios ${axios.VERSION}`, () => {
  const client = axios.create({ httpAgent: new http.Agent({ keepAlive: true }), responseType: 'text', transformResponse: (text) => text })
  return async (r) => {
    try {
      const answer = await client.post(r.url, bodies[r.how](r), { headers: r.headers })
      return { status: answer.status, body: answer.data }
    } catch (error) {
      if (!error.response) throw error
      return { status: error.response.status, body: error.response.data }
    }
  }
})
