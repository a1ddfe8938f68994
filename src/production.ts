import { createHash, randomBytes } from 'node:crypto'
import { accessSync, chmodSync, constants, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { ConfigError, type Config } from './config.js'
import { startEmbeddedMongo } from './embedded-mongo/index.js'
import { makeGridFiles } from './platform/files.mongo.js'
import { makeDiskFiles, type Files } from './platform/files.js'
import type { Log } from './platform/log.js'
import { connectMongo, type Mongo } from './platform/mongo.js'
import { makeReader } from './rag/reader.js'
import type { Read } from './rag/reading.js'

/** What the process opens before anything is composed. `close` undoes it, last opened first. */
export type Opened = {
  mongo: Mongo
  /** Originals of documents. */
  files: Files
  /** What customers send; apart from the company's own documents, because other rules say what may go. */
  attachmentFiles: Files
  /** Reads documents in a process of its own. */
  read: Read
  secretKey: string
  embedded: boolean
  failed: Promise<Error>
  close(): Promise<void>
}

export const openProduction = async (config: Config, log: Log): Promise<Opened> => {
  const directory = path.resolve(config.DATA_DIR)
  if (config.KNOWLEDGE_DIR && !existsSync(config.KNOWLEDGE_DIR)) {
    throw new ConfigError(
      `KNOWLEDGE_DIR: there is nothing at ${path.resolve(config.KNOWLEDGE_DIR)}. Name a folder that exists.`,
    )
  }
  makeDirectory(directory)
  const originals = path.join(directory, 'files', 'knowledge')
  const attached = path.join(directory, 'files', 'attachments')
  const reader = makeReader({ log })
  const secretKey = config.SECRET_KEY ?? ownSecret(path.join(directory, 'secret.key'))
  if (config.MONGODB_URI) {
    const mongo = await connectMongo(config.MONGODB_URI, config.MONGODB_DATABASE).catch((cause: unknown) => {
      throw new ConfigError(
        'MONGODB_URI: no MongoDB answers there. Check the address, and that it runs and can be reached.',
        {
          cause,
        },
      )
    })
    const files = makeGridFiles({ db: mongo.db, bucket: 'originals', directory: originals })
    const attachmentFiles = makeGridFiles({ db: mongo.db, bucket: 'attachments', directory: attached })
    const close = async () => {
      await reader.stop()
      await mongo.client.close()
    }
    return {
      ...{ mongo, files, attachmentFiles, read: reader.read, secretKey, close },
      embedded: false,
      failed: new Promise(() => {}),
    }
  }

  const store = await startEmbeddedMongo({
    file: path.join(directory, 'helpdesk.db'),
    onFault: (fault) => log.error({ fault: fault.slice(0, 200) }, 'embedded store'),
    onWarning: (warning) => log.warn({ warning }, 'embedded store'),
    listen: process.platform === 'win32' ? { host: '127.0.0.1', port: 0 } : { socketPath: socketIn(directory) },
  }).catch((cause: unknown) => {
    throw explained(cause, directory)
  })
  const mongo = await connectMongo(store.uri, config.MONGODB_DATABASE)
  const close = async () => {
    await reader.stop()
    await mongo.client.close()
    await store.stop()
  }
  const files = makeDiskFiles(originals)
  const attachmentFiles = makeDiskFiles(attached)
  return { mongo, files, attachmentFiles, read: reader.read, secretKey, embedded: true, failed: store.failed, close }
}

const makeDirectory = (directory: string): void => {
  try {
    mkdirSync(directory, { recursive: true, mode: 0o700 })
    accessSync(directory, constants.W_OK)
  } catch (cause) {
    throw notWritable(directory, cause)
  }
}

/** Files that are there already may be read-only all the same: say so before anything else goes wrong with it. */
const notWritable = (directory: string, cause: unknown) =>
  new ConfigError(`DATA_DIR: ${directory} cannot be written to. Choose a directory that this user may write to.`, {
    cause,
  })

/** Made once and kept, so that sessions and tokens outlive a restart. */
const ownSecret = (file: string): string => {
  if (!existsSync(file)) {
    writeFileSync(file, randomBytes(48).toString('base64url'), { mode: 0o600, flag: 'wx' })
    chmodSync(file, 0o600)
  }
  const secret = readFileSync(file, 'utf8').trim()
  if (secret.length < 32)
    throw new ConfigError(`DATA_DIR: ${file} is damaged. Restore it, or remove it to end all sessions.`)
  return secret
}

/** The longest path that every Unix takes for a socket. */
const LONGEST_SOCKET_PATH = 100

const socketIn = (directory: string): string => {
  const near = path.join(directory, 'mongo.sock')
  if (near.length <= LONGEST_SOCKET_PATH) return near
  return path.join(tmpdir(), `helpdesk-${createHash('sha256').update(directory).digest('hex').slice(0, 16)}.sock`)
}

const explained = (cause: unknown, directory: string): unknown => {
  const code = cause instanceof Error && 'code' in cause ? cause.code : undefined
  switch (code) {
    case 'data_in_use':
      return new ConfigError(
        `DATA_DIR: ${directory} is in use by another process. Stop that one, or choose another directory.`,
        { cause },
      )
    case 'data_damaged':
      return new ConfigError(
        `DATA_DIR: the database in ${directory} is damaged. Restore a backup; nothing was changed.`,
        { cause },
      )
    case 'data_newer':
      return new ConfigError(
        `DATA_DIR: the database in ${directory} was written by a newer version. Start that version; nothing was changed.`,
        { cause },
      )
    case 'unavailable':
      return notWritable(directory, cause)
    default:
      return cause
  }
}
