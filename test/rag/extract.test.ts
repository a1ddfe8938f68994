import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { terms } from '../../src/rag/analysis.js'
import { extract, unitsOf, type Quotable } from '../../src/rag/extract.js'
import { makePassages } from '../../src/rag/passages.js'
import { makeQuery, rank, type Statistics } from '../../src/rag/ranking.js'
import { parseSource, type Format } from '../../src/rag/sources/parse.js'

const passagesOf = (text: string, format: Format = 'markdown', language = 'en'): Quotable[] =>
  makePassages('doc_1', parseSource(text, format)).map(({ id, headings, text: words, blocks }) => ({
    passageId: id,
    documentId: 'doc_1',
    version: 1,
    title: 'Manual',
    headings,
    text: words,
    blocks,
    language,
    terms: terms(words, language).join(' '),
    headingTerms: headings.map((heading) => terms(heading, language).join(' ')).join(' '),
  }))

const statisticsOf = (passages: readonly Quotable[]): Statistics => ({
  passages: passages.length,
  averageTerms: 60,
  averageHeadingTerms: 2,
  frequency: (term) => passages.filter((passage) => passage.terms.split(' ').includes(term)).length,
})

const ask = (question: string, passages: Quotable[], language = 'en') =>
  extract(rank([makeQuery(question, language)], passages, statisticsOf(passages)))

const MANUAL = `# Helpdesk

A support desk for small shops.

## Start

You need Node and nothing else. To start the server:

\`\`\`sh
npm start
\`\`\`

The first start takes a minute. The second is quick.

## Configuration

Every setting is an environment variable.

| Variable | Default | Meaning |
|---|---|---|
| PORT | 3000 | Port of the web server. |
| HOST | 127.0.0.1 | Address to listen on. |
| DATA_DIR | ./data | Directory of the database. |

## When it crashes

An acknowledged message is stored before the sender hears of it. When the process is killed, the message is answered after the
next start. Nothing is sent twice.

## Returns

1. Write to us within 14 days.
2. Pack the parcel.
3. Print the label and post it.
`

describe('The extractive answer', () => {
  const manual = passagesOf(MANUAL)

  it.each([
    ['How do I start the server?', 'npm start'],
    ['Which environment variable sets the port?', 'PORT | 3000 | Port of the web server.'],
    [
      'What happens to a message when the process is killed?',
      'When the process is killed, the message is answered after the next start.',
    ],
    ['Where is the directory of the database?', 'DATA_DIR | ./data'],
    ['How do I print the label for a parcel?', 'Print the label and post it.'],
    ['How many days do I have for returns?', 'within 14 days'],
  ])('to "%s" quotes "%s"', (question, quote) => {
    const { text, verdict } = ask(question, manual)
    expect(verdict.reason).toContain('content words')
    expect(text).toContain(quote)
  })

  it.each([
    'Who won the football match?',
    'Can I pay with bitcoin?',
    'What is the capital of Peru?',
    'Do you sell red bicycles for children?',
    'What do you do?',
    '???',
  ])('to "%s" says nothing', (question) => {
    const { text, sentences, verdict } = ask(question, manual)
    expect([text, sentences, verdict.answered]).toEqual(['', [], false])
  })

  it('says in words what was missing', () => {
    expect(ask('Can I pay the parcel with bitcoin?', manual).verdict.reason).toMatch(
      /1 of 3 content words.*pay, bitcoin/u,
    )
  })

  it('keeps a listing together with the sentence that leads to it', () => {
    const [start] = ask('How do I start the server?', manual).sentences
    expect(start?.quote).toBe('To start the server:\n\nnpm start')
  })

  it('gives stretches that lie inside of the passage, in order', () => {
    for (const passage of manual) {
      for (const { start, end } of unitsOf(passage)) {
        expect(start).toBeGreaterThanOrEqual(0)
        expect(end).toBeGreaterThan(start)
        expect(end).toBeLessThanOrEqual(passage.text.length)
      }
    }
  })

  it('quotes word for word, one to four times, and says nothing else', () => {
    const word = fc.constantFrom(
      'parcel',
      'label',
      'Dr.',
      'e.g.',
      '14',
      'café',
      'server',
      'is',
      'the',
      '.',
      '\n\n',
      '- ',
      '| a | b |\n',
      '```\n',
      ':',
      '日本',
    )
    const text = fc
      .array(word, { minLength: 3, maxLength: 120 })
      .map((words) => `The parcel is here. ${words.join(' ')}`)
    fc.assert(
      fc.property(text, fc.constantFrom<Format>('markdown', 'text', 'html'), (source, format) => {
        const passages = passagesOf(source, format)
        const { text: answer, sentences } = ask('Where is the parcel with the label?', passages)
        let rest = answer
        for (const { passageId, start, end, quote } of sentences) {
          const passage = passages.find((candidate) => candidate.passageId === passageId)
          expect(passage?.text.slice(start, end)).toBe(quote)
          expect(rest.startsWith(quote)).toBe(true)
          rest = rest.slice(quote.length).trimStart()
        }
        expect(rest).toBe('')
        expect(sentences.length).toBeLessThanOrEqual(4)
      }),
      { numRuns: 300 },
    )
  })

  it('finds a German compound by its part', () => {
    const passages = passagesOf(
      'Die Klimaanlage wird im Handbuch erklärt.\n\nDer Versand dauert zwei Tage.',
      'text',
      'de',
    )
    expect(ask('Wo wird die Anlage erklärt?', passages, 'de').text).toContain('Klimaanlage')
  })

  it('reads the lines of a table under its columns and the paragraph above', () => {
    const passages = passagesOf(
      '# Settings\n\nEach is an environment variable. All are optional.\n\n| Name | Value |\n|---|---|\n| PORT | 3000 |\n| HOST | all |\n\n## Faults\n\n- PORT in use: stop what has the port.\n- A variable of the environment is misspelt: correct it.\n',
    )
    const { text } = ask('Which environment variable is the port?', passages)
    expect(text).toContain('PORT | 3000')
    expect(text).not.toContain('HOST')
  })
})

