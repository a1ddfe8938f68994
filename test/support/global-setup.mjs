// One store for all test files, each of which uses a database of its own: the embedded one as it was built, or, with
// MONGODB_URI, that one. Plain JavaScript because jest loads it untransformed.
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'

export default async function setUp() {
  if (process.env.MONGODB_URI) {
    process.env.TEST_MONGODB_URI = process.env.MONGODB_URI
    delete process.env.MONGODB_URI
    return
  }
  const { startEmbeddedMongo } = await import('../../dist/embedded-mongo/index.js')
  const directory = mkdtempSync(path.join(tmpdir(), 'helpdesk-test-'))
  globalThis.embeddedMongo = await startEmbeddedMongo({
    file: path.join(directory, 'test.db'),
    listen: { socketPath: path.join(directory, 'mongo.sock') },
  })
  process.env.TEST_MONGODB_URI = globalThis.embeddedMongo.uri
}
