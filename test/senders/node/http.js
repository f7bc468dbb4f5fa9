import http from 'node:http'
import { Readable } from 'node:stream'
import { content, pieces, serve } from './worker.js'

const send = {
  length: (r, request) => request.end(content(r)),
  chunked: (r, request) => Readable.from(pieces(r)).pipe(request),
  form: (r, request) => {
    request.setHeader('Content-Type', 'application/x-www-form-urlencoded')
    request.end(new URLSearchParams(r.form).toString())
  },
  empty: (r, request) => request.end(),
}

serve('http.request', () => {
  const agent = new http.Agent({ keepAlive: true })
  return (r) => new Promise((resolve, reject) => {
    const request = http.request(r.url, { method: 'POST', headers: r.headers, agent }, (answer) => {
      let body = ''
      answer.setEncoding('utf8')
      answer.on('data', (text) => { body += text })
      answer.on('end', () => resolve({ status: answer.statusCode, body }))
    })
    request.on('error', reject)
    if (r.expect) {
      request.setHeader('Expect', '100-continue')
      // Once: a proxy may pass on a second one.
      request.once('continue', () => send[r.how](r, request))
      request.flushHeaders()
    } else {
      send[r.how](r, request)
    }
  })
})
