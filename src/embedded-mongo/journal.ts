import { closeSync, existsSync, fsyncSync, mkdirSync, openSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import path from 'node:path'
import { crc32 } from 'node:zlib'
import { decode, encode, MalformedBson } from './bson.js'
import type { Doc } from './values.js'

// The types that libsql brings are of another library; these are the few calls that are used. `exec` works in a thread of
// the engine's own, `run` in this one.
type Statement = {
  run(...values: unknown[]): void
  all(...values: unknown[]): Promise<Record<string, unknown>[]>
  raw(): Statement
  iterate(...values: unknown[]): Promise<Iterable<unknown[]>>
}
type Database = { exec(sql: string): Promise<void>; prepare(sql: string): Promise<Statement>; close(): void }

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
 * The file: libsql in WAL mode with `synchronous=FULL`, so that a commit is on the disk when it resolves. The engine's
 * exclusive lock is taken at open and held: it ends with the process, however that ends.
 */
export class Journal {
  /** The connection does one thing at a time; a call that came while it was busy would stop the thread. */
  private last: Promise<unknown> = Promise.resolve()

  private constructor(
    readonly file: string,
    private readonly database: Database,
  ) {}

  static async open(file: string): Promise<Journal> {
    const Libsql = createRequire(import.meta.url)('libsql/promise') as new (file: string) => Database
    const journal = new Journal(file, await opening(file, () => new Libsql(file)))
    try {
      await opening(file, () => journal.prepare())
    } catch (error) {
      await journal.close()
      throw error
    }
    return journal
  }

  private statements!: Record<'begin' | 'put' | 'remove' | 'putCollection' | 'removeCollection' | 'putReply', Statement>

  private async prepare(): Promise<void> {
    const { database } = this
    for (const pragma of ['locking_mode=EXCLUSIVE', 'journal_mode=WAL', 'synchronous=FULL'])
      await this.rows(`PRAGMA ${pragma}`)
    await database.exec('BEGIN IMMEDIATE')
    await database.exec('COMMIT')
    const version = await this.checkFormat()
    if (version === FORMAT) await this.checkTables()
    await this.checkPages()
    // Nothing is written where nothing is missing: a store on a full disk can still be read.
    if (version < FORMAT) await this.bringUpToDate(version)
    this.statements = {
      begin: await database.prepare('BEGIN IMMEDIATE'),
      put: await database.prepare(
        'INSERT INTO documents VALUES (?, ?, ?, ?) ON CONFLICT (seq) DO UPDATE SET crc = excluded.crc, raw = excluded.raw',
      ),
      remove: await database.prepare('DELETE FROM documents WHERE seq = ?'),
      putCollection: await database.prepare('INSERT OR REPLACE INTO collections VALUES (?, ?, ?, ?)'),
      removeCollection: await database.prepare('DELETE FROM collections WHERE id = ?'),
      putReply: await database.prepare('INSERT OR REPLACE INTO replies VALUES (?, ?, ?, ?, ?)'),
    }
  }

  private async rows(sql: string): Promise<Record<string, unknown>[]> {
    return (await this.database.prepare(sql)).all()
  }

  private async fields(sql: string, ...values: unknown[]): Promise<Iterable<unknown[]>> {
    return (await this.database.prepare(sql)).raw().iterate(...values)
  }

  private async checkFormat(): Promise<number> {
    const [{ user_version } = {}] = await this.rows('PRAGMA user_version')
    const version = Number(user_version)
    if (version > FORMAT) {
      throw new StartFailure('data_newer', `${this.file} has format ${version}; this version reads up to ${FORMAT}.`)
    }
    const [{ n: tables } = {}] = await this.rows("SELECT count(*) AS n FROM sqlite_schema WHERE type = 'table'")
    if (version === 0 && Number(tables) > 0) throw this.damaged('it is not a file of this store')
    return version
  }

  /** Checksums are on documents; whether all of them are there, the engine knows. */
  private async checkPages(): Promise<void> {
    const [{ quick_check: found } = {}] = await this.rows('PRAGMA quick_check(1)')
    if (found !== 'ok') throw this.damaged(String(found))
  }

  private async bringUpToDate(version: number): Promise<void> {
    await this.database.exec('BEGIN IMMEDIATE')
    if (version === 0) for (const table of Object.values(TABLES)) await this.database.exec(table)
    else {
      const collections = await this.fields('SELECT id, CAST(namespace AS BLOB), definition FROM collections')
      await this.remake('collections', [...collections] as Fields[])
      const replies = await this.fields('SELECT session, txn_number, reply, at FROM replies')
      await this.remake('replies', [...replies] as Fields[])
    }
    await this.database.exec(`PRAGMA user_version=${FORMAT}; COMMIT`)
  }

  private async remake(table: 'collections' | 'replies', rows: Fields[]): Promise<void> {
    await this.database.exec(`DROP TABLE ${table}; ${TABLES[table]}`)
    for (const row of rows) {
      const values = [...row, checksumOf(...row)]
      const put = await this.database.prepare(`INSERT INTO ${table} VALUES (${values.map(() => '?').join(', ')})`)
      put.run(...values)
    }
  }

  private async checkTables(): Promise<void> {
    // As bytes: the engine's binding ends the process over a text that is no UTF-8.
    const found = await this.fields("SELECT CAST(sql AS BLOB) FROM sqlite_schema WHERE type = 'table'")
    const texts = [...found].map(([text]) => Buffer.from(text as Uint8Array).toString())
    if (texts.sort().join() !== Object.values(TABLES).sort().join())
      throw this.damaged('its tables are not those of this store')
  }

  private damaged(what: string): StartFailure {
    return damaged(this.file, `${what}.`)
  }

  /** The fields of each row, whose last is the checksum of the others. */
  private checkedRows(query: string, ...values: unknown[]): Promise<Fields[]> {
    return opening(this.file, async () =>
      [...(await this.fields(query, ...values))].map((row) => {
        const fields = row.slice(0, -1) as Fields
        if (checksumOf(...fields) !== row.at(-1)) throw this.damaged('a checksum is wrong')
        return fields
      }),
    )
  }

  async collections(): Promise<StoredCollection[]> {
    const rows = await this.checkedRows('SELECT id, namespace, definition, crc FROM collections ORDER BY id')
    return (rows as [number, Uint8Array, Uint8Array][]).map(([id, namespace, definition]) => ({
      id,
      namespace: Buffer.from(namespace).toString(),
      definition: decode(Buffer.from(definition)),
    }))
  }

  /** In the order of their insertion. */
  eachDocument(visit: (document: StoredDocument) => void): Promise<void> {
    return opening(this.file, async () => {
      for (const row of await this.fields('SELECT seq, collection, crc, raw FROM documents ORDER BY seq')) {
        const [seq, collection, crc, raw] = row as [number, number, number, Buffer]
        // Files of the first versions have checksums of the bytes alone.
        if (checksum(seq, collection, raw) !== crc && crc32(raw) !== crc)
          throw this.damaged(`the checksum of document ${seq} is wrong`)
        visit({ seq, collection, raw, doc: decode(raw) })
      }
    })
  }

  async replies(since: number): Promise<StoredReply[]> {
    const rows = await this.checkedRows('SELECT session, txn_number, reply, at, crc FROM replies WHERE at >= ?', since)
    return (rows as [Uint8Array, number, Uint8Array, number][]).map(([session, txnNumber, reply, at]) => ({
      session: Buffer.from(session).toString('latin1'),
      txnNumber: BigInt(txnNumber),
      reply: Buffer.from(reply),
      at,
    }))
  }

  forgetReplies(before: number): Promise<void> {
    return this.inTurn(() => this.database.exec(`DELETE FROM replies WHERE at < ${before}`))
  }

  private inTurn(work: () => Promise<void>): Promise<void> {
    const done = this.last.then(work)
    this.last = done.catch(() => {})
    return done
  }

  /**
   * Resolves when the batch is on the disk; rejects, with nothing written, when it cannot be. The wait for the disk is
   * not this thread's.
   */
  commit(batch: Batch): Promise<void> {
    return this.inTurn(async () => {
      try {
        this.statements.begin.run()
        this.write(batch)
        await this.database.exec('COMMIT')
      } catch (error) {
        // Some failures have rolled back by themselves already.
        await this.database.exec('ROLLBACK').catch(() => {})
        throw error
      }
    })
  }

  private write({ collections, documents, replies }: Batch): void {
    const { put, remove, putCollection, removeCollection, putReply } = this.statements
    for (const [id, entry] of collections) {
      if (!entry) removeCollection.run(id)
      else {
        const fields: Fields = [id, Buffer.from(entry.namespace), encode(entry.definition)]
        putCollection.run(...fields, checksumOf(...fields))
      }
    }
    for (const [seq, { collection, raw }] of documents) {
      if (raw) put.run(seq, collection, checksum(seq, collection, raw), raw)
      else remove.run(seq)
    }
    for (const [session, { txnNumber, reply, at }] of replies) {
      const fields: Fields = [Buffer.from(session, 'latin1'), Number(txnNumber), reply, at]
      putReply.run(...fields, checksumOf(...fields))
    }
  }

  /** A copy of all that is committed, whole and on the disk when it resolves. Rejects when the file is there already. */
  backUp(file: string): Promise<void> {
    return this.inTurn(async () => {
      if (existsSync(file)) throw new Error(`${file} is there already`)
      mkdirSync(path.dirname(file), { recursive: true, mode: 0o700 })
      try {
        await this.database.exec(`VACUUM INTO '${file.replaceAll("'", "''")}'`)
      } catch (error) {
        rmSync(file, { force: true })
        throw error
      }
      for (const place of [file, path.dirname(file)]) {
        const handle = openSync(place, 'r')
        fsyncSync(handle)
        closeSync(handle)
      }
    })
  }

  /**
   * Folds the log into the file and gives the lock back. Closing alone does not: statements that are not collected yet
   * keep the connection, and the lock with it, alive.
   */
  async close(): Promise<void> {
    await this.last
    try {
      for (const sql of [
        'PRAGMA journal_mode=DELETE',
        'PRAGMA locking_mode=NORMAL',
        'SELECT count(*) FROM sqlite_schema',
      ])
        await this.rows(sql)
    } catch {
      // A damaged file cannot be folded; it is left as it is.
    }
    this.database.close()
  }
}

const damaged = (file: string, what: string, cause?: unknown): StartFailure =>
  new StartFailure('data_damaged', `${file} is damaged: ${what}`, { cause })

/** Says in our words why the file cannot be opened. */
const opening = async <T>(file: string, work: () => T | Promise<T>): Promise<T> => {
  try {
    return await work()
  } catch (cause) {
    const { code = '', message } = cause as { code?: string; message: string }
    if (cause instanceof StartFailure) throw cause
    if (code.startsWith('SQLITE_BUSY') || code.startsWith('SQLITE_LOCKED')) {
      throw new StartFailure('data_in_use', `${file} is in use by another process.`, { cause })
    }
    // An error in our own statements means that the tables they name are not as they were made.
    if (/^SQLITE_(NOTADB|CORRUPT|ERROR)/.test(code) || cause instanceof MalformedBson)
      throw damaged(file, message, cause)
    throw new StartFailure('unavailable', `${file} cannot be opened: ${message}`, { cause })
  }
}
