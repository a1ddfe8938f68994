import { setImmediate as nextTurn } from 'node:timers/promises'
import { Timestamp } from 'mongodb'
import { SESSION } from './commands/session.js'
import { READS } from './commands/reads.js'
import { WRITES } from './commands/writes.js'
import { bulkWrite } from './commands/bulk-write.js'
import { CATALOG } from './commands/catalog.js'
import { SEARCH } from './commands/search.js'
import { ADMINISTRATION } from './commands/administration.js'
import { type Call, checkFields, type Command, type Reply } from './commands/call.js'
import { Cursors } from './cursors.js'
import { CommandError, notSupported } from './errors.js'
import type { Journal } from './journal.js'
import { Sessions, type Standing } from './sessions.js'
import type { Status } from './status.js'
import type { Store } from './store.js'
import { Blocked } from './transaction.js'
import { newDoc, wholeNumber, type Doc } from './values.js'
import { addressReply, encodeReply, type Request } from './wire.js'

const COMMANDS: Partial<Record<string, Command>> = {
  ...SESSION,
  ...READS,
  ...WRITES,
  bulkWrite,
  ...CATALOG,
  ...SEARCH,
  ...ADMINISTRATION,
}

/** The other end of one socket. */
export type Peer = {
  id: number
  address: string
  send: (message: Buffer) => void
  /** Called when the request is done with, whether it wanted a reply or not: what was sent may go, the next may come. */
  done: () => void
}

/** A reply that must not be sent before the next commit, or the one that is under way. */
type Pending = { peer: Peer; request: Request; reply: Buffer }

/**
 * Runs commands and holds their replies until what they wrote, and what they may have read of others' writes, is on the
 * disk. All commands that arrive while a commit is under way, or in one turn of the event loop, share the next one.
 */
export class Server {
  private readonly cursors = new Cursors()
  readonly sessions: Sessions
  private pending: Pending[] = []
  private flushing: Promise<void> | null = null
  private stopping = false

  constructor(
    private readonly store: Store,
    journal: Journal,
    private readonly status: Status,
    private readonly onFault: (error: unknown) => void,
  ) {
    this.sessions = new Sessions(store, journal)
  }

  handle(peer: Peer, request: Request): void {
    if (this.stopping) return
    const { maxTimeMS } = request.body
    const most = maxTimeMS === undefined ? 0 : wholeNumber(maxTimeMS)
    if (most === undefined || most < 0)
      return this.refuse(peer, request.id, new CommandError('BadValue', 'maxTimeMS must be a non-negative integer'))
    // 0 is no limit.
    const deadline = most === 0 ? Infinity : Date.now() + most
    this.attempt(peer, request, deadline)
  }

  /** Answers a request that could not be read as a whole. */
  refuse(peer: Peer, id: number, error: CommandError): void {
    this.respond(
      peer,
      { id, legacy: false, wantsReply: true, body: newDoc(), sequences: new Map() },
      this.errorReply(error),
    )
  }

  private attempt(peer: Peer, request: Request, deadline: number): void {
    const mark = this.store.mark()
    let call: Call | null = null
    try {
      const name = nameOfCommand(request.body)
      const command = COMMANDS[name]
      if (!command) throw new CommandError('CommandNotFound', `no such command: '${name}'`)
      checkFields(name, request.body, command)
      const standing = this.sessions.standing(request.body)
      const repeated = this.repeated(standing, name)
      if (repeated) return this.respond(peer, request, Buffer.from(repeated))
      call = this.callOf(peer, request, name, command, standing)
      const reply = call.transaction && ENDS[name] ? ENDS[name](this.sessions, call) : command.run(call)
      if (reply instanceof Promise) {
        reply.then(
          (later) => this.respond(peer, request, encodeReply({ ...later, ok: 1 })),
          (error: unknown) => this.respond(peer, request, this.errorReply(error)),
        )
        return
      }
      const wrote = this.store.mark() > mark
      const encoded = encodeReply({ ...reply, ok: 1, ...(wrote || call.transaction ? this.reached() : {}) })
      const repeatable = standing.txnNumber !== null && (!standing.inTransaction || name === 'commitTransaction')
      if (repeatable) this.sessions.remember(standing, Buffer.from(encoded), wrote, Date.now())
      this.respond(peer, request, encoded, command.readsNothing)
    } catch (error) {
      this.store.rollBackTo(mark)
      if (error instanceof Blocked) return this.wait(peer, request, deadline, error)
      // An error inside a transaction ends it (manual: "Transactions", Errors).
      if (call?.transaction) this.sessions.abort(call.transaction)
      this.respond(peer, request, this.errorReply(error))
    }
  }

  /** Where the store is now: a session of the driver asks, in what it does next, for no less. */
  private reached(): Reply {
    return { operationTime: new Timestamp({ t: Math.floor(Date.now() / 1000), i: this.store.version >>> 0 }) }
  }

