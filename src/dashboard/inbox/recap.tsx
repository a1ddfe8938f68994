import { useT } from '../languages/index.js'
import type { Conversation } from '../server/queries.js'
import { Linked } from './text.js'

/** What was said before a person was asked, with our own words in the reader's language. */
export const Recap = ({ handoff }: { handoff: NonNullable<Conversation['handoff']> }) => {
  const t = useT()
  const { recap, summary } = handoff
  if (!recap) {
    return summary ? (
      <blockquote dir="auto">
        <Linked text={summary} />
      </blockquote>
    ) : null
  }
  const { asked, lastWords, answered } = recap
  const { by, from } = answered ?? {}
  const said = by
    ? t('recap.answeredBy', { name: by })
    : from
      ? t('recap.answeredFrom', { titles: from })
      : t('recap.answered')
  const lines = [
    ...(asked.length > 0 ? [{ name: t('recap.asked'), text: asked.join(' / ') }] : []),
    ...(lastWords ? [{ name: t('recap.lastWords'), text: lastWords }] : []),
    ...(answered ? [{ name: said, text: answered.text }] : []),
  ]
  if (lines.length === 0) return null
  return (
    <blockquote>
      {lines.map(({ name, text }, at) => (
        <span key={at}>
          {at > 0 && '\n'}
          {name}:{' '}
          <bdi>
            <Linked text={text} />
          </bdi>
        </span>
      ))}
    </blockquote>
  )
}
