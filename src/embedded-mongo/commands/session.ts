import { CommandError, notSupported } from '../errors.js'
import { isTruthy } from '../values.js'
import type { Command } from './call.js'
import { MAX_MESSAGE_BYTES } from '../wire.js'

/** Handshake, diagnostics and the ends of sessions and transactions. */

const SET_NAME = 'embedded'

const hello: Command = {
  fields: [
    'helloOk',
    'client',
    'compression',
    'speculativeAuthenticate',
    'saslSupportedMechs',
    'loadBalanced',
    'topologyVersion',
    'maxAwaitTimeMS',
    'backpressure',
  ],
  readsNothing: true,
  run: ({ name, connection }) => ({
    helloOk: true,
    ...(name === 'hello' ? { isWritablePrimary: true } : { ismaster: true }),
    secondary: false,
    // One member alone that is the primary: what drivers need to see to allow sessions and transactions.
    setName: SET_NAME,
    setVersion: 1,
    hosts: [connection.address],
    primary: connection.address,
    me: connection.address,
    maxBsonObjectSize: 16 * 1024 * 1024,
    maxMessageSizeBytes: MAX_MESSAGE_BYTES,
    maxWriteBatchSize: 100_000,
    localTime: new Date(),
    logicalSessionTimeoutMinutes: 30,
    connectionId: connection.id,
    minWireVersion: 0,
    maxWireVersion: 25,
    readOnly: false,
  }),
}

const nothing: Command = { fields: [], readsNothing: true, run: () => ({}) }

const buildInfo: Command = {
  fields: [],
  readsNothing: true,
  run: () => ({
    version: '8.0.0',
    versionArray: [8, 0, 0, 0],
    gitVersion: 'embedded',
    modules: [],
    bits: 64,
    debug: false,
    maxBsonObjectSize: 16 * 1024 * 1024,
    storageEngines: ['libsql'],
  }),
}

const getParameter: Command = {
  fields: ['featureCompatibilityVersion'],
  readsNothing: true,
  run: ({ body }) => {
    if (!isTruthy(body.featureCompatibilityVersion)) throw new CommandError('InvalidOptions', 'no option found to get')
    return { featureCompatibilityVersion: { version: '8.0' } }
  },
}

const endSessions: Command = {
  fields: [],
  readsNothing: true,
  run: ({ body, sessions }) => {
    sessions.end(body.endSessions)
    return {}
  },
}

// The server runs these two itself, with what it knows of the session.
const endOfTransaction: Command = {
  fields: ['recoveryToken'],
  transactional: true,
  run: ({ name }) => {
    throw notSupported(`${name} outside a transaction`)
  },
}

export const SESSION: Record<string, Command> = {
  hello,
  isMaster: hello,
  ismaster: hello,
  ping: nothing,
  buildInfo,
  buildinfo: buildInfo,
  getParameter,
  endSessions,
  commitTransaction: endOfTransaction,
  abortTransaction: endOfTransaction,
}
