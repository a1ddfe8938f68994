import { lightTermsOf, terms } from './analysis.js'
import type { ContextPassage } from './context.js'
import type { Retrieved } from './search.mongo.js'
import type { JudgedSentence, ProvedSentence } from './verdicts.js'

type Proved = ProvedSentence & { judgement: JudgedSentence }

/**
 * Keeps true sentences about something else out of an answer. A sentence is about the question where it, the title or a heading that
 * it stands under, shares a word of content with it, or where it rests on a passage that such a sentence rests on. One that does
 * not is held back until the next one is there: dropped if that one is about the question, said before it if not, because then the
 * question is put in other words than the documents. So the only answer is never dropped.
 */
export const makeRelevance = ({
  about,
  language,
  passages,
}: {
  about: { text: string; language: string }
  language: string
  passages: readonly ContextPassage<Retrieved>[]
}) => {
  const light = lightTermsOf(language)
  const contentOf = (text: string) => terms(text, language).filter((term) => !light.has(term))
  const asked = new Set(contentOf(about.text))
  const passageOf = (id: string) => passages.find(({ passage }) => passage.passageId === id)?.passage
  const onTopic = new Set<string>()
  /** Words of two languages cannot be compared, and a question without words of content says nothing to compare with. */
  let compares = asked.size > 0 && about.language === language
  let held: Proved | undefined

  const isAbout = ({ text, quotes }: ProvedSentence): boolean => {
    const topics = quotes.flatMap(({ passageId }) => {
      const passage = passageOf(passageId)
      return passage ? [passage.title, ...passage.headings] : []
    })
    return (
      quotes.some(({ passageId }) => onTopic.has(passageId)) ||
      [text, ...topics].some((words) => contentOf(words).some((term) => asked.has(term)))
    )
  }

  const drop = ({ judgement }: Proved) => {
    judgement.verdict = 'beside_question'
  }

  return {
    /** What may be said now that this sentence is proved, in order. */
    next: (sentence: Proved): Proved[] => {
      if (!compares) return [sentence]
      const before = held
      held = undefined
      if (isAbout(sentence)) {
        for (const { passageId } of sentence.quotes) onTopic.add(passageId)
        if (before) drop(before)
        return [sentence]
      }
      if (onTopic.size > 0) {
        drop(sentence)
        return []
      }
      if (before) {
        compares = false
        return [before, sentence]
      }
      held = sentence
      return []
    },
    /** What may still be said when nothing follows. */
    end: (): Proved[] => (held ? [held] : []),
  }
}
