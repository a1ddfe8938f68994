import { IconMail, IconMailOff } from '@tabler/icons-react'
import { useT, wordsFor } from '../languages/index.js'
import type { Message } from '../server/queries.js'

/** What became of mailing it to a customer who may have left. Read in the chat is what is hoped for, and takes no room. */
export const Mailed = ({ letter }: { letter: NonNullable<Message['letter']> }) => {
  const t = useT()
  const { state, to = '', reason, detail } = letter
  if (state === 'seen') return null
  const bad = state === 'refused' || state === 'uncertain'
  const why = [reason && wordsFor(t, `letterReason.${reason}`, reason), detail].filter(Boolean).join(': ')
  const LetterIcon = bad || state === 'unsent' ? IconMailOff : IconMail
  return (
    <span className={bad ? 'delivery bad' : 'delivery'}>
      <LetterIcon aria-hidden />
      <span>
        <bdi>{t(`letter.${state}`, { to })}</bdi>
        {why ? ` (${why})` : ''}
      </span>
    </span>
  )
}
