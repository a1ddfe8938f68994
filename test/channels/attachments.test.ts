import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { makeAttachments } from '../../src/channels/attachments.js'
import type { Attachment } from '../../src/conversations/message.js'
import { makeDiskFiles } from '../../src/platform/files.js'
import { makeSecrets } from '../../src/platform/secrets.js'

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

const bytes = async function* (text: string) {
  yield Buffer.from(text)
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

  it('opens nothing by a ticket in place of a link, and goes nowhere by a link in place of a ticket', async () => {
    const { ticket, attachment } = await accept('hello')
    await expect(attachments.openLink(ticket)).rejects.toMatchObject({ code: 'link_expired' })
    expect(() => attachments.redeem(OWNER, [attachments.linkTo('acme', attachment)])).toThrow(/Attach it again/)
  })
})
