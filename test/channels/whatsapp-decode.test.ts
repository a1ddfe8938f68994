import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { asWaId, externalIdOf, phoneOf, shownName } from '../../src/channels/whatsapp/contact.js'
import { decodeUpdates } from '../../src/channels/whatsapp/decode.js'
import { arrivalOf } from '../../src/channels/whatsapp/incoming.js'
import { answerChallenge, isSigned } from '../../src/channels/whatsapp/signature.js'
import {
  ACCOUNT_ID,
  from,
  oddMessages,
  PHONE_NUMBER_ID,
  said,
  signatureOf,
  statusOf,
  textMessage,
  webhookOf,
} from '../support/whatsapp.js'

const SENDER = '5511998877665'
const NOW = new Date('2026-03-02T10:00:00Z')

describe('what a customer sends on WhatsApp', () => {
  it.each(Object.entries(oddMessages))('is told apart: %s', (_name, { message, contacts, becomes }) => {
    const [update, ...rest] = decodeUpdates(
      webhookOf({ contacts: contacts ?? from(SENDER).contacts, messages: [message] }),
    )
    expect(rest).toEqual([])
    expect(update).toMatchObject({ ...becomes, phoneNumberId: PHONE_NUMBER_ID })
  })

  it.each(Object.entries(oddMessages))(
    'reads as words for whoever looks at the conversation: %s',
    (_name, { message, contacts }) => {
      const [update] = decodeUpdates(webhookOf({ contacts: contacts ?? from(SENDER).contacts, messages: [message] }))
      if (update?.kind !== 'message') return
      const arrival = arrivalOf(update, null, NOW)
      expect(arrival?.text.trim()).not.toBe('')
      // Told again it is the same: else a redelivery would be taken for another message.
      expect(arrivalOf(update, null, NOW)).toEqual(arrival)
    },
  )

  it('without words goes to a person, and a sticker to nobody', () => {
    const needs = Object.entries(oddMessages).flatMap(([name, { message }]) => {
      const [update] = decodeUpdates(webhookOf({ ...from(SENDER), messages: [message] }))
      const arrival = update?.kind === 'message' ? arrivalOf(update, null, NOW) : null
      return arrival?.needsPerson ? [name] : []
    })
    expect(needs).toEqual(
      expect.arrayContaining(['a voice note is audio that says so', 'a photo without words', 'a place with a name']),
    )
    expect(needs).not.toContain('plain words')
    expect(needs).not.toContain('an animated sticker')
    expect(needs).not.toContain('a button that was pressed')
  })

  it('comes in batches of several people and several numbers, and nothing strange takes its neighbours along', () => {
    const body = webhookOf(
      {
        ...from('15550101'),
        messages: [textMessage('15550101', 'wamid.1', 'one'), null, 7, textMessage('15550101', 'wamid.2', 'two')],
      },
      {
        metadata: { phone_number_id: '999' },
        ...from('15550102'),
        messages: [textMessage('15550102', 'wamid.3', 'three')],
      },
      {
        statuses: [
          { id: 'wamid.out', status: 'read', timestamp: '1762000000' },
          { id: 'wamid.out', status: 'vanished' },
        ],
      },
      { contacts: 'none', messages: { 0: 'not a list' } },
    )
    expect(decodeUpdates(body).map(({ kind, phoneNumberId }) => `${kind} ${phoneNumberId}`)).toEqual([
      `message ${PHONE_NUMBER_ID}`,
      `message ${PHONE_NUMBER_ID}`,
      'message 999',
      `status ${PHONE_NUMBER_ID}`,
      `ignored ${PHONE_NUMBER_ID}`,
    ])
  })

  it('never breaks the decoder, whatever it is', () => {
    const anything = fc.anything({ withNullPrototype: true, withBigInt: false, maxDepth: 6 })
    fc.assert(fc.property(anything, (body) => Array.isArray(decodeUpdates(body))))
    const names = [...Object.keys(oddMessages)].map((name) => oddMessages[name]!.message)
    // Real messages with anything at all in place of any of their fields.
    const broken = fc.tuple(fc.constantFrom(...names), fc.string(), anything).map(([message, key, value]) => {
      const keys = Object.keys(message)
      return { ...message, [keys[key.length % keys.length] ?? 'type']: value }
    })
    fc.assert(
      fc.property(fc.array(broken, { maxLength: 5 }), (messages) => {
        const updates = decodeUpdates(webhookOf({ ...from(SENDER), messages }))
        expect(updates).toHaveLength(messages.length)
        for (const update of updates)
          if (update.kind === 'message') expect(arrivalOf(update, null, NOW)?.text.length).toBeLessThanOrEqual(12_000)
      }),
      { numRuns: 500 },
    )
  })

  it('is read from JSON that is nested beyond all measure', () => {
    const deep = JSON.parse(
      '{"object":"whatsapp_business_account","entry":'.concat('['.repeat(5_000), ']'.repeat(5_000), '}'),
    ) as unknown
    expect(decodeUpdates(deep)).toEqual([])
  })

  it('of another product is named and left', () => {
    expect(decodeUpdates({ object: 'page', entry: [] })).toMatchObject([{ kind: 'ignored', name: 'object:page' }])
    const other = {
      object: 'whatsapp_business_account',
      entry: [{ id: ACCOUNT_ID, changes: [{ field: 'account_alerts', value: {} }] }],
    }
    expect(decodeUpdates(other)).toMatchObject([{ kind: 'ignored', name: 'field:account_alerts' }])
  })

  it('from a clock that is ahead counts as sent now', () => {
    const [update] = decodeUpdates(said(SENDER, 'wamid.ahead', 'hello', { timestamp: '4000000000' }))
    expect(update?.kind === 'message' && arrivalOf(update, null, NOW)?.sentAt).toEqual(NOW)
  })

  it('from the company’s own phone is the company’s', () => {
    const echo = { ...textMessage('15550100', 'wamid.echo', 'We are on it'), to: SENDER }
    const body = {
      object: 'whatsapp_business_account',
      entry: [
        {
          changes: [
            {
              field: 'smb_message_echoes',
              value: { metadata: { phone_number_id: PHONE_NUMBER_ID }, message_echoes: [echo] },
            },
          ],
        },
      ],
    }
    const [update] = decodeUpdates(body)
    expect(update?.kind === 'echo' && arrivalOf(update, null, NOW)).toMatchObject({
      from: 'agent',
      contact: { externalId: `+${SENDER}` },
      text: 'We are on it',
    })
  })
})

