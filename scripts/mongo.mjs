// `npm run mongo -- --port 27018 --data DIR`: the embedded store alone, for any MongoDB client.
import { mkdirSync } from 'node:fs'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { prepare } from './prepare.mjs'

const { values } = parseArgs({
  options: {
    port: { type: 'string', default: '27018' },
    host: { type: 'string', default: '127.0.0.1' },
    data: { type: 'string' },
  },
})
if (!values.data) {
  console.error('usage: npm run mongo -- --data DIR [--port 27018] [--host 127.0.0.1]')
  process.exit(2)
}
await prepare()
const { startEmbeddedMongo } = await import('../dist/embedded-mongo/index.js')
mkdirSync(values.data, { recursive: true, mode: 0o700 })
const store = await startEmbeddedMongo({
  file: path.join(values.data, 'helpdesk.db'),
  listen: { host: values.host, port: Number(values.port) },
}).catch((/** @type {Error} */ error) => {
  console.error(`The store did not start: ${error.message}`)
  process.exit(1)
})
console.log(`MongoDB ready at ${store.uri}`)
const stop = () => void store.stop().then(() => process.exit(0))
process.once('SIGINT', stop)
process.once('SIGTERM', stop)
