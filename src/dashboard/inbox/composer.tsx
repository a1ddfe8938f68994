import { Button } from '@mantine/core'
import { IconLock, IconSend2 } from '@tabler/icons-react'
import { useRef, type KeyboardEvent } from 'react'
import { useT } from '../languages/index.js'
import { useMe, type Conversation } from '../server/queries.js'
import { isApple, shownKey, useCommands } from '../ui/commands.js'
import { useDraft } from './drafts.js'
import { say } from './outbox.js'

/** As the server's limit says; what is longer is kept and said, not cut. */
const LONGEST = 10_000

export const Composer = ({ conversation }: { conversation: Conversation }) => {
  const t = useT()
  const me = useMe().data
  const [{ kind, text }, setDraft] = useDraft(conversation.id)
  const input = useRef<HTMLTextAreaElement>(null)
  const closed = conversation.state === 'closed'
  const note = kind === 'note' || closed
  const tooLong = text.length > LONGEST

  const write = (as: 'message' | 'note') => {
    setDraft({ kind: as, text })
    input.current?.focus()
  }
  useCommands([
    !closed && { id: 'reply', title: t('composer.reply'), group: 'actions', key: 'r', run: () => write('message') },
    { id: 'note', title: t('composer.note'), group: 'actions', key: 'n', run: () => write('note') },
  ])

  const send = () => {
    if (text.trim() === '' || tooLong) return
    say(conversation.id, note ? 'note' : 'message', text.trim())
    setDraft({ kind: note ? 'note' : 'message', text: '' })
    input.current?.focus()
  }
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === 'Enter' && (isApple ? event.metaKey : event.ctrlKey)) {
      event.preventDefault()
      send()
    } else if (event.key === 'Escape') {
      event.preventDefault()
      input.current?.blur()
    }
  }

  return (
    <div className={note ? 'composer note' : 'composer'}>
      <div className="composer-kinds" role="group" aria-label={t('composer.kind')}>
        <button type="button" aria-pressed={!note} disabled={closed} onClick={() => write('message')}>
          {t('composer.reply')}
        </button>
        <button type="button" aria-pressed={note} onClick={() => write('note')}>
          <IconLock size={13} aria-hidden />
          {t('composer.note')}
        </button>
        <span className="composer-hint">{hintOf(t, conversation, note, me?.id)}</span>
      </div>
      <textarea
        ref={input}
        rows={2}
        dir="auto"
        aria-label={note ? t('composer.writeNote') : t('composer.writeReply')}
        placeholder={note ? t('composer.writeNote') : t('composer.writeReply')}
        aria-invalid={tooLong}
        value={text}
        onChange={(event) => setDraft({ kind: note ? 'note' : 'message', text: event.currentTarget.value })}
        onKeyDown={onKeyDown}
      />
      <div className="composer-foot">
        <span className="small soft" role="status">
          {tooLong && <span className="bad-text">{t('composer.tooLong', { count: text.length - LONGEST })}</span>}
        </span>
        <span className="composer-keys" aria-hidden>
          {shownKey('mod+Enter').map((key) => (
            <kbd key={key}>{key}</kbd>
          ))}
        </span>
        <Button
          size="xs"
          rightSection={<IconSend2 size={15} className="flips" aria-hidden />}
          disabled={text.trim() === '' || tooLong}
          onClick={send}
        >
          {note ? t('composer.leave') : t('composer.send')}
        </Button>
      </div>
    </div>
  )
}

/** What will happen beside the sending, said before. */
const hintOf = (
  t: ReturnType<typeof useT>,
  conversation: Conversation,
  note: boolean,
  meId: string | undefined,
): string => {
  if (conversation.state === 'closed') return t('composer.closed')
  if (note) return t('composer.noteHint')
  if (conversation.handler === 'assistant') return t('composer.takesOver')
  const { assignee } = conversation
  return assignee && assignee.id !== meId ? t('composer.othersHand', { name: assignee.name }) : ''
}
