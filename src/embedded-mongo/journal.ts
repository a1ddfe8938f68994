import { closeSync, existsSync, fsyncSync, mkdirSync, openSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import path from 'node:path'
import { crc32 } from 'node:zlib'
import { decode, encode, MalformedBson } from './bson.js'
import type { Doc } from './values.js'

// libsql brings no types of its own; these are the few calls that are used.
type Statement = {
  run(...values: unknown[]): void
  all(...values: unknown[]): Record<string, unknown>[]
  raw(): Statement
  iterate(...values: unknown[]): Iterable<unknown[]>
}
type Database = { exec(sql: string): void; prepare(sql: string): Statement; close(): void }

const FORMAT = 1

export type StartFailureCode = 'data_in_use' | 'data_damaged' | 'data_newer' | 'EADDRINUSE' | 'unavailable'

/** Why the store did not start; `code` is stable, the message is for people. */
export class StartFailure extends Error {
  constructor(
    readonly code: StartFailureCode,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options)
  }
}

export type StoredDocument = { seq: number; collection: number; raw: Buffer; doc: Doc }
export type StoredCollection = { id: number; namespace: string; definition: Doc }
export type StoredReply = { session: string; txnNumber: bigint; reply: Buffer; at: number }

/** All that one commit writes; what is repeated within a tick is written once, in its last state. */
export type Batch = {
  documents: Map<number, { collection: number; raw: Buffer | null }>
  collections: Map<number, { namespace: string; definition: Doc } | null>
  replies: Map<string, { txnNumber: bigint; reply: Buffer; at: number }>
}

/** Of a document and of where it belongs: neither can change unnoticed. */
const checksum = (seq: number, collection: number, raw: Buffer): number => crc32(raw, (seq * 31 + collection) >>> 0)

/**
 * The file: libsql in WAL mode with `synchronous=FULL`, so that a commit is on the disk when it returns. The engine's
 * exclusive lock is taken at open and held: it ends with the process, however that ends.
 */
export class Journal {
  private readonly database: Database
  private readonly put: Statement
  private readonly remove: Statement
  private readonly putCollection: Statement
  private readonly removeCollection: Statement
  private readonly putReply: Statement

  constructor(readonly file: string) {
    const Libsql = createRequire(import.meta.url)('libsql') as new (file: string) => Database
    this.database = this.opening(() => new Libsql(file))
    try {
      this.opening(() => {
        this.database.prepare('PRAGMA locking_mode=EXCLUSIVE').all()
        this.database.prepare('PRAGMA journal_mode=WAL').all()
        this.database.prepare('PRAGMA synchronous=FULL').all()
        this.database.exec('BEGIN IMMEDIATE')
        this.database.exec('COMMIT')
        const version = this.checkFormat()
        this.checkPages()
        // Nothing is written where nothing is missing: a store on a full disk can still be read.
        if (version === FORMAT) return
        this.database.exec(`
          CREATE TABLE IF NOT EXISTS documents (seq INTEGER PRIMARY KEY, collection INTEGER NOT NULL, crc INTEGER NOT NULL, raw BLOB NOT NULL);
          CREATE TABLE IF NOT EXISTS collections (id INTEGER PRIMARY KEY, namespace TEXT NOT NULL, definition BLOB NOT NULL);
          CREATE TABLE IF NOT EXISTS replies (session BLOB PRIMARY KEY, txn_number INTEGER NOT NULL, reply BLOB NOT NULL, at INTEGER NOT NULL) WITHOUT ROWID;
          PRAGMA user_version=${FORMAT};`)
      })
      this.put = this.database.prepare(
        'INSERT INTO documents VALUES (?, ?, ?, ?) ON CONFLICT (seq) DO UPDATE SET crc = excluded.crc, raw = excluded.raw',
      )
      this.remove = this.database.prepare('DELETE FROM documents WHERE seq = ?')
      this.putCollection = this.database.prepare('INSERT OR REPLACE INTO collections VALUES (?, ?, ?)')
      this.removeCollection = this.database.prepare('DELETE FROM collections WHERE id = ?')
      this.putReply = this.database.prepare('INSERT OR REPLACE INTO replies VALUES (?, ?, ?, ?)')
    } catch (error) {
      this.close()
      throw error
    }
  }

  private checkFormat(): number {
    const version = Number(this.database.prepare('PRAGMA user_version').all()[0]?.user_version)
    if (version > FORMAT) {
      throw new StartFailure('data_newer', `${this.file} has format ${version}; this version reads up to ${FORMAT}.`)
    }
    const tables = this.database.prepare("SELECT count(*) AS n FROM sqlite_schema WHERE type = 'table'").all()[0]?.n
    if (version === 0 && Number(tables) > 0)
      throw new StartFailure('data_damaged', `${this.file} is not a file of this store.`)
    return version
  }

