import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { fromWhatsApp, MOST_TEXT, splitText, toWhatsApp } from '../../src/channels/whatsapp/format.js'
import { verdictOn } from '../../src/channels/whatsapp/graph-errors.js'
import { healthOf, UNKNOWN } from '../../src/channels/whatsapp/health.js'
import { consentIn } from '../../src/channels/whatsapp/opt-out.js'
import { chosenIn, partsOf, PERSON_CHOICE, ratingIn } from '../../src/channels/whatsapp/outgoing.js'
import { makePace } from '../../src/channels/whatsapp/pace.js'
import { isOpenAt, windowClosesAt } from '../../src/channels/whatsapp/window.js'
import { languages, wordsIn } from '../../src/channels/whatsapp/words.js'
import type { Message } from '../../src/conversations/message.js'
import { recogniseTalk } from '../../src/conversations/talk.js'
import { newId } from '../../src/platform/ids.js'

describe('a text on its way to WhatsApp', () => {
  it.each([
    ['**Important:** pay by _Friday_', '*Important:* pay by _Friday_'],
    ['# How to return\nPack it.', '*How to return*\nPack it.'],
    ['## **Returns**', '*Returns*'],
    ['*slightly* ~~old~~ __new__', '_slightly_ ~old~ *new*'],
    ['***both***', '*_both_*'],
    [
      'Read [the guide](https://a.example/x) or [https://a.example](https://a.example)',
      'Read the guide (https://a.example/x) or https://a.example',
    ],
    ['`a**b**` and ```sh\nrm **x**\n```', '`a**b**` and ```\nrm **x**\n```'],
    ['- one\n- two\n1. three\n> four', '- one\n- two\n1. three\n> four'],
    ['2 * 3 * 4 = 24, a*b*c and 5 ** 2', '2 * 3 * 4 = 24, a*b*c and 5 ** 2'],
    ['It costs 5 € [1], see [2].', 'It costs 5 € [1], see [2].'],
    ['snake_case_name', 'snake_case_name'],
  ])('%j is written %j', (ours, theirs) => expect(toWhatsApp(ours)).toBe(theirs))

  it.each([
    ['*Where* is it?', '**Where** is it?'],
    ['~old~ _soft_ `code`', '~~old~~ _soft_ `code`'],
    ['2*3*4 and * spaced *', '2*3*4 and * spaced *'],
    ['```*as it is*```', '```*as it is*```'],
    ['*a* *b*', '**a** **b**'],
  ])('and %j, from a customer, is read %j', (theirs, ours) => expect(fromWhatsApp(theirs)).toBe(ours))

  it('is cut at the end of a sentence, and loses nothing', () => {
    const sentence = 'The parcel leaves our house on the day after the payment has arrived [1]. '
    const parts = splitText(sentence.repeat(120))
    expect(parts.length).toBe(3)
    for (const part of parts) {
      expect(part.length).toBeLessThanOrEqual(MOST_TEXT)
      expect(part).toMatch(/\[1\]\.$/)
    }
    expect(parts.join(' ')).toBe(sentence.repeat(120).trim())
  })

  it('is cut between paragraphs where there are some', () => {
    const paragraph = `${'Word '.repeat(300).trim()}.`
    expect(splitText([paragraph, paragraph, paragraph, paragraph].join('\n\n'))).toEqual([
      `${paragraph}\n\n${paragraph}`,
      `${paragraph}\n\n${paragraph}`,
    ])
  })

  it('without any space is cut between characters, never inside of one', () => {
    const family = '👩‍👩‍👧‍👦'
    const parts = splitText(family.repeat(1_000))
    expect(parts.join('')).toBe(family.repeat(1_000))
    for (const part of parts) expect(part.replaceAll(family, '')).toBe('')
  })

  it('keeps every word and every limit, whatever it is', () => {
    const text = fc.array(
      fc.oneof(
        fc.lorem({ maxCount: 40 }),
        fc.string({ unit: 'grapheme', maxLength: 300 }),
        fc.constantFrom('\n\n', '\n', ' ', '。', '! '),
      ),
      { maxLength: 60 },
    )
    fc.assert(
      fc.property(text, fc.integer({ min: 20, max: 500 }), (pieces, most) => {
        const whole = pieces.join('')
        const parts = splitText(whole, most)
        expect(parts.join('').replace(/\s/gu, '')).toBe(whole.replace(/\s/gu, ''))
        for (const part of parts) expect(part.length > 0 && part.length <= most).toBe(true)
      }),
    )
  })
})

