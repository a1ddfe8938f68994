import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { readdir } from 'node:fs/promises'
import { connect } from 'node:net'
import path from 'node:path'
import { makeDocx, makePdf, paragraph, PNG } from '../fixtures/documents/make.js'
import { call, openInstallation, OWNER_KEY as key, type Installation } from './installation.js'

let installation: Installation
let address: string

beforeAll(async () => {
  installation = await openInstallation({ rateLimitFactor: 100 })
  address = installation.address
})
afterAll(() => installation.close())

const DOCUMENTS = '/api/v1/knowledge/documents'
const MEGABYTE = 1024 * 1024

type Shown = { status: string; id: string; [field: string]: unknown }
type Reply = Shown & { error: { code: string; message: string; field?: string } }

const formOf = (bytes: Buffer | string, name: string, fields: Record<string, string> = {}, type = '') => {
  const form = new FormData()
  for (const [field, value] of Object.entries(fields)) form.append(field, value)
  form.append('file', new Blob([new Uint8Array(Buffer.from(bytes))], { type }), name)
  return form
}
const send = async (body: FormData, { path: to = DOCUMENTS, method = 'POST', bearer = key } = {}) => {
  const response = await fetch(address + to, { method, headers: { authorization: `Bearer ${bearer}` }, body })
  return { status: response.status, json: (await response.json()) as Reply }
}
/** A form as it would come over the line, byte for byte. */
const sendRaw = async (body: string | Buffer, type = 'multipart/form-data; boundary=x') => {
  const response = await fetch(address + DOCUMENTS, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}`, 'content-type': type },
    body: new Uint8Array(Buffer.from(body)),
  })
  return { status: response.status, json: (await response.json()) as Reply }
}
const shown = async (id: string) => (await call(address, 'get', `${DOCUMENTS}/${id}`, { key })).json as unknown as Shown
const count = async () => (await call(address, 'get', DOCUMENTS, { key })).json.documents.length
const incoming = () => readdir(path.join(installation.directory, 'incoming')).catch(() => [])
const eventually = async (look: () => Promise<boolean>) => {
  for (let tries = 0; tries < 1_200 && !(await look()); tries += 1)
    await new Promise((resolve) => setTimeout(resolve, 25))
  expect(await look()).toBe(true)
}

describe('an uploaded file', () => {
  it('is accepted with its settings, whichever come first, and indexed', async () => {
    const form = formOf(await makePdf([['You can return a parcel within 14 days.']]), 'Rückgabe.pdf', {
      title: 'Returns',
      language: 'en',
      audience: 'staff',
      metadata: '{"product":"shoes","year":2026}',
    })
    const { status, json } = await send(form)
    expect([status, json.status]).toEqual([202, 'queued'])
    await installation.knowledge.indexDocument(installation.firstCompanyId, json.id)
    expect(await shown(json.id)).toMatchObject({
      title: 'Returns',
      status: 'ready',
      progress: 1,
      reason: null,
      note: null,
      format: 'pdf',
      pages: 1,
      language: 'en',
      audience: 'staff',
      metadata: { product: 'shoes', year: 2026 },
      file: { name: 'Rückgabe.pdf', size: expect.any(Number) },
    })
  })

  it('with its fields behind it, or left blank, is accepted too', async () => {
    const form = formOf('Open from nine to five.', 'hours.txt')
    form.append('title', 'Opening hours')
    form.append('language', '')
    const { status, json } = await send(form)
    expect(status).toBe(202)
    expect(await shown(json.id)).toMatchObject({ title: 'Opening hours', language: null, format: 'text' })
  })

  it('is the same document when it comes again', async () => {
    const both = await Promise.all([1, 2, 3].map(() => send(formOf('Once and only once.', 'once.md'))))
    expect(both.map(({ status }) => status)).toEqual([202, 202, 202])
    expect(new Set(both.map(({ json }) => json.id)).size).toBe(1)
  })

  it('replaces a document, and nothing is taken in for one that is not there', async () => {
    const { json } = await send(formOf('First words.', 'words.txt'))
    const to = { method: 'PUT', path: `${DOCUMENTS}/${json.id}` }
    expect(await send(formOf('Second words.', 'words.txt'), to)).toMatchObject({ status: 202, json: { id: json.id } })
    expect(await shown(json.id)).toMatchObject({ version: 2, file: { name: 'words.txt' } })
    const missing = await send(formOf('x', 'x.txt'), { method: 'PUT', path: `${DOCUMENTS}/doc_none` })
    expect([missing.status, missing.json.error.code]).toEqual([404, 'document_not_found'])
  })

  it('may be as large as the limit and no larger', async () => {
    const large = await send(formOf(Buffer.alloc(50 * MEGABYTE, 'words '), 'large.txt'))
    expect(large.status).toBe(202)
    const larger = await send(formOf(Buffer.alloc(50 * MEGABYTE + 1, 'words '), 'larger.txt'))
    expect([larger.status, larger.json.error]).toEqual([
      413,
      expect.objectContaining({
        code: 'file_too_large',
        field: 'file',
        message: 'The file is larger than the limit of 50 MB.',
      }),
    ])
    expect(await incoming()).toEqual([])
  })

  it.each([
    ['a picture', PNG, 'scan.png', 415, 'unsupported_file', 'OCR'],
    ['a picture that says it is a PDF', PNG, 'scan.pdf', 415, 'unsupported_file', 'OCR'],
    [
      'an archive',
      Buffer.concat([Buffer.from('PK\u0005\u0006'), Buffer.alloc(18)]),
      'a.zip',
      415,
      'unsupported_file',
      'Unpack',
    ],
    [
      'an old Word file',
      Buffer.concat([Buffer.from('d0cf11e0a1b11ae1', 'hex'), Buffer.alloc(600)]),
      'a.doc',
      415,
      'unsupported_file',
      '.docx',
    ],
    ['nothing', Buffer.alloc(0), 'a.txt', 400, 'file_empty', 'empty'],
    ['a program', Buffer.concat([Buffer.from('text'), Buffer.alloc(99)]), 'a.txt', 400, 'not_text', 'something else'],
  ])('that is %s is refused with what to do', async (_name, bytes, name, status, code, word) => {
    const answer = await send(formOf(bytes, name, {}, 'application/pdf'))
    expect([answer.status, answer.json.error]).toEqual([
      status,
      expect.objectContaining({ code, field: 'file', message: expect.stringContaining(word) }),
    ])
    expect(await incoming()).toEqual([])
  })

  it.each([
    [{ metadata: '{"a":' }, 'metadata'],
    [{ metadata: '{"$where":"1"}' }, 'metadata.$where'],
    [{ metadata: '{"__proto__":{"admin":true}}' }, 'metadata.__proto__'],
    [{ language: '../en' }, 'language'],
    [{ title: 'x'.repeat(201) }, 'title'],
    [{ title: 'x'.repeat(70_000) }, 'title'],
    [{ colour: 'red' }, 'colour'],
    [{ url: 'http://169.254.169.254/' }, 'url'],
    [{ text: 'both' }, 'text'],
    [{ __proto__: null, constructor: 'x' }, 'constructor'],
  ])('with bad fields (%#) is refused by their names, and leaves nothing', async (fields, field) => {
    const before = await count()
    const { status, json } = await send(formOf('Words.', 'words.txt', fields as unknown as Record<string, string>))
    expect([status, json.error.field]).toEqual([400, field])
    expect(await count()).toBe(before)
    expect(await incoming()).toEqual([])
  })
})

describe('a form that is none', () => {
  const part = (head: string, body = 'words') => `--x\r\n${head}\r\n\r\n${body}\r\n`
  const file = part('Content-Disposition: form-data; name="file"; filename="a.txt"')
  it.each([
    ['has no end', file, 'body'],
    [
      'ends in the middle of its file',
      '--x\r\nContent-Disposition: form-data; name="file"; filename="a.txt"\r\n\r\nwor',
      'body',
    ],
    ['ends in the middle of a head', '--x\r\nContent-Dispo', 'body'],
    ['is empty', '', 'body'],
    ['has no parts', '--x--\r\n', 'file'],
    ['is noise', Buffer.from(Array.from({ length: 5_000 }, (_, at) => (at * 37) % 256)), 'body'],
    ['has a file without a name', `${part('Content-Disposition: form-data; name="file"')}--x--`, 'file'],
    ['has two files', `${file}${file}--x--`, 'file'],
    [
      'has a file of another name',
      `${part('Content-Disposition: form-data; name="upload"; filename="a.txt"')}--x--`,
      'upload',
    ],
    [
      'has a field twice',
      `${part('Content-Disposition: form-data; name="title"')}${part('Content-Disposition: form-data; name="title"')}${file}--x--`,
      'title',
    ],
    [
      'has hundreds of parts',
      `${Array.from({ length: 300 }, (_, at) => part(`Content-Disposition: form-data; name="f${at}"`)).join('')}${file}--x--`,
      'body',
    ],
    [
      'has a name without an end',
      `${part(`Content-Disposition: form-data; name="${'n'.repeat(100_000)}"`)}--x--`,
      null,
    ],
    ['has a head without an end', `--x\r\n${'A: b\r\n'.repeat(50_000)}`, null],
    ['has a part without a head', '--x\r\n\r\nwords\r\n--x--', 'file'],
    ['names a prototype', `${part('Content-Disposition: form-data; name="__proto__"')}${file}--x--`, '__proto__'],
  ])('because it %s is refused, and the next call is served', async (_name, body, field) => {
    const { status, json } = await sendRaw(body)
    expect([status, json.error.field]).toEqual([400, field ?? expect.any(String)])
    expect((await call(address, 'get', DOCUMENTS, { key })).status).toBe(200)
    await eventually(async () => (await incoming()).length === 0)
  })

  it.each(['multipart/form-data', 'multipart/form-data; boundary=', 'multipart/mixed; boundary=x'])(
    'because its type is %s is refused',
    async (type) => {
      expect((await sendRaw(`${file}--x--`, type)).status).toBeGreaterThanOrEqual(400)
    },
  )

  it('because its sender leaves in the middle leaves nothing', async () => {
    const { port, hostname } = new URL(address)
    const socket = connect(Number(port), hostname)
    socket.write(
      `POST ${DOCUMENTS} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${key}\r\nContent-Type: multipart/form-data; boundary=x\r\nContent-Length: 100000\r\n\r\n` +
        '--x\r\nContent-Disposition: form-data; name="file"; filename="a.txt"\r\n\r\nwords and more words',
    )
    await eventually(async () => (await incoming()).length === 1)
    socket.destroy()
    await eventually(async () => (await incoming()).length === 0)
    expect((await call(address, 'get', DOCUMENTS, { key })).status).toBe(200)
  })

  it('is not read for a stranger', async () => {
    expect((await send(formOf('Words.', 'a.txt'), { bearer: 'nobody' })).status).toBe(401)
    expect(await incoming()).toEqual([])
  })
})

describe('an original', () => {
  const download = (id: string, bearer = key) =>
    fetch(`${address}${DOCUMENTS}/${id}/original`, { headers: { authorization: `Bearer ${bearer}` } })

  it('is saved, never shown, under the name that it had', async () => {
    const bytes = await makeDocx(paragraph('Hello.'))
    const { json } = await send(formOf(bytes, "Größe 'x' 100%.docx", {}, 'text/html'))
    const response = await download(json.id)
    expect(response.status).toBe(200)
    expect(Buffer.from(await response.arrayBuffer()).equals(bytes)).toBe(true)
    expect(Object.fromEntries(response.headers)).toMatchObject({
      'content-type': 'application/vnd.openxmlformats-officedocument.wordprocessingml.document',
      'content-length': String(bytes.length),
      'content-disposition': `attachment; filename="Gr__e 'x' 100_.docx"; filename*=UTF-8''Gr%C3%B6%C3%9Fe%20%27x%27%20100%25.docx`,
      'x-content-type-options': 'nosniff',
      'content-security-policy': "sandbox; default-src 'none'",
      'cache-control': 'private, no-store',
    })
  })

  it('of a text is that text', async () => {
    const { json } = await call(address, 'post', DOCUMENTS, {
      key,
      body: { title: 'Our <b>hours</b>', text: '<p>Grüße</p>', format: 'html' },
    })
    const response = await download(json.id)
    expect(await response.text()).toBe('<p>Grüße</p>')
    expect(response.headers.get('content-disposition')).toContain('attachment;')
  })

  it('of another company is not there', async () => {
    const { json } = await send(formOf('Only ours.', 'ours.txt'))
    const other = (await call(address, 'post', '/api/v1/companies', { key, body: { name: 'Another' } })).json
    expect((await download(json.id, other.apiKey)).status).toBe(404)
    expect(
      (await send(formOf('x', 'x.txt'), { method: 'PUT', path: `${DOCUMENTS}/${json.id}`, bearer: other.apiKey }))
        .status,
    ).toBe(404)
    // The same bytes are a document of their own there.
    const theirs = await send(formOf('Only ours.', 'ours.txt'), { bearer: other.apiKey })
    expect(theirs.json.id).not.toBe(json.id)
    await call(address, 'delete', `${DOCUMENTS}/${json.id}`, { key })
    expect((await download(theirs.json.id, other.apiKey)).status).toBe(200)
    expect((await download(json.id)).status).toBe(404)
  })
})
