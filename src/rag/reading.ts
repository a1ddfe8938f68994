import { readFile } from 'node:fs/promises'
import { setImmediate } from 'node:timers/promises'
import { deserialize, serialize } from 'node:v8'
import { AppError } from '../platform/errors.js'
import { ANALYSIS_VERSION, terms } from './analysis.js'
import type { AttemptKind } from './attempt-patterns.js'
import { attemptsIn } from './attempts.js'
import { fingerprintOf, type Fingerprint } from './fingerprint.js'
import { detectLanguage } from './languages.js'
import { makePassages, PASSAGES_VERSION, type Passage } from './passages.js'
import { decodeText } from './sources/charset.js'
import { docxToHtml } from './sources/docx.js'
import type { DocumentFormat } from './sources/formats.js'
import { legibleOf, parseSource, titleOf, type Format } from './sources/parse.js'
import { parsePdf } from './sources/pdf.js'
import type { Section } from './sources/section.js'

/**
 * A document as its passages, analysed: everything between a file and the store that costs time. It runs in a process of its own
 * (rag/reader.ts); nothing here knows of companies or of the store.
 */

export type ReadRequest = {
  source: { text: string } | { path: string }
  format: DocumentFormat
  /** Ids of passages are made from it. */
  documentId: string
  /** The title that a person gave, else the one that the document gives itself, else `fallbackTitle`. */
  title: string | null
  fallbackTitle: string
  language: string | null
  /** Languages of the company's documents, the most frequent first. */
  likelyLanguages: string[]
}

export type AnalysedPassage = Passage & {
  /** The analysed text and headings, joined by blanks: what is searched. */
  terms: string
  headingTerms: string
  fingerprint: Fingerprint
}

/** A batch of passages as bytes: thousands of them wait for the store without being the garbage collector's work. */
export type Packed = { count: number; bytes: Uint8Array }

const pack = (passages: readonly AnalysedPassage[]): Packed => ({ count: passages.length, bytes: serialize(passages) })

/** Of our own making, never of a client's. */
export const unpack = ({ bytes }: Packed): AnalysedPassage[] => deserialize(bytes) as AnalysedPassage[]

export type ReadPart =
  /** From 0 to 1, in small steps. */
  | { kind: 'progress'; progress: number }
  /** Before the first passages. `note`: what was left out, for people; `attempts`: how its text tries to instruct the assistant. */
  | {
      kind: 'document'
      title: string
      language: string | null
      pages: number | null
      note: string | null
      attempts: AttemptKind[]
    }
  | { kind: 'passages'; passages: Packed }

/** Throws `invalid` with a reason for people when the document cannot be read, `unavailable` when a second try may help. */
export type Read = (request: ReadRequest, signal: AbortSignal) => AsyncIterable<ReadPart>

const PARSER_VERSIONS = { markdown: 1, html: 1, text: 1, csv: 1, pdf: 1, docx: 1 } satisfies Record<
  DocumentFormat,
  number
>

/** Names everything that makes passages out of this format: what was indexed under another name is indexed again. */
export const algorithmOf = (format: DocumentFormat): string =>
  `${format}${PARSER_VERSIONS[format]}.passages${PASSAGES_VERSION}.analysis${ANALYSIS_VERSION}`

/** Passages of a text whose language cannot be told: segmentation and folding alone. */
export const NO_LANGUAGE = 'und'

/** Characters of all that is read from one document: a book of 2,000 pages has about six million. */
const MOST_CHARACTERS = 8_000_000
const MOST_PASSAGES = 25_000
const BATCH = 40
/** What parsing takes of the whole; the rest is analysis. */
const PARSING_SHARE = 0.6
const LONGEST_TITLE = 200
/** Characters looked through for attempts to instruct the assistant, in all and at a time. */
const LOOKED_THROUGH = 1_000_000
const ATTEMPT_SAMPLE = 8_000
/** Characters that are enough to tell a language. */
const LANGUAGE_SAMPLE = 10_000

export const readDocument: Read = async function* (request, signal) {
  const parsing = parse(request)
  let step = await parsing.next()
  for (; !step.done; step = await parsing.next()) {
    signal.throwIfAborted()
    yield { kind: 'progress', progress: step.value * PARSING_SHARE }
  }
  const { sections, title: found, pages, note } = step.value
  clean(sections)
  const title = (request.title ?? found ?? request.fallbackTitle).slice(0, LONGEST_TITLE)
  const language = request.language ?? (await languageOf(title, sections, request.likelyLanguages))
  yield { kind: 'document', title, language, pages, note, attempts: attemptsOf(title, sections) }

  const passages = makePassages(request.documentId, sections)
  if (passages.length > MOST_PASSAGES) throw tooMuch()
  const analyse = makeAnalysis(title, language ?? NO_LANGUAGE)
  for (let from = 0; from < passages.length; from += BATCH) {
    signal.throwIfAborted()
    yield { kind: 'passages', passages: pack(passages.slice(from, from + BATCH).map(analyse)) }
    yield { kind: 'progress', progress: PARSING_SHARE + ((1 - PARSING_SHARE) * from) / passages.length }
    // Where this runs in the process that serves customers (tests, tools), the others get their turn.
    await setImmediate()
  }
}