const CITATION = { documentId: 'doc_1', passageId: 'psg_1', title: 'Returns', quote: 'Within 30 days.' }
const answer = {
  id: 'msg_1',
  text: 'You have 30 days [1].',
  citations: [CITATION],
  author: { kind: 'assistant' as const },
  language: 'en',
  choices: [],
  template: null,
  personButton: true,
  ratingButtons: true,
}
const person = { ...answer, text: 'Hello!', citations: [], author: { kind: 'agent' as const } }
const file = (name: string, size = 1_000) => ({ id: 'a'.repeat(64), name, type: 'application/octet-stream', size })

type Interactive = {
  type: string
  action: { buttons?: { reply: { id: string; title: string } }[]; sections?: { rows: { title: string }[] }[] }
}

describe('an answer on WhatsApp', () => {
  it('names its sources, each once, and offers a person and a word on whether it helped', () => {
    const [part, ...rest] = partsOf({
      ...answer,
      citations: [
        { ...CITATION, page: 3 },
        { ...CITATION, page: 3 },
        { ...CITATION, title: 'Fees', headings: ['Costs', 'Post*age*'] },
      ],
    })
    expect(rest).toEqual([])
    expect(part).toMatchObject({
      body: {
        type: 'interactive',
        interactive: {
          type: 'button',
          body: { text: 'You have 30 days [1].\n\n_Sources_\n[1][2] Returns, p. 3\n[3] Fees › Post age' },
          action: {
            buttons: [
              { reply: { id: PERSON_CHOICE, title: 'Talk to a person' } },
              { reply: { id: 'rate:up:msg_1', title: '👍' } },
              { reply: { id: 'rate:down:msg_1', title: '👎' } },
            ],
          },
        },
      },
    })
  })

  it('that is too long for buttons goes without, and in parts', () => {
    const parts = partsOf({ ...answer, text: `${'A sentence that says something. '.repeat(200)}[1]` })
    expect(parts.map((part) => part.kind === 'message' && part.body.type)).toEqual(['text', 'text'])
  })

  it('of a person is plain words', () => {
    expect(partsOf(person)).toEqual([
      { kind: 'message', body: { type: 'text', text: { body: 'Hello!', preview_url: false } } },
    ])
  })

  const place = (label: string) => ({ kind: 'place' as const, label, title: 'Hire', documentId: 'doc_1', headings: [] })
  const offering = (...labels: string[]) => {
    const choices = [...labels.map(place), { kind: 'person' as const, label: 'Talk to a person' }]
    const [part, ...rest] = partsOf({ ...answer, text: 'Which one?', citations: [], choices })
    expect(rest).toEqual([])
    return (part?.kind === 'message' ? part.body.interactive : {}) as Interactive
  }

  it('that asks back with a few short choices has buttons', () => {
    const { type, action } = offering('Renting a car', 'Renting a bicycle')
    expect(type).toBe('button')
    expect(action.buttons?.map(({ reply }) => reply)).toEqual([
      { id: 'choice:0:msg_1', title: 'Renting a car' },
      { id: 'choice:1:msg_1', title: 'Renting a bicycle' },
      { id: 'choice:2:msg_1', title: 'Talk to a person' },
    ])
    for (const { reply } of action.buttons ?? []) expect(chosenIn(reply.id)?.messageId).toBe('msg_1')
  })

  it('that asks back with more or longer choices has a list, in which every name stands whole', () => {
    const long = 'Renting a bicycle for longer than a week in summer'
    expect(offering('One', 'Two', 'Three').type).toBe('list')
    const { type, action } = offering('Renting a car', long)
    expect(type).toBe('list')
    expect(action.sections?.[0]?.rows).toEqual([
      { id: 'choice:0:msg_1', title: 'Renting a car', description: 'Hire' },
      { id: 'choice:1:msg_1', title: expect.stringMatching(/^Renting a bicycle.{0,6}…$/), description: long },
      { id: 'choice:2:msg_1', title: 'Talk to a person' },
    ])
    for (const { title } of action.sections?.[0]?.rows ?? []) expect(title.length).toBeLessThanOrEqual(24)
  })

  it('is known by its buttons, whatever its id', () => {
    // An id is base64url: a hyphen stands in one of four.
    for (const id of ['msg_-a-b_c-', ...Array.from({ length: 100 }, () => newId('msg'))]) {
      const choices = [place('Renting a car'), place('Renting a bicycle')]
      const pressed = (said: Partial<Parameters<typeof partsOf>[0]>) =>
        partsOf({ ...answer, id, ...said }).flatMap((part) =>
          part.kind === 'message' ? ((part.body.interactive as Interactive).action.buttons ?? []) : [],
        )
      expect(pressed({}).flatMap(({ reply }) => ratingIn(reply.id) ?? [])).toEqual([
        { messageId: id, rating: 'up' },
        { messageId: id, rating: 'down' },
      ])
      expect(pressed({ choices, citations: [] }).map(({ reply }) => chosenIn(reply.id))).toEqual([
        { messageId: id, at: 0 },
        { messageId: id, at: 1 },
      ])
    }
  })

  it.each([
    'choice:1',
    'choice:x:msg_1',
    'choice:10:msg_1',
    'choice:0:msg_1:more',
    'choice:0:',
    'rate:up:msg_1',
    'person',
    '',
  ])('is asked back by none of ours where a button says %j', (id) => expect(chosenIn(id)).toBeNull())

  it('with a picture carries its words as the caption, and with a song apart', () => {
    expect(partsOf({ ...person, attachments: [file('plan.PNG')] })).toMatchObject([
      { kind: 'file', media: 'image', mime: 'image/png', caption: 'Hello!' },
    ])
    expect(partsOf({ ...person, attachments: [file('song.mp3')] })).toMatchObject([
      { kind: 'message' },
      { kind: 'file', media: 'audio' },
    ])
    expect(partsOf({ ...person, attachments: [file('a.pdf'), file('b.webp')] })).toMatchObject([
      { kind: 'message' },
      { media: 'document', mime: 'application/pdf' },
      { media: 'document' },
    ])
    expect(partsOf({ ...person, text: '', attachments: [file('huge.jpg', 6 * 1024 * 1024)] })).toMatchObject([
      { kind: 'file', media: 'document' },
    ])
  })

  it('as a template fills its values in order', () => {
    const template = { name: 'order_ready', language: 'pt_BR', parameters: ['Ana', '42'] }
    expect(partsOf({ ...person, text: 'ignored', template })).toMatchObject([
      {
        body: {
          type: 'template',
          template: {
            name: 'order_ready',
            language: { code: 'pt_BR' },
            components: [{ type: 'body', parameters: [{ text: 'Ana' }, { text: '42' }] }],
          },
        },
      },
    ])
  })

  it.each(languages.filter((language) => language !== 'ar'))(
    'offers a person in words that the assistant understands as that (%s)',
    (language) => {
      const { person: words } = wordsIn(language)
      expect(words.length).toBeLessThanOrEqual(20)
      expect(recogniseTalk(words)?.kind).toBe('person')
    },
  )
})

