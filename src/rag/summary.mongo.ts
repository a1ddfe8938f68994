import type { Collection, Session } from '../platform/mongo.js'
import { NO_LANGUAGE } from './reading.js'

/**
 * One per company, written in the transaction that changes its passages: what there is to ask, and since when. `languages` is
 * absent as long as no passage was ever there.
 */
export type StoredSummary = { _id: string; revision: number; passages: number; languages?: Record<string, number> }

/** Languages of a company's passages, the most frequent first. */
export const languagesIn = ({ languages = {} }: StoredSummary): string[] =>
  Object.entries(languages)
    .filter(([, count]) => count > 0)
    .sort((a, b) => b[1] - a[1])
    .map(([language]) => language)

type Side = { language: string | null; passages: number } | null

/** Counts a document's passages out and in again. */
export const summarise = async (
  summaries: Collection<StoredSummary>,
  companyId: string,
  { before, after }: { before: Side; after: Side },
  session: Session,
): Promise<void> => {
  const languages = new Map<string, number>()
  const count = (side: Side, sign: number) => {
    if (!side || side.passages === 0) return
    const language = side.language ?? NO_LANGUAGE
    languages.set(language, (languages.get(language) ?? 0) + sign * side.passages)
  }
  count(before, -1)
  count(after, 1)
  const $inc: Record<string, number> = { revision: 1, passages: (after?.passages ?? 0) - (before?.passages ?? 0) }
  for (const [language, difference] of languages) $inc[`languages.${language}`] = difference
  await summaries.updateOne({ _id: companyId }, { $inc }, { upsert: true, session })
}