  private repeated(standing: Standing, name: string): Buffer | null {
    if (standing.txnNumber === null) return null
    if (!standing.inTransaction || name === 'commitTransaction') return this.sessions.replyOf(standing)
    return null
  }

  private callOf(peer: Peer, { body, sequences }: Request, name: string, command: Command, standing: Standing): Call {
    const { store, cursors, sessions, status } = this
    const database = body.$db
    if (typeof database !== 'string')
      throw new CommandError('IDLFailedToParse', "BSON field '$db' is missing but a required field")
    if (standing.inTransaction && !command.transactional) {
      if (name === 'createIndexes') throw notSupported('createIndexes in a transaction')
      throw new CommandError(
        'OperationNotSupportedInTransaction',
        `Cannot run '${name}' in a multi-document transaction.`,
      )
    }
    const transaction = standing.inTransaction
      ? sessions.enter(standing, body.startTransaction === true, Date.now())
      : null
    return { name, database, body, sequences, transaction, store, cursors, sessions, status, connection: peer }
  }

  /** The command is tried again when the transaction in its way has ended, or fails at its deadline. */
  private wait(peer: Peer, request: Request, deadline: number, { by }: Blocked): void {
    let waits = true
    const again = (): void => {
      if (!waits) return
      waits = false
      clearTimeout(timer)
      // Later: the transaction is just ending.
      setImmediate(() => this.attempt(peer, request, deadline))
    }
    const left = Math.min(deadline - Date.now(), 2 ** 31 - 1)
    const timer = setTimeout(() => {
      waits = false
      this.respond(
        peer,
        request,
        this.errorReply(new CommandError('MaxTimeMSExpired', 'operation exceeded time limit')),
      )
    }, left)
    timer.unref()
    by.waiting.push(again)
  }

  private errorReply(error: unknown): Buffer {
    if (error instanceof CommandError) {
      const { detail, message, code, codeName } = error
      return encodeReply({ ok: 0, errmsg: message, code, codeName, ...detail })
    }
    this.onFault(error)
    return encodeReply({ ok: 0, errmsg: `internal error: ${String(error)}`, code: 1, codeName: 'InternalError' })
  }

  private respond(peer: Peer, request: Request, reply: Buffer, readsNothing = false): void {
    if (readsNothing || this.store.isDurable) {
      // Not at once: a client that sends many requests without waiting would pile them up on the stack.
      setImmediate(() => answer(peer, request, reply))
      return
    }
    this.pending.push({ peer, request, reply })
    this.commitSoon()
  }

  /** To be called after writing. */
  commitSoon(): void {
    this.flushing ??= this.flush()
  }

  /** Takes nothing more. Resolves when all that was executed is durable, or undone, and answered. */
  async stop(): Promise<void> {
    this.stopping = true
    await this.flushing
  }

  private async flush(): Promise<void> {
    do {
      await nextTurn()
      const pending = this.pending
      this.pending = []
      const failure = this.store.isDirty ? await this.commit() : null
      if (failure) pending.push(...this.pending.splice(0))
      for (const { peer, request, reply } of pending)
        answer(peer, request, failure ? encodeReply(commitFailure(failure.error, request)) : reply)
    } while (this.pending.length > 0 || this.store.isDirty)
    this.flushing = null
  }

  /** Why what was written could not be stored; null when it is. */
  private async commit(): Promise<{ error: unknown } | null> {
    try {
      await this.store.commit()
      return null
    } catch (error) {
      this.onFault(error)
      return { error }
    }
  }

  /** Housekeeping, called every second or so. */
  tidy(now: number): void {
    this.sessions.expire(now)
    this.cursors.expire(now)
    this.status.checkCapacity()
  }
}

const answer = (peer: Peer, request: Request, reply: Buffer): void => {
  if (request.wantsReply) peer.send(addressReply(reply, request))
  peer.done()
}

const commitFailure = (error: unknown, { body }: Request): Reply => {
  const full = (error as { code?: string }).code === 'SQLITE_FULL'
  return {
    ok: 0,
    errmsg: `The write was not stored: ${(error as Error).message}`,
    code: full ? 14031 : 1,
    codeName: full ? 'OutOfDiskSpace' : 'InternalError',
    // Who watches has missed nothing: it asks again from where it was.
    ...(body.getMore === undefined ? {} : { errorLabels: ['ResumableChangeStreamError'] }),
  }
}

const ENDS: Partial<Record<string, (sessions: Sessions, call: Call) => Reply>> = {
  commitTransaction: (sessions, { transaction }) => {
    sessions.commit(transaction!)
    return {}
  },
  abortTransaction: (sessions, { transaction }) => {
    sessions.abort(transaction!)
    return {}
  },
}

const nameOfCommand = (body: Doc): string => {
  for (const key in body) return key
  throw new CommandError('CommandNotFound', "no such command: ''")
}