describe('what became of a message of ours', () => {
  it.each([
    ['sent', 'sent'],
    ['delivered', 'delivered'],
    ['read', 'read'],
    ['played', 'read'],
    ['failed', 'failed'],
  ])('%s is %s', (told, known) => {
    expect(decodeUpdates(statusOf('wamid.out', told))).toMatchObject([
      { kind: 'status', externalId: 'wamid.out', status: known },
    ])
  })

  it('says why it failed, and which of our messages it was', () => {
    const body = statusOf('wamid.out', 'failed', {
      errors: [{ code: 131026, title: 'Undeliverable' }],
      biz_opaque_callback_data: 'message:msg_1',
    })
    expect(decodeUpdates(body)).toMatchObject([{ error: { code: 131026 }, echoed: 'message:msg_1' }])
  })
})

describe('a number', () => {
  it.each([
    ['5511998877665', '+5511998877665'],
    ['551198877665', '+5511998877665'],
    ['551140028922', '+551140028922'],
    ['5215512345678', '+525512345678'],
    ['5491123456789', '+5491123456789'],
    ['15550101234', '+15550101234'],
  ])('%s is shown as %s, whatever older form WhatsApp keeps it in', (waId, phone) => {
    expect(phoneOf(waId)).toBe(phone)
    // What a reply is sent to stays as WhatsApp has it.
    expect(externalIdOf({ waId, userId: null })).toBe(`+${waId}`)
  })

  it.each([
    ['0'],
    ['12'],
    ['0123456789'],
    ['1234567890123456'],
    ['+55 11 99'],
    ['１２３４５６７８９'],
    [{}],
    [null],
    [15550101],
  ])('%j is none', (given) => expect(asWaId(given)).toBeNull())
})

describe('a name', () => {
  it('cannot turn the direction of what stands beside it, nor stand on several lines', () => {
    expect(shownName('Ana\u202e\u2066 gro.elpmaxe\n\u0000Bank')).toBe('Ana gro.elpmaxe Bank')
    expect(shownName('👩‍🚒 Zoë')).toBe('👩‍🚒 Zoë')
    expect(shownName('\u200f \n')).toBeUndefined()
    expect(shownName('x'.repeat(500))).toHaveLength(100)
  })
})

describe('a webhook', () => {
  const SECRET = '0123456789abcdef0123456789abcdef'
  const body = Buffer.from('{"object":"whatsapp_business_account","text":"\\u00e9 é"}')

  it('is believed only with the app’s own signature over exactly these bytes', () => {
    const right = signatureOf(body, SECRET)
    expect(isSigned(body, right, SECRET)).toBe(true)
    expect(isSigned(body, right.toUpperCase().replace('SHA256', 'sha256'), SECRET)).toBe(true)
    const wrong = [
      null,
      '',
      'sha256=',
      right.slice(7),
      right.replace('sha256', 'sha1'),
      `${right}00`,
      signatureOf(body, 'another secret'),
      `sha256=${'0'.repeat(64)}`,
    ]
    for (const header of wrong) expect(isSigned(body, header, SECRET)).toBe(false)
    expect(isSigned(Buffer.concat([body, Buffer.from(' ')]), right, SECRET)).toBe(false)
    expect(isSigned(Buffer.from(body.toString().replace('\\u00e9', 'é')), right, SECRET)).toBe(false)
  })

  it('is set up by whoever knows the word, and answers with the challenge alone', async () => {
    const url = (word: string, more = 'hub.mode=subscribe&hub.challenge=1158201444') =>
      new URL(`https://desk.example/webhooks/c?${more}&hub.verify_token=${encodeURIComponent(word)}`)
    const answer = answerChallenge(url('the agreed word'), 'the agreed word')
    expect([answer.status, await answer.text()]).toEqual([200, '1158201444'])
    expect(answerChallenge(url('another word'), 'the agreed word').status).toBe(403)
    expect(
      answerChallenge(url('the agreed word', 'hub.mode=unsubscribe&hub.challenge=1'), 'the agreed word').status,
    ).toBe(403)
    expect(
      answerChallenge(url('the agreed word', 'hub.mode=subscribe&hub.challenge=%3Cscript%3E'), 'the agreed word')
        .status,
    ).toBe(403)
  })
})
