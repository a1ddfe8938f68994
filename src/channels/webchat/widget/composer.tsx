import type { RefObject } from 'preact'
import { useEffect, useLayoutEffect, useState } from 'preact/hooks'
import { Person, Send } from './icons.js'
import { filled } from './languages.js'
import type { PanelProps } from './panel.js'

type Props = PanelProps & { input: RefObject<HTMLTextAreaElement | null>; taken: { text: string; times: number } }

/** The counter is shown from here on, as a share of what a message may hold. */
const NEARLY = 0.9
const TALLEST_PX = 140
/** Typing is kept at most this late, and not at all where it is far too long to be sent. */
const KEEP_AFTER_MS = 250

export const Composer = ({ state, chat, words, config, memory, offered, taken, input }: Props) => {
  const [text, setText] = useState(() => memory.read<string>(':typed') ?? '')
  const most = config.maxMessageLength
  const isTooLong = text.length > most

  useEffect(() => {
    const timer = setTimeout(
      () => memory.write(':typed', text && text.length <= most * 10 ? text : null),
      KEEP_AFTER_MS,
    )
    return () => clearTimeout(timer)
  }, [text])
  // What the page offers stands in for what was not typed; it never replaces what was.
  useEffect(() => {
    if (offered.text) setText((typed) => typed || offered.text)
  }, [offered.times])
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
    if (isTooLong || text.trim() === '') return
    chat.send(text.trim())
    setText('')
    memory.write(':typed', null)
    input.current?.focus()
  }
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return
    event.preventDefault()
    send()
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
      <div class={`field ${isTooLong ? 'wrong' : ''}`}>
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
        />
        <button type="submit" class="send" aria-label={words.send} aria-disabled={isTooLong || text.trim() === ''}>
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