  /** Checksums are on documents; whether all of them are there, the engine knows. */
  private checkPages(): void {
    const found = this.database.prepare('PRAGMA quick_check(1)').all()[0]?.quick_check
    if (found !== 'ok') throw new StartFailure('data_damaged', `${this.file} is damaged: ${String(found)}`)
  }

  private opening<T>(work: () => T): T {
    try {
      return work()
    } catch (cause) {
      const code = (cause as { code?: string }).code ?? ''
      if (cause instanceof StartFailure) throw cause
      if (code.startsWith('SQLITE_BUSY') || code.startsWith('SQLITE_LOCKED')) {
        throw new StartFailure('data_in_use', `${this.file} is in use by another process.`, { cause })
      }
      if (code.startsWith('SQLITE_NOTADB') || code.startsWith('SQLITE_CORRUPT') || cause instanceof MalformedBson) {
        throw new StartFailure('data_damaged', `${this.file} is damaged: ${(cause as Error).message}`, { cause })
      }
      throw new StartFailure('unavailable', `${this.file} cannot be opened: ${(cause as Error).message}`, { cause })
    }
  }

  collections(): StoredCollection[] {
    return this.opening(() =>
      this.database
        .prepare('SELECT id, namespace, definition FROM collections ORDER BY id')
        .all()
        .map(({ id, namespace, definition }) => ({
          id: id as number,
          namespace: namespace as string,
          definition: decode(Buffer.from(definition as Uint8Array)),
        })),
    )
  }

  /** In the order of their insertion. */
  eachDocument(visit: (document: StoredDocument) => void): void {
    this.opening(() => {
      for (const row of this.database
        .prepare('SELECT seq, collection, crc, raw FROM documents ORDER BY seq')
        .raw()
        .iterate()) {
        const [seq, collection, crc, raw] = row as [number, number, number, Buffer]
        // Files of the first versions have checksums of the bytes alone.
        if (checksum(seq, collection, raw) !== crc && crc32(raw) !== crc)
          throw new StartFailure('data_damaged', `${this.file} is damaged: the checksum of document ${seq} is wrong.`)
        visit({ seq, collection, raw, doc: decode(raw) })
      }
    })
  }

  replies(since: number): StoredReply[] {
    return this.opening(() => {
      return this.database
        .prepare('SELECT session, txn_number, reply, at FROM replies WHERE at >= ?')
        .all(since)
        .map(({ session, txn_number, reply, at }) => ({
          session: Buffer.from(session as Uint8Array).toString('latin1'),
          txnNumber: BigInt(txn_number as number),
          reply: Buffer.from(reply as Uint8Array),
          at: at as number,
        }))
    })
  }

  forgetReplies(before: number): void {
    this.database.prepare('DELETE FROM replies WHERE at < ?').run(before)
  }

  /** Returns when the batch is on the disk; throws, with nothing written, when it cannot be. */
  commit(batch: Batch): void {
    this.database.exec('BEGIN IMMEDIATE')
    try {
      for (const [id, entry] of batch.collections) {
        if (entry) this.putCollection.run(id, entry.namespace, encode(entry.definition))
        else this.removeCollection.run(id)
      }
      for (const [seq, { collection, raw }] of batch.documents) {
        if (raw) this.put.run(seq, collection, checksum(seq, collection, raw), raw)
        else this.remove.run(seq)
      }
      for (const [session, { txnNumber, reply, at }] of batch.replies) {
        this.putReply.run(Buffer.from(session, 'latin1'), Number(txnNumber), reply, at)
      }
      this.database.exec('COMMIT')
    } catch (error) {
      try {
        this.database.exec('ROLLBACK')
      } catch {
        // Some failures have rolled back by themselves already.
      }
      throw error
    }
  }

  /** A copy of all that is committed, whole and on the disk when it returns. Throws when the file is there already. */
  backUp(file: string): void {
    if (existsSync(file)) throw new Error(`${file} is there already`)
    mkdirSync(path.dirname(file), { recursive: true, mode: 0o700 })
    try {
      this.database.prepare('VACUUM INTO ?').run(file)
    } catch (error) {
      rmSync(file, { force: true })
      throw error
    }
    for (const place of [file, path.dirname(file)]) {
      const handle = openSync(place, 'r')
      fsyncSync(handle)
      closeSync(handle)
    }
  }

  /**
   * Folds the log into the file and gives the lock back. Closing alone does not: statements that are not collected yet
   * keep the connection, and the lock with it, alive.
   */
  close(): void {
    try {
      this.database.prepare('PRAGMA journal_mode=DELETE').all()
      this.database.prepare('PRAGMA locking_mode=NORMAL').all()
      this.database.prepare('SELECT count(*) FROM sqlite_schema').all()
    } catch {
      // A damaged file cannot be folded; it is left as it is.
    }
    this.database.close()
  }
}
