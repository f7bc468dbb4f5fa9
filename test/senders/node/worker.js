// What the Node programs have in common.
import fs from 'node:fs'
import readline from 'node:readline'
import { setTimeout } from 'node:timers/promises'

export const content = (request) => fs.readFileSync(request.file)

// Yields the body as it becomes known.
export async function* pieces(request) {
  for await (const piece of fs.createReadStream(request.file, { highWaterMark: 64 << 10 })) {
    yield piece
    if (request.pause) await setTimeout(request.pause)
  }
}

// Answers every line; start returns a function that posts with one client.
export async function serve(version, start) {
  console.log(JSON.stringify({ version: `${version}, Node ${process.versions.node}` }))
  for await (const line of readline.createInterface({ input: process.stdin })) {
    const post = start()
    const answers = []
    for (const request of JSON.parse(line).requests) {
      try {
        answers.push(await post(request))
      } catch (error) {
        answers.push({ status: 0, body: '', error: String(error.cause ?? error) })
      }
    }
    console.log(JSON.stringify({ answers }))
  }
}
