import { randomBytes } from 'node:crypto'
import { connectMongo, type Mongo } from '../../src/platform/mongo.js'

/** A database of its own for one test file, on the store that all files share. `close` drops it. */
export const openTestMongo = async (): Promise<Mongo & { close(): Promise<void> }> => {
  const uri = process.env.TEST_MONGODB_URI
  if (!uri) throw new Error('test/support/global-setup.ts has not run')
  const mongo = await connectMongo(uri, `test_${randomBytes(6).toString('hex')}`)
  return {
    ...mongo,
    close: async () => {
      await mongo.db.dropDatabase()
      await mongo.client.close()
    },
  }
}
