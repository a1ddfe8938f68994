import { ActionIcon, Button } from '@mantine/core'
import { IconLock, IconMailX, IconPaperclip, IconSend2 } from '@tabler/icons-react'
import {
  lazy,
  Suspense,
  useEffect,
  useRef,
  useState,
  type ClipboardEvent,
  type KeyboardEvent,
  type RefObject,
} from 'react'
import { useT } from '../languages/index.js'
import { useMe, type Conversation } from '../server/queries.js'
import { isApple, shownKey, useCommands } from '../ui/commands.js'
import { ACCEPTED, attach, takeReady, usePending } from './attachments.js'
import { useDraft } from './drafts.js'
import { PendingFiles, useLimits } from './files.js'
import { say } from './outbox.js'

const Unreachable = lazy(() => import('./unreachable.js').then((module) => ({ default: module.Unreachable })))

/** As the server's limit says; what is longer is kept and said, not cut. */
const LONGEST = 10_000

export const Composer = ({ conversation }: { conversation: Conversation }) => {
  const t = useT()
  const me = useMe().data
  const [{ kind, text }, setDraft] = useDraft(conversation.id)
  const input = useRef<HTMLTextAreaElement>(null)
  const closed = conversation.state === 'closed'
  // Outside of what the channel allows (WhatsApp's 24 hours) free text reaches nobody: approved texts do, and notes.
  const unreachable = !closed && conversation.reach?.kind === 'closed'
  const doubtful = !closed && conversation.reach?.kind === 'doubtful' ? conversation.reach : null
  const note = kind === 'note' || closed
  const tooLong = text.length > LONGEST
  const limits = useLimits()
  const picker = useRef<HTMLInputElement>(null)
  const { all: files } = usePending(conversation.id)
  const isSending = files.some(({ state }) => state.kind === 'sending')
  const waits = unreachable && !note
  const saysNothing = text.trim() === '' && !files.some(({ state }) => state.kind === 'ready')
  const take = (given: readonly File[]) => {
    if (given.length > 0) attach(conversation.id, given)
    input.current?.focus()
  }
  const over = useDropped(input, take)

  const write = (as: 'message' | 'note') => {
    setDraft({ kind: as, text })
    input.current?.focus()
  }
  useCommands([
    !closed && { id: 'reply', title: t('composer.reply'), group: 'actions', key: 'r', run: () => write('message') },
    { id: 'note', title: t('composer.note'), group: 'actions', key: 'n', run: () => write('note') },
  ])

  const send = () => {
    if (saysNothing || tooLong || isSending || waits) return
    say(conversation.id, note ? 'note' : 'message', text.trim(), takeReady(conversation.id))
    setDraft({ kind: note ? 'note' : 'message', text: '' })
    input.current?.focus()
  }
  const onPaste = (event: ClipboardEvent) => {
    const pasted = [...event.clipboardData.files]
    // Office programs put a picture beside the text that was copied: the text is meant.
    if (pasted.length === 0 || event.clipboardData.getData('text/plain') !== '') return
    event.preventDefault()
    take(pasted)
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
    <div className={['composer', note && 'note', over && 'over'].filter(Boolean).join(' ')}>
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
      {doubtful && !note && (
        <p className="doubtful" role="status">
          <IconMailX size={16} aria-hidden />
          <span>{doubtful.code === 'address_bounced' ? t('composer.bounced') : doubtful.message}</span>
        </p>
      )}
      {waits && (
        <Suspense>
          <Unreachable conversation={conversation} />
        </Suspense>
      )}
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
        onPaste={onPaste}
      />
      <PendingFiles conversationId={conversation.id} />
      {over && (
        <p className="composer-drop" aria-hidden>
          {t('files.drop')}
        </p>
      )}
      <div className="composer-foot">
        <ActionIcon
          variant="subtle"
          color="gray"
          aria-label={`${t('files.attach')}. ${limits}`}
          title={limits}
          onClick={() => picker.current?.click()}
        >
          <IconPaperclip size={17} aria-hidden />
        </ActionIcon>
        <input
          ref={picker}
          type="file"
          hidden
          multiple
          accept={ACCEPTED}
          aria-label={t('files.attach')}
          onChange={(event) => {
            take([...(event.currentTarget.files ?? [])])
            event.currentTarget.value = ''
          }}
        />
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
          disabled={saysNothing || tooLong || isSending || waits}
          onClick={send}
        >
          {note ? t('composer.leave') : t('common.send')}
        </Button>
      </div>
    </div>
  )
}

/** Files may be dropped anywhere in the conversation. Tells whether some are held above it. */
const useDropped = (within: RefObject<HTMLElement | null>, take: (files: File[]) => void): boolean => {
  const [over, setOver] = useState(false)
  const taken = useRef(take)
  taken.current = take
  useEffect(() => {
    const area = within.current?.closest<HTMLElement>('.talk')
    if (!area) return
    const listening = new AbortController()
    const on = (name: 'dragover' | 'dragleave' | 'drop', react: (event: DragEvent) => void) =>
      area.addEventListener(name, react, { signal: listening.signal })
    on('dragover', (event) => {
      if (!event.dataTransfer?.types.includes('Files')) return
      event.preventDefault()
      setOver(true)
    })
    on('dragleave', ({ relatedTarget }) => {
      if (!(relatedTarget instanceof Node && area.contains(relatedTarget))) setOver(false)
    })
    on('drop', (event) => {
      setOver(false)
      const files = [...(event.dataTransfer?.files ?? [])]
      if (files.length === 0) return
      event.preventDefault()
      taken.current(files)
    })
    return () => listening.abort()
  }, [])
  return over
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
  const { assignee, reach } = conversation
  if (assignee && assignee.id !== meId) return t('composer.othersHand', { name: assignee.name })
  const gone = reach?.kind === 'open' ? reach.whenGone : undefined
  if (!gone) return ''
  return gone.kind === 'mailed' ? t('composer.goneMailed', { to: gone.to }) : t(`composer.gone_${gone.reason}`)
}
