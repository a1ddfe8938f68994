import { readFileSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { prove, type Claim } from '../../src/rag/proof/index.js'

type Group = {
  language: string
  title: string
  headings?: string[]
  quote: string
  true: string[]
  /** The sentence and, where only one is right, the reason. */
  false: [string, string?][]
}

const groups = JSON.parse(
  readFileSync(path.join(import.meta.dirname, '../fixtures/proof/pairs.json'), 'utf8'),
) as Group[]

const passageOf = ({ quote, title, headings = [], language }: Group) => ({ text: quote, title, headings, language })

const ask = (
  text: string,
  passage: string,
  { quote = passage, language = 'en', spoken = language }: { quote?: string; language?: string; spoken?: string } = {},
) =>
  prove({
    text,
    language: spoken,
    citations: [{ quote, passage: { text: passage, title: 'Help', headings: [], language } }],
  })

const rows = groups.flatMap((group) => [
  ...group.true.map((text) => ({ group, text, expected: true, reason: undefined as string | undefined })),
  ...group.false.map(([text, reason]) => ({ group, text, expected: false, reason })),
])

describe('A sentence beside the passage that it quotes', () => {
  it('is measured on enough pairs', () => {
    expect(rows.length).toBeGreaterThan(120)
    expect(new Set(groups.map(({ language }) => language)).size).toBe(6)
  })

  it.each(rows.filter(({ expected }) => expected))('is sent: $text', ({ group, text }) => {
    const verdict = prove({
      text,
      language: group.language,
      citations: [{ quote: group.quote, passage: passageOf(group) }],
    })
    expect(verdict).toMatchObject({ proved: true })
  })

  it.each(rows.filter(({ expected }) => !expected))('is not sent: $text', ({ group, text, reason }) => {
    const verdict = prove({
      text,
      language: group.language,
      citations: [{ quote: group.quote, passage: passageOf(group) }],
    })
    expect(verdict).toMatchObject(reason ? { proved: false, reason } : { proved: false })
  })
})

const REFUND = 'We refund the price within 5 days. Sale items are not refunded. Gift cards expire after 12 months.'

describe('A quote', () => {
  it('that does not stand in its passage proves nothing', () => {
    expect(ask('Sale items are refunded.', REFUND, { quote: 'Sale items are refunded.' })).toMatchObject({
      proved: false,
      reason: 'quote_not_found',
    })
  })

  it('that does not stand in its passage spoils a sentence that another quote proves', () => {
    const passage = { text: REFUND, title: 'Help', headings: [], language: 'en' }
    const verdict = prove({
      text: 'We refund the price within 5 days.',
      language: 'en',
      citations: [
        { quote: 'We refund the price within 5 days.', passage },
        { quote: 'We always refund twice.', passage },
      ],
    })
    expect(verdict).toMatchObject({ proved: false, reason: 'quote_not_found' })
  })

  it('that leaves out the word that denies it is read in its whole sentence', () => {
    expect(
      ask('Sale items are refunded.', 'It is not true that sale items are refunded.', {
        quote: 'sale items are refunded',
      }),
    ).toMatchObject({ proved: false })
  })

  it('of one word is too short where its sentence says more', () => {
    expect(ask('Gift cards expire after 12 months.', REFUND, { quote: 'Gift' })).toMatchObject({
      proved: false,
      reason: 'quote_too_short',
    })
  })

  it.each([
    ['white space', 'We  refund\nthe price within 5 days.'],
    ['a non-breaking space', 'We refund the price within 5 days.'],
    ['a missing full stop', 'We refund the price within 5 days'],
    ['a small first letter', 'we refund the price within 5 days.'],
  ])('may differ in %s', (_, quote) => {
    expect(ask('We refund the price within 5 days.', REFUND, { quote })).toMatchObject({ proved: true })
  })

  it('may leave out the rest of its sentence, but not most of what is claimed', () => {
    const passage = 'Sale items are sent back to our warehouse in Porto within 30 days. Gift cards are not.'
    const claim = 'Sale items are sent back to our warehouse in Porto within 30 days.'
    expect(ask(claim, passage, { quote: 'are sent back to our warehouse in Porto within 30 days' })).toMatchObject({
      proved: true,
    })
    expect(ask(claim, passage, { quote: 'Sale items' })).toMatchObject({ proved: false, reason: 'coverage' })
  })

  it('may differ in the shapes of quotation marks, dashes and in soft hyphens, and is shown as the passage has it', () => {
    const passage = 'Intro. Choose “Re­set” – it’s under Set­tings. More.'
    const verdict = ask('Choose "Reset" - it\'s under Settings.', passage, {
      quote: 'Choose "Reset" - it\'s under Settings.',
    })
    expect(verdict.proved).toBe(true)
    if (!verdict.proved) return
    const [quote] = verdict.quotes
    expect(passage.slice(quote?.start, quote?.end)).toBe('Choose “Re­set” – it’s under Set­tings.')
  })

  it('is widened to whole words', () => {
    const verdict = ask('Gift cards expire after 12 months.', REFUND, { quote: 'ift cards expire after 12 mon' })
    expect(verdict.proved).toBe(true)
    if (!verdict.proved) return
    const [quote] = verdict.quotes
    expect(REFUND.slice(quote?.start, quote?.end)).toBe('Gift cards expire after 12 months')
  })

  it('of another sentence does not carry one that stands elsewhere in the passage', () => {
    expect(ask('Gift cards expire after 12 months.', REFUND, { quote: 'Sale items are not refunded.' })).toMatchObject({
      proved: false,
    })
  })
})

describe('What a model may not slip in', () => {
  const source = 'See https://acme.example/help for our terms & <document> tags.'
  it.each([
    ['an image', 'See our terms ![](https://acme.example/help).', 'markup'],
    ['a link', 'See [our terms](https://acme.example/help).', 'markup'],
    ['a reference', 'See [our terms][1].', 'markup'],
    ['an element', 'See our <b>terms</b>.', 'markup'],
    ['an attribute', 'See our <x onload=alert(1)> terms.', 'markup'],
    ['an entity', 'See our &#60;script&#62; terms.', 'markup'],
    ['an automatic link', 'See <https://acme.example/help> for our terms.', 'markup'],
    ['letters that turn the text around', 'See our \u202eterms.', 'markup'],
    ['a foreign address', 'See https://acme.example.evil.example/help for our terms.', 'link'],
    ['a longer address', 'See https://acme.example/help?u=1 for our terms.', 'link'],
    ['an address without its scheme', 'See evil.example for our terms.', 'link'],
    ['a script', 'See javascript:alert(1) for our terms.', 'link'],
  ])('%s', (_, text, reason) => {
    expect(ask(text, source)).toMatchObject({ proved: false, reason })
  })

  it('and what it may repeat: the passage’s own address', () => {
    expect(ask('See https://acme.example/help for our terms.', source)).toMatchObject({ proved: true })
  })

  it.each(['Would you like a refund?', 'Hello!', 'Thank you for your question.', '…', '', '   '])(
    'no claim at all: "%s"',
    (text) => {
      expect(ask(text, REFUND).proved).toBe(false)
    },
  )

  it('a letter of another alphabet in a name', () => {
    expect(ask('Pаypal is accepted.', 'Paypal is accepted.')).toMatchObject({ proved: false })
  })

  it('a second sentence that nothing proves', () => {
    expect(
      ask('We refund the price within 5 days. Shipping is free.', REFUND, {
        quote: 'We refund the price within 5 days.',
      }),
    ).toMatchObject({ proved: false })
  })

  it('a sentence without a citation', () => {
    expect(prove({ text: 'We refund the price.', language: 'en', citations: [] })).toMatchObject({
      reason: 'no_citation',
    })
  })
})

describe('Two quotes', () => {
  const passage = (text: string) => ({ text, title: 'Help', headings: [], language: 'en' })
  const two = (text: string, one: string, other: string) =>
    prove({
      text,
      language: 'en',
      citations: [
        { quote: one, passage: passage(one) },
        { quote: other, passage: passage(other) },
      ],
    })

  it('prove a sentence that says both', () => {
    const verdict = two(
      'Standard shipping takes 5 days, and express shipping costs $9.',
      'Standard shipping takes 5 days.',
      'Express shipping costs $9.',
    )
    expect(verdict).toMatchObject({ proved: true, quotes: [{ citation: 0 }, { citation: 1 }] })
  })

  it('do not lend each other their numbers', () => {
    expect(
      two('Standard shipping takes 2 days.', 'Standard shipping takes 5 days.', 'Express shipping takes 2 days.')
        .proved,
    ).toBe(false)
    expect(
      two(
        'Standard shipping takes 5 days and costs $9.',
        'Standard shipping takes 5 days.',
        'Express shipping costs $9.',
      ).proved,
    ).toBe(false)
  })
})

describe('Another language', () => {
  const german = 'Sie erhalten die Erstattung innerhalb von 14 Tagen auf Ihr PayPal-Konto.'

  it('is left to a model where numbers and names agree', () => {
    expect(ask('You get the refund within 14 days.', german, { language: 'de', spoken: 'en' })).toMatchObject({
      proved: false,
      reason: 'language',
    })
  })

  it('is refused where a number does not agree', () => {
    expect(ask('You get the refund within 15 days.', german, { language: 'de', spoken: 'en' })).toMatchObject({
      proved: false,
      reason: 'number',
    })
  })

  it('is no matter where the sentence is the passage’s own', () => {
    expect(ask(german, german, { language: 'de', spoken: 'en' })).toMatchObject({ proved: true })
  })

  it('that the proof has no words of is proved by its literal words alone', () => {
    const polish = 'Zwrot jest możliwy w ciągu 30 dni, jeśli towar nie był używany.'
    expect(ask(polish, polish, { language: 'pl' }).proved).toBe(true)
    expect(ask('Zwrot jest możliwy w ciągu 30 dni, jeśli towar był używany.', polish, { language: 'pl' }).proved).toBe(
      false,
    )
    expect(ask('Zwrot nie jest możliwy w ciągu 30 dni.', polish, { language: 'pl' }).proved).toBe(false)
  })

  it.each([
    ['١٤', 'You get the refund within ١٤ days.'],
    ['１４', 'You get the refund within １４ days.'],
  ])('may bring its digits: %s', (_, text) => {
    expect(ask(text, 'You get the refund within 14 days.').proved).toBe(true)
    expect(ask(text, 'You get the refund within 15 days.').proved).toBe(false)
  })
})

describe('Whatever comes', () => {
  const passage = fc.record({
    text: fc.string({ unit: 'grapheme', maxLength: 300 }),
    title: fc.string(),
    headings: fc.array(fc.string(), { maxLength: 3 }),
    language: fc.constantFrom('en', 'de', 'es', 'pt', 'fr', 'it', 'pl', 'zh', 'ar', '', 'xx', 'constructor'),
  })
  const claims: fc.Arbitrary<Claim> = fc.record({
    text: fc.oneof(fc.string({ unit: 'binary', maxLength: 300 }), fc.string({ unit: 'grapheme', maxLength: 300 })),
    language: fc.constantFrom('en', 'de', 'pt-BR', 'zh', '', 'toString'),
    citations: fc.array(fc.record({ quote: fc.string({ unit: 'grapheme', maxLength: 80 }), passage }), {
      maxLength: 4,
    }),
  })

  it('there is a verdict, and what is shown stands in a passage', () => {
    fc.assert(
      fc.property(claims, fc.boolean(), (claim, quoting) => {
        const citations = quoting
          ? claim.citations.map(({ passage: cited }) => ({ quote: cited.text.slice(0, 200), passage: cited }))
          : claim.citations
        const verdict = prove({ ...claim, citations })
        if (!verdict.proved) return verdict.reason.length > 0
        return verdict.quotes.every(
          ({ citation, start, end }) =>
            start >= 0 && start < end && end <= (citations[citation]?.passage.text.length ?? 0),
        )
      }),
      { numRuns: 500 },
    )
  })

  const numbers = groups
    .flatMap((group) => group.true.map((text) => ({ group, text })))
    .filter(({ text }) => /\d/u.test(text))

  it('a sentence with one digit changed is not sent', () => {
    fc.assert(
      fc.property(fc.constantFrom(...numbers), fc.nat(), fc.integer({ min: 1, max: 9 }), ({ group, text }, at, by) => {
        const digits = [...text.matchAll(/\d/gu)]
        const index = digits[at % digits.length]?.index ?? 0
        const changed = text.slice(0, index) + String((Number(text[index]) + by) % 10) + text.slice(index + 1)
        const verdict = prove({
          text: changed,
          language: group.language,
          citations: [{ quote: group.quote, passage: passageOf(group) }],
        })
        return !verdict.proved
      }),
      { numRuns: 600 },
    )
  })

  it.each([
    ['one word again and again', 'refund '.repeat(280)],
    ['brackets', '[('.repeat(990)],
    ['digits and dots', '1.1.'.repeat(490)],
    ['names of machines', 'aA_1.'.repeat(390)],
    ['addresses', 'a@b.c.d.'.repeat(240)],
    ['one joint after the other', 'and refund, '.repeat(160)],
    ['spaces', ' '.repeat(1_999)],
    ['accents', 'e' + '\u0301'.repeat(1_900)],
  ])('hostile text is judged without hanging: %s', (_, text) => {
    expect(ask(text, text.repeat(3), { quote: text.slice(0, 1_900) })).toBeDefined()
    expect(ask('We refund the price within 5 days.', `${text.repeat(40)} ${REFUND}`, { quote: REFUND })).toBeDefined()
  })
})

describe('A sentence behind a colon', () => {
  it('is not said where what stands before the colon denies it', () => {
    const said = 'Guests may enter the hall.'
    expect(ask(said, `These statements are false:\n\n${said}`, { quote: said })).toMatchObject({ proved: false })
    expect(ask(said, `These rules apply:\n\n${said}`, { quote: said })).toMatchObject({ proved: true })
  })
})
