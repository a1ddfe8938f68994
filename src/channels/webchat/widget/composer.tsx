import type { RefObject } from 'preact'
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks'
import { Pending, sizeOf } from './files.js'
import { Attach, Person, Send } from './icons.js'
import { filled } from './languages.js'
import type { PanelProps } from './panel.js'

type Props = PanelProps & { input: RefObject<HTMLTextAreaElement | null>; taken: { text: string; times: number } }

/** The counter is shown from here on, as a share of what a message may hold. */
const NEARLY = 0.9
const TALLEST_PX = 140
/** What is typed is kept over a reload, unless it is so long that it would take the page's own room to keep things. */
const KEPT_LENGTH = 500_000

export const Composer = ({ state, chat, words, config, memory, takeOffer, taken, input, uploads }: Props) => {
  const [text, setText] = useState(() => memory.read<string>(':typed') ?? '')
  const picker = useRef<HTMLInputElement>(null)
  const most = config.maxMessageLength
  const isTooLong = text.length > most

  const pending = uploads?.state() ?? { all: [], problem: null }
  const isSending = pending.all.some((one) => one.state.kind === 'sending')
  const hasFiles = pending.all.some((one) => one.state.kind === 'ready')
  const canSend = !isTooLong && !isSending && (text.trim() !== '' || hasFiles)
  const limits = config.files
    ? filled(words.limits, { most: config.files.most, size: sizeOf(config.files.mostBytes) })
    : ''

  useEffect(() => memory.write(':typed', text && text.length <= KEPT_LENGTH ? text : null), [text])
  // What the page offers stands in for what was not typed; it never replaces what was.
  useEffect(() => {
    const offer = takeOffer()
    if (offer) setText((typed) => typed || offer)
  })
  useEffect(() => {
    if (taken.text) setText((typed) => [typed, taken.text].filter(Boolean).join('\n'))
  }, [taken.times])
  useLayoutEffect(() => {
    const area = input.current
    if (!area) return
    area.style.height = 'auto'
    area.style.height = `${Math.min(area.scrollHeight, TALLEST_PX)}px`
  }, [text])

  const send = () => {
    if (!canSend) return
    chat.send(text.trim(), uploads?.take())
    setText('')
    input.current?.focus()
  }
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return
    event.preventDefault()
    send()
  }

  const onPick = ({ currentTarget }: { currentTarget: HTMLInputElement }) => {
    uploads?.add(currentTarget.files ?? [])
    // The same file may be picked again.
    currentTarget.value = ''
    input.current?.focus()
  }
  const onPaste = (event: ClipboardEvent) => {
    const { files } = event.clipboardData ?? {}
    if (!uploads || !files || files.length === 0) return
    event.preventDefault()
    uploads.add(files)
  }

  const askPerson = () => {
    const isAsked = state.unsent.at(-1)?.text === words.askPerson || state.messages.at(-1)?.text === words.askPerson
    if (!isAsked) chat.send(words.askPerson)
    // The button goes once a person is asked for; the focus does not go with it.
    input.current?.focus()
  }

  const number = new Intl.NumberFormat(undefined, { useGrouping: true })
  const size = { n: number.format(text.length), most: number.format(most) }
  return (
    <form
      class="composer"
      onSubmit={(event) => {
        event.preventDefault()
        send()
      }}
    >
      {uploads && <Pending {...{ uploads, words, limits }} state={pending} />}
      <div class={`field ${isTooLong ? 'wrong' : ''}`}>
        {uploads && (
          <>
            <button
              type="button"
              class="attach"
              aria-label={words.attach}
              aria-describedby="limits"
              title={limits}
              onClick={() => picker.current?.click()}
            >
              <Attach />
            </button>
            <input
              ref={picker}
              type="file"
              class="unseen"
              multiple
              tabIndex={-1}
              aria-hidden="true"
              accept={config.files?.extensions.map((extension) => `.${extension}`).join()}
              onChange={onPick}
            />
            <span id="limits" class="unseen">
              {limits}
            </span>
          </>
        )}
        <textarea
          ref={input}
          rows={1}
          dir="auto"
          aria-label={words.write}
          aria-invalid={isTooLong}
          aria-describedby="size"
          placeholder={words.write}
          value={text}
          onInput={(event) => setText(event.currentTarget.value)}
          onKeyDown={onKeyDown}
          onPaste={onPaste}
        />
        <button type="submit" class="send" aria-label={words.send} aria-disabled={!canSend}>
          <Send />
        </button>
      </div>
      <p id="size" class={isTooLong ? 'bad' : ''} role="status">
        {isTooLong ? filled(words.tooLong, size) : text.length > most * NEARLY ? filled(words.length, size) : ''}
      </p>
      {state.standing.handler === 'assistant' && (
        <button type="button" class="person" onClick={askPerson}>
          <Person /> {words.person}
        </button>
      )}
    </form>
  )
}
