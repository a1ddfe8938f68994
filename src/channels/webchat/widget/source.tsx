import { useEffect, useRef, useState } from 'preact/hooks'
import type { ChatMessage } from '../frames.js'
import type { Chat } from './chat.js'
import { filled, type Words } from './languages.js'

/** The n-th source of a message, from 0. */
export type Source = { messageId: string; index: number; citation: ChatMessage['citations'][number] }

type Passage = { before: string; quote: string; after: string }

/** Where an answer stands: the quote at once, the passage around it as soon as it is here. */
export const SourceView = ({ source, words, chat }: { source: Source; words: Words; chat: Chat }) => {
  const { messageId, index, citation } = source
  const [passage, setPassage] = useState<Passage>({ before: '', quote: citation.quote, after: '' })
  const heading = useRef<HTMLHeadingElement>(null)
  useEffect(() => {
    heading.current?.focus()
    let isHere = true
    void chat.source(messageId, index).then((found) => isHere && found && setPassage(found))
    return () => {
      isHere = false
    }
  }, [messageId, index])
  return (
    <article class="source" tabIndex={0} aria-label={words.quoted}>
      <h3 ref={heading} tabIndex={-1}>
        <span class="number">{index + 1}</span> <bdi>{citation.title}</bdi>
      </h3>
      <Place {...{ citation, words }} />
      <blockquote dir="auto">
        {passage.before}
        <mark>{passage.quote}</mark>
        {passage.after}
      </blockquote>
    </article>
  )
}

/** The headings above the quote and its page, where there are any. */
const Place = ({ citation, words }: { citation: Source['citation']; words: Words }) => {
  const { headings = [], page } = citation
  const parts = [...headings, ...(page ? [filled(words.page, { n: page })] : [])]
  if (parts.length === 0) return null
  return <p class="place">{parts.map((part, at) => [at > 0 && ' › ', <bdi key={at}>{part}</bdi>])}</p>
}