describe('What is asked', () => {
  const SHOP = `# Shop

## Safekeeping and recovery

Stop the till and copy the ledger. To get it back, stop the till again. The copied key belongs to the recovery.

## Parcels

A parcel is weighed, then labelled. Make space on the shelf; it goes on by itself. Nobody needs to stay late at work.

| Name | Meaning |
|---|---|
| TILL_PORT | Where the till listens. |
| TILL_LEDGER | Where the ledger lies. |

## Staff

- A clerk signs the ledger.
- A driver changes shifts on the phone.
- A manager stores the key.

## A new driver

Write the name on the board. Then hand out the jacket.

## Clothes

A driver wears leather gloves in winter.

## Winter

In winter a driver brings gloves for the guests.
`
  const shop = passagesOf(SHOP)

  it('under a heading is answered by what comes first there, though it repeats no word of the heading', () => {
    expect(ask('How do I do a recovery?', shop).text).toMatch(/^Stop the till and copy the ledger\./u)
  })

  it.each([
    'How do I make it work?',
    'and how can I change it?',
    'it does not work',
    'What do I need to do?',
    'Can you get it back?',
  ])('with light words alone ("%s") is nothing', (question) => {
    expect(ask(question, shop).verdict).toMatchObject({ answered: false })
  })

  it.each([
    ['Does the phone work?', 'a word in passing is no topic'],
    ['Is the key stolen?', 'one of two words is missing'],
    ['Do I change the shifts of a clerk?', 'the words stand in different lines of a list'],
  ])('in few words ("%s") is not answered: %s', (question) => {
    expect(ask(question, shop).verdict).toMatchObject({ answered: false })
  })

  it('says that no sentence holds it, where only the passage does', () => {
    expect(ask('Do I change the shifts of a clerk?', shop).verdict.reason).toContain('No sentence holds what is asked.')
  })

  it.each([
    ['What does TILL_PORT do?', 'TILL_PORT | Where the till listens.'],
    ['What does TILL_PORT cost?', 'TILL_PORT | Where the till listens.'],
    ['Who is the manager?', '- A manager stores the key.'],
    ['When are parcels weighed?', 'A parcel is weighed, then labelled.'],
  ])('in few words ("%s") is answered where a sentence is about it', (question, quote) => {
    expect(ask(question, shop).text).toContain(quote)
  })

  it('is not answered beside the point: what says less of it in another passage is left out', () => {
    const { sentences } = ask('Which gloves does a driver wear in winter?', shop)
    expect(sentences.map(({ quote }) => quote)).toEqual(['A driver wears leather gloves in winter.'])
  })
})

describe('a short question', () => {
  const passages = passagesOf(`# Notes

The chat opens in a window and shows each answer of the assistant with its numbered quotes and their sources.

A model for checks may judge a sentence that was written in another language than its passage.

## Choice

**Price.** We own a small database for laptops.
`)

  it.each([
    ['is it open source', 'its words stand far apart'],
    ['language model?', 'its words stand far apart'],
    ['What is the price?', 'the sentence only repeats it'],
  ])('%s is not answered when %s', (question) => {
    expect(ask(question, passages).verdict.answered).toBe(false)
  })

  it('is answered when its words belong together', () => {
    expect(ask('small database?', passages).text).toContain('We own a small database for laptops')
  })
})
