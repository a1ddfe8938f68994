import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { makeGridFiles } from '../../src/platform/files.mongo.js'
import { makeDiskFiles } from '../../src/platform/files.js'
import { keepsFiles } from '../contracts/files.js'
import { openTestMongo } from '../support/mongo.js'

const folder = () => mkdtemp(path.join(tmpdir(), 'helpdesk-files-'))

keepsFiles('Files on disk', async () => {
  const directory = await folder()
  return { files: makeDiskFiles(directory), directory, close: () => rm(directory, { recursive: true }) }
})

keepsFiles('Files in MongoDB', async () => {
  const directory = await folder()
  const mongo = await openTestMongo()
  return {
    files: makeGridFiles({ db: mongo.db, bucket: 'files', directory }),
    directory,
    close: async () => {
      await mongo.close()
      await rm(directory, { recursive: true })
    },
  }
})
