// Signs and verifies requests with the libraries of vendors. Its first line says what it
// runs on; then it answers every line of its input with one line of its output, as
// ../doc.go describes.
import { mock } from 'node:test'
import readline from 'node:readline'
import { libraries } from './libraries.js'

const loaded = {}

async function answer(r) {
  const library = libraries[r.lib]
  if (!library?.[r.op]) return { error: `${r.lib} cannot ${r.op}` }
  loaded[r.lib] ??= await library.load()
  // The clock stands at the request's own: what is taken or refused depends on that alone.
  mock.timers.enable({ apis: ['Date'], now: r.now * 1000 })
  try {
    const result = await library[r.op](loaded[r.lib], r)
    if (r.op === 'verify') return { ok: result === true, error: result === true ? '' : 'not verified' }
    return result.headers ? result : { headers: result }
  } catch (error) {
    return { error: `${error.name}: ${error.message}` }
  } finally {
    mock.timers.reset()
  }
}

const say = (line) => process.stdout.write(JSON.stringify(line) + '\n')
console.log = console.info = console.debug = console.error // standard output is the answers' alone

say({
  version: `Node ${process.versions.node}`,
  libraries: Object.entries(libraries).map(([name, { sign, verify }]) => ({ name, sign: Boolean(sign), verify: Boolean(verify) })),
})
for await (const line of readline.createInterface({ input: process.stdin })) say(await answer(JSON.parse(line)))
