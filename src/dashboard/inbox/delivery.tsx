import { IconAlertTriangle, IconCheck, IconChecks, IconClock, IconX, type Icon } from '@tabler/icons-react'
import { useFault, useT } from '../languages/index.js'
import { call } from '../server/client.js'
import { useMay, type Message } from '../server/queries.js'
import { useConfirm } from '../ui/confirm.js'
import { tell } from '../ui/tell.js'
import { useMoment } from './due.js'
import { refusalText } from './events.js'
import { placeMessage } from './follow.js'

const DELIVERY: Record<NonNullable<Message['status']>, Icon> = {
  queued: IconClock,
  sending: IconClock,
  sent: IconCheck,
  delivered: IconChecks,
  read: IconChecks,
  refused: IconAlertTriangle,
  uncertain: IconAlertTriangle,
}

type Props = { conversationId: string; message: Message }

/** How far a message of ours has come; while it has not left, it may still be cancelled. */
export const Delivery = ({ conversationId, message }: Props) => {
  const t = useT()
  const moment = useMoment()
  const mayWrite = useMay('conversations:write')
  const { status, reason, nextTryAt } = message
  if (status === null) return null
  const canceller = status === 'refused' ? /^cancelled: (.*)$/s.exec(reason ?? '')?.[1] : undefined
  if (canceller !== undefined)
    return (
      <span className="delivery">
        <IconX aria-hidden />
        {t('delivery.cancelled', { name: canceller })}
      </span>
    )
  const StatusIcon = DELIVERY[status]
  const bad = status === 'refused' || status === 'uncertain'
  // It waits, and there is something to say about that.
  const late = status === 'queued' && reason !== undefined
  const words = late ? 'delivery.delayed' : nextTryAt ? 'delivery.waits' : (`delivery.${status}` as const)
  return (
    <>
      <span className={bad || late ? 'delivery bad' : 'delivery'}>
        <StatusIcon aria-hidden />
        <span>
          {t(words)}
          {(bad || late) && reason ? `: ${refusalText(t, reason)}` : ''}
          {nextTryAt && ` · ${t('delivery.nextTry', { at: moment(nextTryAt) })}`}
        </span>
      </span>
      {status === 'queued' && mayWrite && <Cancel conversationId={conversationId} messageId={message.id} />}
    </>
  )
}

/** Seen after a moment only: most messages are gone by then. */
const Cancel = ({ conversationId, messageId }: { conversationId: string; messageId: string }) => {
  const t = useT()
  const fault = useFault()
  const [question, ask] = useConfirm()
  const cancel = async () => {
    try {
      placeMessage(conversationId, await call('conversations', 'cancel', { params: { id: messageId }, body: {} }))
    } catch (error) {
      tell(fault(error), 'fault')
    }
  }
  return (
    <>
      <button
        type="button"
        className="cancel"
        onClick={() =>
          ask({
            title: t('delivery.cancelTitle'),
            text: t('delivery.cancelText'),
            yes: t('delivery.cancel'),
            run: cancel,
          })
        }
      >
        {t('delivery.cancel')}
      </button>
      {question}
    </>
  )
}