describe('a word about automatic messages', () => {
  it.each([
    ['STOP', 'out'],
    ['Stop!', 'out'],
    ['Darme de baja', 'out'],
    ['Não quero mais mensagens.', 'out'],
    ['Me désinscrire', 'out'],
    ['Keine Nachrichten mehr', 'out'],
    ['إيقاف', 'out'],
    ['start', 'in'],
    ['S’abonner', 'in'],
    ['Please stop my order', null],
    ['When does the sale start?', null],
    ['Where is the bus stop', null],
    ['', null],
  ])('%j means %j', (text, meant) => expect(consentIn(text)?.wants ?? null).toBe(meant))

  it('tells the language that it alone is of', () => {
    expect(consentIn('Sair')).toEqual({ wants: 'out', language: 'pt' })
    expect(consentIn('stop')).toEqual({ wants: 'out' })
  })
})

describe('WhatsApp’s window of 24 hours', () => {
  const at = (hours: number) => new Date(Date.UTC(2026, 2, 2) + hours * 3_600_000)
  const message = (
    kind: 'customer' | 'agent',
    hours: number,
    sentAt?: number,
  ): Pick<Message, 'author' | 'kind' | 'at' | 'sentAt'> => ({
    kind: 'message',
    author: { kind },
    at: at(hours),
    ...(sentAt === undefined ? {} : { sentAt: at(sentAt) }),
  })

  it('begins with what the customer wrote last, not with what we did', () => {
    const closes = windowClosesAt([message('customer', 0), message('customer', 5), message('agent', 20)])
    expect(closes).toEqual(at(29))
    expect(isOpenAt(closes, at(28.9))).toBe(true)
    expect(isOpenAt(closes, at(29))).toBe(false)
  })

  it('is not shortened by an old message that is told after a newer one', () => {
    expect(windowClosesAt([message('customer', 9), message('customer', 10, 2)])).toEqual(at(33))
  })

  it('counts from when it was written where WhatsApp told it late', () => {
    expect(windowClosesAt([message('customer', 10, 2)])).toEqual(at(26))
  })

  it('is closed for who never wrote', () => {
    expect(isOpenAt(windowClosesAt([message('agent', 0)]), at(0))).toBe(false)
  })
})

