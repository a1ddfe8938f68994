import { IconQuote } from '@tabler/icons-react'
import { useId, useState } from 'react'
import { useT } from '../languages/index.js'
import type { Message } from '../server/queries.js'

type Citation = Message['citations'][number]

/** What an answer rests on: numbered, each opening the words that were quoted. */
export const Sources = ({ citations }: { citations: readonly Citation[] }) => {
  const t = useT()
  const panel = useId()
  const [open, setOpen] = useState<number | null>(null)
  const shown = open === null ? undefined : citations[open]
  return (
    <div className="sources">
      <ol aria-label={t('talk.sources')}>
        {citations.map(({ passageId, quote, title }, index) => (
          <li key={passageId + quote}>
            <button
              type="button"
              aria-expanded={open === index}
              aria-controls={panel}
              onClick={() => setOpen(open === index ? null : index)}
            >
              <span className="source-number">{index + 1}</span>
              <bdi className="cut">{title}</bdi>
            </button>
          </li>
        ))}
      </ol>
      <div id={panel}>
        {shown && (
          <figure>
            <IconQuote aria-hidden />
            <blockquote dir="auto">{shown.quote}</blockquote>
            <figcaption>
              <bdi>{shown.title}</bdi>
              {shown.page ? ` · ${t('talk.page', { page: shown.page })}` : ''}
            </figcaption>
          </figure>
        )}
      </div>
    </div>
  )
}
