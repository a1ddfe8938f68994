import { Busboy, type BusboyInstance } from '@fastify/busboy'
import type { Request } from 'express'
import type { Readable } from 'node:stream'
import { AppError } from '../platform/errors.js'

/** A file as it arrives in a form: its name and type are what the client says. */
export type IncomingFile = { bytes: AsyncIterable<Uint8Array>; name: string; declaredType: string }

/**
 * Reads a form with one part `file`. `take` gets the file while it arrives; `undo` what it made, where the rest of the form turns
 * out wrong. Throws one clear error and never crashes on what is no form.
 */
export type ReadForm<Fields> = <T>(
  take: (file: IncomingFile) => Promise<T>,
  undo: (taken: T) => Promise<void>,
) => Promise<{ fields: Fields; file: T }>

/** What a form may hold besides its file. */
const LIMITS = { fields: 20, files: 2, parts: 25, fieldSize: 64 * 1024, fieldNameSize: 100, headerPairs: 20 }
/** Bytes that are read on after a refusal, so that a client that is still sending can hear it. */
const READ_ON_BYTES = 64 * 1024 * 1024

export const isForm = (req: Request): boolean => /^multipart\/form-data\s*;/iu.test(req.headers['content-type'] ?? '')

export const makeReadForm =
  <Fields>(req: Request, parse: (given: Record<string, string>) => Fields): ReadForm<Fields> =>
  async (take, undo) => {
    const given = new Map<string, string>()
    let taken: ReturnType<typeof take> | undefined
    let bytes: Readable | undefined
    const parser = parserFor(req)
    try {
      await new Promise<void>((resolve, reject) => {
        parser.on('finish', resolve)
        parser.on('error', (cause) => reject(malformed(cause)))
        for (const limit of ['partsLimit', 'fieldsLimit', 'filesLimit'] as const) {
          parser.on(limit, () => reject(refused('too_many_parts', 'The form has too many parts.', 'body')))
        }
        parser.on('field', (name, value, nameCut, valueCut) => {
          if (name === 'file') return reject(noFile())
          const field = name.slice(0, LIMITS.fieldNameSize)
          if (nameCut || valueCut) return reject(refused('invalid', `${field}: is too long`, field))
          if (given.has(name)) return reject(refused('repeated_field', `${field} is given twice.`, field))
          given.set(name, value)
        })
        parser.on('file', (name, stream, fileName: string | undefined, _encoding, declaredType) => {
          // Whoever reads it may not have begun when it breaks; nobody listening would end the process.
          stream.on('error', () => {})
          if (name !== 'file' || taken) {
            stream.resume()
            const field = name.slice(0, LIMITS.fieldNameSize)
            return reject(
              name === 'file'
                ? refused('repeated_field', 'Send one file at a time.', 'file')
                : refused('unknown_field', `There is no field "${field}" here.`, field),
            )
          }
          bytes = stream
          taken = take({ bytes: stream, name: fileName ?? '', declaredType })
          taken.catch(reject)
        })
        req.on('error', (cause) => reject(incomplete(cause)))
        req.on('aborted', () => reject(incomplete()))
        req.pipe(parser)
      })
      if (!taken) throw noFile()
      // A field that was left blank in a browser's form was not given.
      const fields = parse(Object.fromEntries([...given].filter(([, value]) => value !== '')))
      return { fields, file: await taken }
    } catch (error) {
      req.unpipe(parser)
      readOn(req)
      bytes?.destroy(error instanceof Error ? error : new Error('refused'))
      const left = await taken?.catch(() => undefined)
      if (left !== undefined) await undo(left)
      throw error
    }
  }

const parserFor = (req: Request): BusboyInstance => {
  try {
    const { 'content-type': type = '' } = req.headers
    return new Busboy({ headers: { 'content-type': type }, limits: LIMITS })
  } catch (cause) {
    readOn(req)
    throw malformed(cause)
  }
}

const readOn = (req: Request): void => {
  let left = READ_ON_BYTES
  req.on('error', () => {})
  req.on('data', (chunk: Buffer) => {
    left -= chunk.length
    if (left < 0) req.destroy()
  })
  req.resume()
}

const refused = (code: string, message: string, field: string): AppError =>
  new AppError('invalid', code, message, { field })

const noFile = (): AppError =>
  refused('invalid', 'file: is required; send it as a part named "file" with a file name', 'file')

const malformed = (cause: unknown): AppError =>
  new AppError('invalid', 'malformed_form', 'The body is not a valid multipart form.', { field: 'body', cause })

const incomplete = (cause?: unknown): AppError =>
  new AppError('invalid', 'incomplete_body', 'The body ended before its announced length.', { field: 'body', cause })
