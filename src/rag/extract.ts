import { tokens } from './analysis.js'
import type { PassageBlock } from './passages.js'
import { coverage, presence, type Ranked, type Rankable, type WeightedQuery } from './ranking.js'
import { sentences, type Span } from './sentences.js'

/**
 * The answer without a model: complete sentences, list items, table rows or listings of the best passages, word for word.
 * It says nothing of its own, and nothing at all when the passages do not cover the question.
 */
export type Quotable = Rankable & {
  passageId: string
  version: number
  title: string
  headings: string[]
  text: string
  blocks: PassageBlock[]
}

export type ExtractedSentence = { passageId: string; start: number; end: number; quote: string; score: number }

export type Verdict = {
  answered: boolean
  confidence: number
  threshold: number
  signals: Signals
  /** In words: what was covered, and what was missing. */
  reason: string
}

/** All between 0 and 1. `coverage`: of the question in the best passage; `sentence`: in its best sentence with its headings; `pairs`: of neighbouring words found together; `rarest`: whether the question's most telling word is there. */
export type Signals = { coverage: number; sentence: number; pairs: number; rarest: number }

export type Extraction = { text: string; sentences: ExtractedSentence[]; verdict: Verdict }

/** Passages that are read closely. */
const READ_PASSAGES = 8
const MOST_QUOTES = 4

type Unit = Span & {
  kind: 'sentence' | 'item' | 'row' | 'listing'
  /** The sentence before it on which it leans: "To start it:", or what "It" refers to. */
  leadIn: Span | undefined
}

type Scored = { unit: Unit; ranked: Ranked<Quotable>; score: number; covered: number[]; own: number }
