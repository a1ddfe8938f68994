import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { makeAttachments } from '../../src/channels/attachments.js'
import type { Attachment } from '../../src/conversations/message.js'
import { makeDiskFiles } from '../../src/platform/files.js'
import { makeSecrets } from '../../src/platform/secrets.js'
import { hum, voiceNote } from '../support/recordings.mjs'

const HOUR_MS = 60 * 60 * 1000
const OWNER = { companyId: 'acme', ownerId: 'cnt_1' }

let directory: string
let now: Date
let named: Set<string>
let attachments: ReturnType<typeof makeAttachments>

beforeEach(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'helpdesk-attachments-'))
  now = new Date()
  named = new Set()
  attachments = makeAttachments({
    files: makeDiskFiles(directory),
    attachment: async (_companyId, id) => (named.has(id) ? ({ id } as Attachment) : null),
    secrets: makeSecrets('a secret of the tests, longer than thirty-two characters'),
    clock: { now: () => now },
  })
})
afterEach(() => rm(directory, { recursive: true }))

const bytes = async function* (content: string | Buffer) {
  yield Buffer.from(content)
}
const pass = (hours: number) => {
  now = new Date(now.getTime() + hours * HOUR_MS)
}
const accept = (text: string) => attachments.accept(OWNER, { bytes: bytes(text), name: 'notes.txt' })

describe('a file that was sent up', () => {
  it('is swept after a day where no message names it, and its ticket is worth nothing before that', async () => {
    const kept = await accept('kept')
    const left = await accept('left')
    named.add(kept.attachment.id)
    expect(attachments.redeem(OWNER, [left.ticket])).toEqual([left.attachment])
    pass(20)
    expect(() => attachments.redeem(OWNER, [left.ticket])).toThrow(/Attach it again/)
    await attachments.sweep()
    await (await attachments.open('acme', left.attachment)).stream.resume().toArray()
    pass(5)
    await attachments.sweep()
    await expect(attachments.open('acme', left.attachment)).rejects.toMatchObject({ code: 'file_not_found' })
    const { stream } = await attachments.open('acme', kept.attachment)
    expect(Buffer.concat(await stream.toArray()).toString()).toBe('kept')
  })

  it('can be saved by whoever was given the link, for a day', async () => {
    const { attachment } = await accept('hello')
    const link = attachments.linkTo('acme', attachment)
    expect(await attachments.openLink(link)).toMatchObject({ name: 'notes.txt', size: 5 })
    pass(24)
    await expect(attachments.openLink(link)).rejects.toMatchObject({ code: 'link_expired' })
  })

  it.each([
    ['another contact', { ...OWNER, ownerId: 'cnt_2' }],
    ['another company', { ...OWNER, companyId: 'globex' }],
  ])('is no use to %s', async (_who, other) => {
    const { ticket } = await accept('secret')
    expect(() => attachments.redeem(other, [ticket])).toThrow(/Attach it again/)
  })

  it.each([
    ['a hum', 'hum.wav', hum(1), 'audio/wav'],
    ['a voice note', 'voice.ogg', voiceNote('hello'), 'audio/ogg'],
    [
      'a page that calls itself a recording',
      'voice.ogg',
      Buffer.from('<script>alert(1)</script>'),
      'application/octet-stream',
    ],
    ['a recording that calls itself a text', 'notes.txt', hum(1), 'audio/wav'],
  ])('that came through a provider is played only where its bytes are sound: %s', async (_what, name, whole, type) => {
    const kept = await attachments.keep('acme', { bytes: bytes(whole), name, mostBytes: 1e6 })
    expect(kept).toMatchObject({ name, type })
  })

  it.each([
    ['hum.wav', hum(1), 'audio/wav'],
    ['voice.ogg', voiceNote('hello'), 'audio/ogg'],
    ['hum.mp3', hum(1), null],
    ['hum.wav', Buffer.from('<script>alert(1)</script>'), null],
    ['film.mp4', voiceNote('hello'), null],
    ['notes.txt', hum(1), 'application/octet-stream'],
  ])('that somebody sends as %s is what its name says, or is refused', async (name, whole, type) => {
    const accepting = attachments.accept(OWNER, { bytes: bytes(whole), name })
    if (type) expect((await accepting).attachment).toMatchObject({ name, type })
    else await expect(accepting).rejects.toMatchObject({ code: 'file_type_not_allowed' })
  })

  it('opens nothing by a ticket in place of a link, and goes nowhere by a link in place of a ticket', async () => {
    const { ticket, attachment } = await accept('hello')
    await expect(attachments.openLink(ticket)).rejects.toMatchObject({ code: 'link_expired' })
    expect(() => attachments.redeem(OWNER, [attachments.linkTo('acme', attachment)])).toThrow(/Attach it again/)
  })
})
