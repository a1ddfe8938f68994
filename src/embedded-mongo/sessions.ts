import { Binary } from 'mongodb'
import { CommandError, notSupported } from './errors.js'
import type { Journal } from './journal.js'
import type { Store } from './store.js'
import type { Transaction } from './transaction.js'
import { isDoc, wholeNumber, type Doc, type Value } from './values.js'

const TRANSACTION_LIFETIME_MS = 60_000
const SESSION_LIFETIME_MS = 30 * 60_000

/** The last thing a session did under a transaction number, so that a retry gets the same reply. */
type Done = { txnNumber: bigint; reply: Buffer; at: number }

export type Standing = {
  session: string | null
  txnNumber: bigint | null
  /** A command of a transaction, as opposed to a retryable write. */
  inTransaction: boolean
}

/** Logical sessions: open transactions, and replies to retryable writes and commits. */
export class Sessions {
  private readonly done = new Map<string, Done>()
  private readonly open = new Map<string, Transaction>()

  constructor(
    private readonly store: Store,
    private readonly journal: Journal,
  ) {}

  async load(now: number): Promise<void> {
    for (const { session, txnNumber, reply, at } of await this.journal.replies(now - SESSION_LIFETIME_MS)) {
      this.done.set(session, { txnNumber, reply, at })
    }
  }

  standing(body: Doc): Standing {
    const session = sessionKey(body.lsid)
    const number = body.txnNumber
    if (number === undefined) {
      if (body.autocommit !== undefined || body.startTransaction !== undefined) {
        throw new CommandError('InvalidOptions', "'autocommit' and 'startTransaction' need a txnNumber")
      }
      return { session, txnNumber: null, inTransaction: false }
    }
    if (session === null)
      throw new CommandError('InvalidOptions', 'Transaction number requires a session ID to also be specified')
    const txnNumber = typeof number === 'bigint' ? number : BigInt(wholeNumber(number) ?? -1)
    if (txnNumber < 0n) throw new CommandError('InvalidOptions', 'Transaction number cannot be negative')
    if (body.autocommit === true) throw new CommandError('InvalidOptions', "'autocommit' can only be false")
    if (body.stmtId !== undefined || body.stmtIds !== undefined) throw notSupported("'stmtId'")
    return { session, txnNumber, inTransaction: body.autocommit === false }
  }

  /** The reply that this retryable write or commit has had already. */
  replyOf({ session, txnNumber }: Standing): Buffer | null {
    if (session === null || txnNumber === null) return null
    const done = this.done.get(session)
    if (!done || done.txnNumber < txnNumber) return null
    if (done.txnNumber > txnNumber) {
      throw new CommandError(
        'TransactionTooOld',
        `Retryable write with txnNumber ${txnNumber} is prohibited because a newer one with txnNumber ${done.txnNumber} has already started.`,
      )
    }
    return done.reply
  }

  /** Remembers a reply in the commit of the writes it reports; `durable` is false when there were none. */
  remember({ session, txnNumber }: Standing, reply: Buffer, durable: boolean, now: number): void {
    if (session === null || txnNumber === null) return
    const before = this.done.get(session)
    this.done.set(session, { txnNumber, reply, at: now })
    if (!durable) return
    this.store.keepReply(session, txnNumber, reply, now)
    this.store.onUndo(() => {
      if (before) this.done.set(session, before)
      else this.done.delete(session)
    })
  }

  /** The transaction that a command belongs to, begun if the command says so. */
  enter({ session, txnNumber }: Standing, starts: boolean, now: number): Transaction {
    const current = this.open.get(session!)
    if (!starts) {
      if (current?.txnNumber === txnNumber && current?.state === 'open') return current
      throw noSuchTransaction(txnNumber!)
    }
    const last = this.done.get(session!)
    if ((current && current.txnNumber >= txnNumber!) || (last && last.txnNumber >= txnNumber!)) {
      throw new CommandError(
        'TransactionTooOld',
        `Cannot start transaction ${txnNumber!} on session because a newer or the same transaction has already started`,
      )
    }
    if (current) this.store.end(current, 'aborted')
    const transaction = this.store.begin(session!, txnNumber!, now + TRANSACTION_LIFETIME_MS)
    this.open.set(session!, transaction)
    return transaction
  }

  commit(transaction: Transaction): void {
    this.store.commitTransaction(transaction)
    this.leave(transaction)
  }

  abort(transaction: Transaction): void {
    this.store.end(transaction, 'aborted')
    this.leave(transaction)
  }

  private leave(transaction: Transaction): void {
    if (this.open.get(transaction.session) === transaction) this.open.delete(transaction.session)
  }

  end(lsids: Value): void {
    for (const lsid of Array.isArray(lsids) ? lsids : []) {
      const transaction = this.open.get(sessionKey(lsid) ?? '')
      if (transaction) this.abort(transaction)
    }
  }

  /** Ends transactions that nobody finished and forgets sessions that nobody uses. */
  expire(now: number): void {
    for (const transaction of this.open.values()) {
      if (transaction.state !== 'open' || transaction.expiresAt <= now) this.abort(transaction)
    }
  }

  async forget(now: number): Promise<void> {
    const before = now - SESSION_LIFETIME_MS
    for (const [session, { at }] of this.done) if (at < before) this.done.delete(session)
    await this.journal.forgetReplies(before)
  }
}

const noSuchTransaction = (txnNumber: bigint): CommandError =>
  new CommandError('NoSuchTransaction', `Transaction ${txnNumber} has been aborted or was never started.`, {
    errorLabels: ['TransientTransactionError'],
  })

const sessionKey = (lsid: Value): string | null => {
  if (lsid === undefined) return null
  const id = isDoc(lsid) ? lsid.id : undefined
  if (!(id instanceof Binary))
    throw new CommandError('TypeMismatch', "BSON field 'lsid.id' is the wrong type, expected binData")
  return Buffer.from(id.value()).toString('latin1')
}
