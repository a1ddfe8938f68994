import { describe, expect, it } from '@jest/globals'
import { Readable } from 'node:stream'
import { makeLetter, writtenOn } from '../../src/channels/webchat/letter.js'
import { settings } from '../../src/channels/webchat/settings.js'
import type { LetterGiven, Message } from '../../src/conversations/message.js'

const message = (change: Partial<Message>): Message => ({
  id: 'msg_1',
  companyId: 'acme',
  conversationId: 'cnv_1',
  channelId: 'chn_1',
  contactId: 'cnt_1',
  seq: 1,
  kind: 'message',
  author: { kind: 'agent', name: 'Ada' },
  text: 'It is on its way.',
  citations: [],
  status: 'sent',
  at: new Date('2026-03-02T10:00:00Z'),
  ...change,
})

const given = (change: Partial<LetterGiven> = {}): LetterGiven => ({
  conversation: {
    id: 'cnv_1',
    channelId: 'chn_1',
    contactId: 'cnt_1',
    state: 'open',
    handler: 'agent',
    language: null,
    lastMessage: { author: 'agent', excerpt: '', at: new Date(0) },
  },
  messages: [message({})],
  history: [],
  company: 'Acme',
  answerable: false,
  stopUrl: 'https://desk.example.com/mail/stop?t=a.b',
  ...change,
})

const letter = (own: object = {}) =>
  makeLetter({
    settings: settings.parse(own),
    ownOrigin: 'https://desk.example.com',
    openFile: async ({ name, type, size }) => ({ name, type, size, stream: Readable.from(['x']) }),
  })

const customer = (webchat: unknown) => message({ author: { kind: 'customer' }, details: { webchat } })

describe('the mail to a visitor who left', () => {
  it.each([
    ['what they write in', 'es', 'pt', 'auto', 'Respuesta de Acme'],
    ['what the chat spoke where they write in another', 'de', 'pt', 'auto', 'Resposta de Acme'],
    ['the channel’s own where the page did not say', null, undefined, 'ar', 'رد من Acme'],
    ['English where nobody knows', null, undefined, 'auto', 'Answer from Acme'],
  ])('speaks %s', async (_what, spoken, shown, own, subject) => {
    const { conversation } = given()
    const history = shown ? [customer({ language: shown })] : []
    const composed = await letter({ language: own })(
      given({ history, conversation: { ...conversation, language: spoken } }),
    )
    expect(composed.subject).toBe(subject)
  })

  it('keeps names on one line, whoever typed them', async () => {
    const name = 'Ada\r\nBcc: all@example.org'
    const { from, subject, html } = await letter()(
      given({ company: 'Acme\u2028Bcc: x <b>', messages: [message({ author: { kind: 'agent', name } })] }),
    )
    expect(from).toBe('Ada Bcc: all@example.org · Acme Bcc: x <b>')
    expect(subject).toBe('Answer from Acme Bcc: x <b>')
    expect(html).not.toContain('<b>')
  })

  it('names everybody who wrote, once', async () => {
    const ben = { kind: 'agent' as const, name: 'Ben' }
    const { from, text } = await letter()(
      given({ messages: [message({}), message({ author: ben, text: 'I add this.' }), message({ text: 'And that.' })] }),
    )
    expect(from).toBe('Ada, Ben · Acme')
    expect(text).toContain('Ben:\nI add this.')
  })

  it('asks to answer the mail only where an answer arrives', async () => {
    expect((await letter()(given({ answerable: true }))).text).toContain('You can answer this email')
    expect((await letter()(given())).text).not.toContain('You can answer this email')
  })

  it('goes on under its subject', async () => {
    const history = [message({ letter: { state: 'sent', attempts: 1, mailId: '<a@b>' } })]
    expect((await letter()(given({ history }))).subject).toBe('Re: Answer from Acme')
  })

  it.each([
    ['named by the company', ['https://shop.example'], true],
    ['named by nobody', [], false],
    ['that only begins alike', ['https://shop.exam'], false],
  ])('leads back to a site %s: %s', async (_what, origins, leads) => {
    const history = [customer({ page: 'https://shop.example/cart' })]
    const { text } = await letter({ origins })(given({ history }))
    expect(text.includes('https://shop.example/cart')).toBe(leads)
  })

  it('leads back to our own page', async () => {
    const history = [customer({ page: 'https://desk.example.com/demo' })]
    expect((await letter()(given({ history }))).text).toContain('https://desk.example.com/demo')
  })

  it('leaves files in the chat that are too large together, and names them', async () => {
    const file = (name: string, size: number) => ({ id: name, name, type: 'image/png', size })
    const attachments = [file('a.png', 9 * 1024 * 1024), file('b<i>.png', 2 * 1024 * 1024)]
    const { files, text, html } = await letter()(given({ messages: [message({ attachments })] }))
    expect(files.map(({ filename }) => filename)).toEqual(['a.png'])
    expect(text).toContain('Files that are in the chat: b<i>.png')
    expect(html).not.toContain('<i>')
  })
})

it.each([
  [
    { page: 'https://shop.example/a?token=1#x', language: 'ar' },
    { page: 'https://shop.example/a', language: 'ar' },
  ],
  [{ page: 'https://user:pw@shop.example/a' }, { page: 'https://shop.example/a' }],
  [{ page: 'file:///home/me', language: 'xx' }, {}],
  [{ page: 'null/about:blank', language: '' }, {}],
  [{ page: `https://shop.example/${'a'.repeat(600)}` }, {}],
  [{}, {}],
])('of a page %j is kept %j', (said, kept) => {
  expect(writtenOn(said)).toEqual(kept)
})
