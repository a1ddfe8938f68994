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

/** 2: collections and replies carry checksums as documents do. */
const FORMAT = 2

/** As the engine keeps their texts: a file whose tables read otherwise was not written by this store. */
const TABLES = {
  documents:
    'CREATE TABLE documents (seq INTEGER PRIMARY KEY, collection INTEGER NOT NULL, crc INTEGER NOT NULL, raw BLOB NOT NULL)',
  collections:
    'CREATE TABLE collections (id INTEGER PRIMARY KEY, namespace BLOB NOT NULL, definition BLOB NOT NULL, crc INTEGER NOT NULL)',
  replies:
    'CREATE TABLE replies (session BLOB PRIMARY KEY, txn_number INTEGER NOT NULL, reply BLOB NOT NULL, at INTEGER NOT NULL, crc INTEGER NOT NULL) WITHOUT ROWID',
}

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

type Fields = (number | Uint8Array)[]

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

const checksumOf = (...parts: Fields): number =>
  parts.reduce((sum: number, part) => crc32(part instanceof Uint8Array ? part : `${part}\0`, sum), 0)

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
        if (version === FORMAT) this.checkTables()
        this.checkPages()
        // Nothing is written where nothing is missing: a store on a full disk can still be read.
        if (version < FORMAT) this.bringUpToDate(version)
      })
      this.put = this.database.prepare(
        'INSERT INTO documents VALUES (?, ?, ?, ?) ON CONFLICT (seq) DO UPDATE SET crc = excluded.crc, raw = excluded.raw',
      )
      this.remove = this.database.prepare('DELETE FROM documents WHERE seq = ?')
      this.putCollection = this.database.prepare('INSERT OR REPLACE INTO collections VALUES (?, ?, ?, ?)')
      this.removeCollection = this.database.prepare('DELETE FROM collections WHERE id = ?')
      this.putReply = this.database.prepare('INSERT OR REPLACE INTO replies VALUES (?, ?, ?, ?, ?)')
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
    if (version === 0 && Number(tables) > 0) throw this.damaged('it is not a file of this store')
    return version
  }

  /** Checksums are on documents; whether all of them are there, the engine knows. */
  private checkPages(): void {
    const found = this.database.prepare('PRAGMA quick_check(1)').all()[0]?.quick_check
    if (found !== 'ok') throw this.damaged(String(found))
  }

  private bringUpToDate(version: number): void {
    this.database.exec('BEGIN IMMEDIATE')
    if (version === 0) for (const table of Object.values(TABLES)) this.database.exec(table)
    else {
      const collections = this.database.prepare('SELECT id, CAST(namespace AS BLOB), definition FROM collections').raw()
      const replies = this.database.prepare('SELECT session, txn_number, reply, at FROM replies').raw()
      this.remake('collections', [...collections.iterate()] as Fields[])
      this.remake('replies', [...replies.iterate()] as Fields[])
    }
    this.database.exec(`PRAGMA user_version=${FORMAT}; COMMIT`)
  }

  private remake(table: 'collections' | 'replies', rows: Fields[]): void {
    this.database.exec(`DROP TABLE ${table}; ${TABLES[table]}`)
    for (const row of rows) {
      const values = [...row, checksumOf(...row)]
      this.database.prepare(`INSERT INTO ${table} VALUES (${values.map(() => '?').join(', ')})`).run(...values)
    }
  }

  private checkTables(): void {
    // As bytes: the engine's binding ends the process over a text that is no UTF-8.
    const found = this.database.prepare("SELECT CAST(sql AS BLOB) FROM sqlite_schema WHERE type = 'table'").raw()
    const texts = [...found.iterate()].map(([text]) => Buffer.from(text as Uint8Array).toString())
    if (texts.sort().join() !== Object.values(TABLES).sort().join())
      throw this.damaged('its tables are not those of this store')
  }

  private damaged(what: string): StartFailure {
    return new StartFailure('data_damaged', `${this.file} is damaged: ${what}.`)
  }

  /** The fields of each row, whose last is the checksum of the others. */
  private checkedRows(query: string, ...values: unknown[]): Fields[] {
    return this.opening(() => {
      const rows = this.database.prepare(query).raw()
      return [...rows.iterate(...values)].map((row) => {
        const fields = row.slice(0, -1) as Fields
        if (checksumOf(...fields) !== row.at(-1)) throw this.damaged('a checksum is wrong')
        return fields
      })
    })
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
      // An error in our own statements means that the tables they name are not as they were made.
      if (/^SQLITE_(NOTADB|CORRUPT|ERROR)/.test(code) || cause instanceof MalformedBson) {
        throw new StartFailure('data_damaged', `${this.file} is damaged: ${(cause as Error).message}`, { cause })
      }
      throw new StartFailure('unavailable', `${this.file} cannot be opened: ${(cause as Error).message}`, { cause })
    }
  }

  collections(): StoredCollection[] {
    const rows = this.checkedRows('SELECT id, namespace, definition, crc FROM collections ORDER BY id')
    return (rows as [number, Uint8Array, Uint8Array][]).map(([id, namespace, definition]) => ({
      id,
      namespace: Buffer.from(namespace).toString(),
      definition: decode(Buffer.from(definition)),
    }))
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
          throw this.damaged(`the checksum of document ${seq} is wrong`)
        visit({ seq, collection, raw, doc: decode(raw) })
      }
    })
  }

  replies(since: number): StoredReply[] {
    const rows = this.checkedRows('SELECT session, txn_number, reply, at, crc FROM replies WHERE at >= ?', since)
    return (rows as [Uint8Array, number, Uint8Array, number][]).map(([session, txnNumber, reply, at]) => ({
      session: Buffer.from(session).toString('latin1'),
      txnNumber: BigInt(txnNumber),
      reply: Buffer.from(reply),
      at,
    }))
  }

  forgetReplies(before: number): void {
    this.database.prepare('DELETE FROM replies WHERE at < ?').run(before)
  }

  /** Returns when the batch is on the disk; throws, with nothing written, when it cannot be. */
  commit(batch: Batch): void {
    this.database.exec('BEGIN IMMEDIATE')
    try {
      for (const [id, entry] of batch.collections) {
        if (!entry) this.removeCollection.run(id)
        else {
          const fields: Fields = [id, Buffer.from(entry.namespace), encode(entry.definition)]
          this.putCollection.run(...fields, checksumOf(...fields))
        }
      }
      for (const [seq, { collection, raw }] of batch.documents) {
        if (raw) this.put.run(seq, collection, checksum(seq, collection, raw), raw)
        else this.remove.run(seq)
      }
      for (const [session, { txnNumber, reply, at }] of batch.replies) {
        const fields: Fields = [Buffer.from(session, 'latin1'), Number(txnNumber), reply, at]
        this.putReply.run(...fields, checksumOf(...fields))
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
