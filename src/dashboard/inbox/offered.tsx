import { IconCheck } from '@tabler/icons-react'
import { useT } from '../languages/index.js'

/** What the assistant asked back with, and which of it the customer chose. */
export const Offered = ({ choices, taken }: { choices: readonly string[]; taken: string | undefined }) => {
  const t = useT()
  return (
    <ul className="offered" aria-label={t('talk.choices')}>
      {choices.map((choice) => (
        <li key={choice} className={choice === taken ? 'taken' : ''}>
          {choice === taken && <IconCheck aria-hidden />}
          <bdi>{choice}</bdi>
          {choice === taken && <span className="hidden"> ({t('talk.chosen')})</span>}
        </li>
      ))}
    </ul>
  )
}