describe('what the Graph API answers', () => {
  it.each([
    [400, 131047, 'refused', 'window_closed'],
    [401, 190, 'refused', 'token_refused'],
    [403, 200, 'refused', 'permission_missing'],
    [400, 131026, 'refused', 'not_reachable'],
    [429, 130429, 'later', 'rate_limited'],
    [400, 131056, 'later', 'rate_limited'],
    [500, 131000, 'later', 'provider_busy'],
    [503, null, 'later', 'provider_busy'],
    [400, 999_999, 'refused', 'refused'],
    [500, 999_999, 'later', 'provider_busy'],
    // A gateway's word: whether the message went through nobody knows.
    [502, null, 'unknown', 'provider_broken'],
    [504, null, 'unknown', 'provider_broken'],
  ])('%d with code %p is %s (%s)', (status, code, kind, name) => {
    expect(verdictOn(status, code)).toMatchObject({ kind, code: name })
  })
})

describe('the pace of a number', () => {
  const paced = () => {
    const time = { now: 1_000_000 }
    const changes: number[] = []
    const pace = makePace({ clock: { now: () => new Date(time.now) }, changed: () => changes.push(time.now) })
    return { time, pace, changes, turn: (contact: string) => pace.turn(contact, new AbortController().signal) }
  }
  const limit = verdictOn(429, 130429)
  const pair = verdictOn(400, 131056)

  it('rests when WhatsApp asks, longer each time, and goes on as before once a message goes through', async () => {
    const { time, pace, turn, changes } = paced()
    pace.heed('a', limit)
    await expect(turn('b')).rejects.toMatchObject({ kind: 'unavailable', code: 'rate_limited', retryAfterMs: 2_000 })
    time.now += 2_000
    await turn('b')
    pace.heed('b', limit)
    await expect(turn('b')).rejects.toMatchObject({ retryAfterMs: 4_000 })
    time.now += 4_000
    await turn('b')
    pace.went('b')
    expect(pace.restsUntil()).toBeNull()
    expect(changes).toHaveLength(3)
  })

  it('lets one person alone who got too many, and nobody else', async () => {
    const { pace, turn } = paced()
    pace.heed('a', pair)
    await expect(turn('a')).rejects.toMatchObject({ retryAfterMs: 6_000 })
    await turn('b')
  })

  it('sends a burst back into the queue instead of holding it', async () => {
    const { turn } = paced()
    const turns = Array.from({ length: 100 }, (_, index) => turn(`person-${index}`))
    const ended = await Promise.allSettled(turns)
    expect(ended.filter(({ status }) => status === 'fulfilled').length).toBeGreaterThan(30)
    expect(ended.filter(({ status }) => status === 'rejected').length).toBeGreaterThan(30)
  })
})

describe('how the connection is', () => {
  const NOW = new Date('2026-03-02T10:00:00Z')
  const ago = (minutes: number) => new Date(NOW.getTime() - minutes * 60_000)
  const well = { ...UNKNOWN, graph: { kind: 'works' as const }, heardAt: ago(1) }

  it.each([
    ['connecting', undefined, UNKNOWN],
    ['connected', undefined, well],
    ['refused', 'token_refused', { ...well, graph: { kind: 'refused' as const, code: 'token_refused', detail: 'x' } }],
    ['refused', 'token_refused', { ...well, tokenEndsAt: ago(1) }],
    ['disconnected', 'provider_unreachable', { ...well, graph: { kind: 'silent' as const } }],
    ['limited', 'rate_limited', { ...well, restsUntil: ago(-1) }],
    ['connected', undefined, { ...well, restsUntil: ago(1) }],
    ['attention', 'webhook_unseen', { ...well, heardAt: null }],
    ['attention', 'webhook_silent', { ...well, heardAt: ago(60), unheardSince: ago(6) }],
    ['connected', undefined, { ...well, heardAt: ago(60), unheardSince: ago(4) }],
    ['attention', 'token_expiring', { ...well, tokenEndsAt: ago(-60 * 24 * 3) }],
    ['connected', undefined, { ...well, tokenEndsAt: ago(-60 * 24 * 30) }],
  ])('is %s (%s)', (state, code, facts) => {
    const health = healthOf(facts, NOW)
    expect([health.state, health.code]).toEqual([state, code])
  })
})