type Parsed = { sections: Section[]; title: string | undefined; pages: number | null; note: string | null }

/** Yields how much is done, from 0 to 1, where a format can say so. */
const parse = async function* ({ source, format }: ReadRequest): AsyncGenerator<number, Parsed> {
  switch (format) {
    case 'pdf': {
      const { buffer, byteOffset, length } = await readFile(pathOf(source))
      const { sections, pages, note } = yield* parsePdf(new Uint8Array(buffer, byteOffset, length))
      return { sections: legibleOf(sections), title: undefined, pages, note }
    }
    case 'docx':
      return parsedText(await docxToHtml(pathOf(source)), 'html')
    case 'markdown':
    case 'html':
    case 'text':
    case 'csv':
      return parsedText('text' in source ? source.text : await textOf(source.path, format), format)
  }
}

const parsedText = (text: string, format: Format): Parsed => {
  if (text.length > MOST_CHARACTERS * 4) throw tooMuch()
  return { sections: parseSource(text, format), title: titleOf(text, format), pages: null, note: null }
}

const textOf = async (path: string, format: Format): Promise<string> =>
  decodeText(await readFile(path), { html: format === 'html' })

const pathOf = (source: ReadRequest['source']): string => {
  if ('path' in source) return source.path
  throw new Error('This format is read from a file.')
}

/** Also what a parser made of broken input is text that the store takes: the driver refuses lone surrogates and nobody sees a NUL. */
const clean = (sections: readonly Section[]): void => {
  let characters = 0
  for (const { headings, blocks } of sections) {
    for (const [at, heading] of headings.entries()) headings[at] = storable(heading)
    for (const block of blocks) {
      block.text = storable(block.text)
      characters += block.text.length
    }
    if (characters > MOST_CHARACTERS) throw tooMuch()
  }
}

const storable = (text: string): string => Buffer.from(text, 'utf8').toString('utf8').replaceAll('\u0000', '')

const tooMuch = (): AppError =>
  new AppError(
    'invalid',
    'document_too_long',
    `The document holds more than ${MOST_CHARACTERS / 1_000_000} million characters or ${MOST_PASSAGES} passages. Split it and upload the parts.`,
    { field: 'file' },
  )

/** A text that does not tell (a table of names, a heading) is taken for what the company mostly writes. */
const languageOf = async (title: string, sections: readonly Section[], likely: string[]): Promise<string | null> => {
  let sample = title
  for (const { headings, blocks } of sections) {
    if (sample.length > LANGUAGE_SAMPLE) break
    sample += ['', headings.at(-1) ?? '', ...blocks.map(({ text }) => text)].join('\n')
  }
  return (await detectLanguage(sample, likely)) ?? likely[0] ?? null
}

/** A mark for people. What is found only in the whole of a passage counts where it is quoted, which is judged again. */
const attemptsOf = (title: string, sections: readonly Section[]): AttemptKind[] => {
  const texts = [
    title,
    ...sections.flatMap(({ headings, blocks }) => [headings.at(-1) ?? '', ...blocks.map(({ text }) => text)]),
  ]
  let looked = 0
  const kinds = new Set<AttemptKind>()
  for (const text of texts) {
    for (let from = 0; from < text.length && looked < LOOKED_THROUGH; from += ATTEMPT_SAMPLE) {
      const part = text.slice(from, from + ATTEMPT_SAMPLE)
      looked += part.length
      for (const { kind } of attemptsIn(part)) kinds.add(kind)
    }
  }
  return [...kinds]
}

const makeAnalysis = (title: string, language: string) => {
  const known = new Map<string, string>()
  const termsOfHeading = (heading: string): string => {
    const found = known.get(heading) ?? terms(heading, language).join(' ')
    known.set(heading, found)
    return found
  }
  return (passage: Passage): AnalysedPassage => {
    // A first heading that only repeats the title would count it twice.
    const topics = [title, ...passage.headings.filter((heading) => heading !== title)]
    return {
      ...passage,
      terms: terms(passage.text, language).join(' '),
      headingTerms: topics.map(termsOfHeading).filter(Boolean).join(' '),
      fingerprint: fingerprintOf(passage.text),
    }
  }
}
