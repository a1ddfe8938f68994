import { IconAlertTriangle, IconArrowsJoin, IconLock, IconMailOpened, IconRobot, type Icon } from '@tabler/icons-react'
import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { useState } from 'react'
import { useT, wordsFor } from '../languages/index.js'
import { call, Refused } from '../server/client.js'
import type { Message } from '../server/queries.js'
import { Dialog } from '../ui/confirm.js'
import { Coming, Failed } from '../ui/states.js'

/** What there is to know of a mail before one answers it. Channels grow: what is known here is shown, what is not is left out. */
export const MailMarks = ({ message: { id, details = {}, automatic } }: { message: Message }) => {
  const t = useT()
  const [whole, setWhole] = useState(false)
  const email = fieldsOf(details.email)
  const suggests = fieldsOf(details.suggests)
  const { conversationId, because } = suggests
  const oddities = Array.isArray(email.oddities) ? email.oddities : []
  const told = ODDITIES.filter(([name]) => oddities.includes(name))
  return (
    <>
      {details.unauthenticated === true && <Mark of={IconAlertTriangle} bad text={t('mail.unproved')} />}
      {typeof conversationId === 'string' && (
        <span className="delivery">
          <IconArrowsJoin aria-hidden />
          <Link to="/inbox/$id" params={{ id: conversationId }}>
            {t('mail.suggests')}
          </Link>
          {typeof because === 'string' && `: ${wordsFor(t, `mail.${because}`, because)}`}
        </span>
      )}
      {automatic !== undefined && <Mark of={IconRobot} text={t('mail.machine')} />}
      {told.map(([name, OddIcon, bad]) => (
        <Mark key={name} of={OddIcon} bad={bad} text={t(`mail.${name}`)} />
      ))}
      <button type="button" onClick={() => setWhole(true)}>
        {t('mail.whole')}
      </button>
      {whole && <WholeMail id={id} subject={textOf(email.subject)} close={() => setWhole(false)} />}
    </>
  )
}

const ODDITIES = [
  ['encrypted', IconLock, false],
  ['signed', IconMailOpened, false],
  ['several_senders', IconAlertTriangle, true],
  ['unsafe_attachment', IconAlertTriangle, true],
  ['winmail', IconAlertTriangle, false],
  ['header_only', IconAlertTriangle, true],
] as const

const Mark = ({ of: MarkIcon, text, bad = false }: { of: Icon; text: string; bad?: boolean }) => (
  <span className={bad ? 'delivery bad' : 'delivery'}>
    <MarkIcon aria-hidden />
    {text}
  </span>
)

const fieldsOf = (given: unknown): Record<string, unknown> =>
  typeof given === 'object' && given !== null ? (given as Record<string, unknown>) : {}
const textOf = (given: unknown): string => (typeof given === 'string' ? given : '')

type WholeProps = { id: string; subject: string; close: () => void }

/** With its quotes and its look, in a frame that has no rights: nothing runs, and nothing is fetched from anywhere. */
const WholeMail = ({ id, subject, close }: WholeProps) => {
  const t = useT()
  const original = useQuery({
    queryKey: ['original', id],
    queryFn: async ({ signal }) => {
      try {
        return await call('conversations', 'original', { params: { id }, signal })
      } catch (error) {
        if (error instanceof Refused && error.code === 'original_not_found') return null
        throw error
      }
    },
    staleTime: Infinity,
  })
  return (
    <Dialog title={subject || t('mail.wholeTitle')} opened close={close} size="lg">
      {original.isPending && <Coming lines={6} />}
      {original.isError && <Failed error={original.error} retry={() => void original.refetch()} />}
      {original.data === null && <p className="soft">{t('mail.none')}</p>}
      {original.data && (
        <div className="mail-whole">
          <p className="small soft">{t('mail.wholeHint')}</p>
          {original.data.html === undefined ? (
            <pre dir="auto" tabIndex={0}>
              {original.data.text}
            </pre>
          ) : (
            <iframe
              title={t('mail.wholeTitle')}
              sandbox="allow-popups allow-popups-to-escape-sandbox"
              srcDoc={original.data.html}
            />
          )}
        </div>
      )}
    </Dialog>
  )
}
