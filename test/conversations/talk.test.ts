import { describe, expect, it } from '@jest/globals'
import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { recogniseTalk } from '../../src/conversations/talk.js'

type Table = Record<'seen' | 'heldOut', Record<string, string[]>>

const FOLDER = path.resolve(import.meta.dirname, '../fixtures/talk')
const tables = readdirSync(FOLDER).map((file) => ({
  language: file.slice(0, 2),
  table: JSON.parse(readFileSync(path.join(FOLDER, file), 'utf8')) as Table,
}))
const KINDS = ['greeting', 'thanks', 'goodbye', 'complaint', 'person', 'none']

const lines = (half: keyof Table) =>
  tables.flatMap(({ language, table }) =>
    Object.entries(table[half]).flatMap(([kind, texts]) => texts.map((text) => ({ language, kind, text }))),
  )
const kindOf = (text: string, likely?: string) => recogniseTalk(text, likely)?.kind ?? 'none'
const wrongOf = (half: keyof Table) =>
  lines(half)
    .map((line) => ({ ...line, got: kindOf(line.text, line.language) }))
    .filter(({ kind, got }) => kind !== got)
const wrong = { seen: wrongOf('seen'), heldOut: wrongOf('heldOut') }

describe('what a customer writes', () => {
  it.each(tables.map(({ language }) => language))('is told apart in %s where the words are known', (language) => {
    expect(wrong.seen.filter((line) => line.language === language)).toEqual([])
  })

  it.each(KINDS)('is told apart where the words were held out: %s', (kind) => {
    const all = lines('heldOut')
    const mistakes = wrong.heldOut
    const meant = all.filter((line) => line.kind === kind).length
    const missed = mistakes.filter((line) => line.kind === kind).length
    const mistaken = mistakes.filter((line) => line.got === kind).length
    expect(meant).toBeGreaterThan(35)
    expect((meant - missed) / meant).toBeGreaterThanOrEqual(0.95)
    expect((meant - missed) / (meant - missed + mistaken)).toBeGreaterThanOrEqual(0.95)
  })

  it('is never taken for small talk, a complaint or a request for a person when it is a question', () => {
    const questions = [...lines('seen'), ...lines('heldOut')].filter(({ kind }) => kind === 'none')
    expect(questions.length).toBeGreaterThanOrEqual(150)
    expect(questions.filter(({ text }) => kindOf(text) !== 'none')).toEqual([])
  })

  it.each([
    ['HELLO!!!', 'greeting'],
    ['hellooooo 👋👋', 'greeting'],
    ['  \n hi \n ', 'greeting'],
    ['thank you sooooo much!!! 🙏🙏', 'thanks'],
    ['thx, bye', 'goodbye'],
    ['olá! obrigado, tchau', 'goodbye'],
    ['tschuess', 'goodbye'],
    ['Bonjour Madame Dupont, merci', 'thanks'],
    ['humna please', 'person'],
    ['Where is my parcel? I want to talk to a human', 'person'],
    ['thanks, but can I speak to a person instead?', 'person'],
    ['Your bot is useless, how do I cancel?', 'none'],
    ['Your bot is useless. Are you kidding me?', 'complaint'],
    ['Thanks. My order has not arrived.', 'none'],
    ['Hello order', 'none'],
    ['I want to complain', 'complaint'],
    ['Can you read PDF files?', 'none'],
    ['How many times do I have to water the plant?', 'none'],
    ['¿Qué clase de servicio ofrecen?', 'none'],
    ['Was soll das kosten?', 'none'],
    ['Nothing happens when I click the button', 'none'],
    ['I tried to log in three times and the page stays white', 'none'],
    ['I need a person in the EU to sign, is that possible?', 'none'],
    ['How do I tell an agent from a bot in the reports?', 'none'],
    ['La caja que estaba abierta llegó vacía', 'none'],
  ])('%j is %s', (text, kind) => {
    expect(kindOf(text)).toBe(kind)
  })

  it.each([
    ['', 'none'],
    ['?', 'none'],
    ['...', 'none'],
    ['🏖️', 'none'],
    ['\u0000\uD800', 'none'],
    ['hi '.repeat(3_000), 'none'],
    ['I want '.repeat(1_400), 'none'],
    ['我的订单在哪里？', 'none'],
  ])('%# is read to its end, whatever it is', (text, kind) => {
    expect(kindOf(text)).toBe(kind)
  })

  it('is understood in the conversation’s language where a word is of several', () => {
    expect(recogniseTalk('Ciao')).toEqual({ kind: 'greeting', language: 'it' })
    expect(recogniseTalk('Ciao', 'de')).toEqual({ kind: 'goodbye', language: 'de' })
    expect(recogniseTalk('Hallo', 'en')).toEqual({ kind: 'greeting', language: 'de' })
    expect(recogniseTalk('ok 👍', 'fr')).toEqual({ kind: 'thanks', language: 'fr' })
  })
})
