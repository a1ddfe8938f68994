import { useRouter } from '@tanstack/react-router'
import { useEffect, useState } from 'react'
import { useT } from '../languages/index.js'
import { openLine, onFrame } from '../server/live.js'
import type { Conversation, Me } from '../server/queries.js'
import { tell } from '../ui/tell.js'
import { followInbox } from './follow.js'
import { openOutbox, sendNow } from './outbox.js'

const SPOKEN_LENGTH = 200

/** The open line of a signed-in person. Returns what a screen reader should say of what just arrived. */
export const useNews = (me: Me): string => {
  const t = useT()
  const router = useRouter()
  const [spoken, setSpoken] = useState('')

  useEffect(() => {
    const open = (id: string) => void router.navigate({ to: '/inbox/$id', params: { id }, search: {} })
    const isOpen = (id: string) => router.state.location.pathname === `/inbox/${id}`
    const waiting = (conversation: Conversation) => {
      const name = nameOf(conversation, t('inbox.visitor'))
      const text = t('news.waiting', { name })
      if (document.hidden) notifyOutside(text, conversation, () => open(conversation.id))
      if (!isOpen(conversation.id)) tell(text, 'waiting', () => open(conversation.id))
      else setSpoken(text)
    }
    const end = followInbox(me.id, {
      waiting,
      message: ({ conversationId, message }) => {
        const isNews = message.kind === 'message' && message.author !== 'agent' && isOpen(conversationId)
        if (isNews && (message.status === null || message.status === 'queued'))
          setSpoken(
            t('news.message', {
              name: message.authorName ?? t(`author.${message.author}`),
              text: message.text.slice(0, SPOKEN_LENGTH),
            }),
          )
      },
    })
    const endOpen = onFrame('open', sendNow)
    openOutbox(me.id)
    const closeLine = openLine()
    return () => {
      closeLine()
      endOpen()
      end()
    }
  }, [me.id, me.companyId, router, t])

  return spoken
}

export const nameOf = ({ contact }: Conversation, visitor: string): string =>
  contact.name ?? contact.email ?? contact.phone ?? contact.reference ?? visitor

/** Nothing of the text: a notification may be read over somebody's shoulder. */
const notifyOutside = (title: string, { id }: Conversation, open: () => void): void => {
  if (!('Notification' in window) || Notification.permission !== 'granted') return
  const shown = new Notification(title, { tag: id, icon: '/assets/icon.svg' })
  shown.onclick = () => {
    window.focus()
    open()
    shown.close()
  }
}
