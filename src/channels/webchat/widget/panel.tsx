import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks'
import type { ChatConfig } from '../settings.js'
import type { Chat, ChatState } from './chat.js'
import { Composer } from './composer.js'
import { Back, Close, Person, Spark } from './icons.js'
import { filled, type Language, type Words } from './languages.js'
import type { Memory } from './memory.js'
import { Conversation } from './conversation.js'
import { SourceView, type Source } from './source.js'
import type { Uploads } from './uploads.js'

export type PanelProps = {
  state: ChatState
  chat: Chat
  words: Words
  language: Language
  config: ChatConfig
  memory: Memory
  /** What the page wants to be asked, once. */
  takeOffer(): string
  /** `null` where this chat takes no files. */
  uploads: Uploads | null
  base: string
  /** Whether somebody has just opened it. */
  takesFocus: boolean
  close(): void
}

export const Panel = (props: PanelProps) => {
  const { state, chat, words, language, config, uploads, takesFocus, close } = props
  const [isOver, setOver] = useState(false)
  const [source, setSource] = useState<Source | null>(null)
  const panel = useRef<HTMLDivElement>(null)
  const input = useRef<HTMLTextAreaElement>(null)
  const opener = useRef<HTMLElement | null>(null)
  /** What was not sent and is to be written anew. */
  const [taken, setTaken] = useState({ text: '', times: 0 })
  const isWhole = useWholeScreen(panel)

  useEffect(() => {
    // A page in a frame that nobody is in takes no focus from where somebody is.
    if (takesFocus && document.hasFocus()) input.current?.focus()
  }, [])

  const openSource = (wanted: Source) => {
    opener.current = (panel.current?.getRootNode() as ShadowRoot).activeElement as HTMLElement | null
    setSource(wanted)
  }
  const closeSource = () => {
    setSource(null)
    requestAnimationFrame(() => opener.current?.focus())
  }

  const edit = (id: string) => {
    const text = chat.takeBack(id)
    setTaken(({ times }) => ({ text, times: times + 1 }))
    input.current?.focus()
  }

  const onKeyDown = (event: KeyboardEvent) => {
    // The page behind has shortcuts of its own: what is typed here is not for it.
    event.stopPropagation()
    if (event.key === 'Escape' && !event.isComposing) {
      event.preventDefault()
      if (source) closeSource()
      else close()
    }
    if (event.key === 'Tab' && isWhole && panel.current) keepInside(panel.current, event)
  }

  const onDrag = (event: DragEvent) => {
    if (!uploads || !event.dataTransfer?.types.includes('Files')) return
    event.preventDefault()
    setOver(event.type === 'dragover')
    if (event.type === 'drop') uploads.add(event.dataTransfer.files)
  }

  return (
    <div
      class="panel"
      ref={panel}
      role="dialog"
      aria-modal={isWhole}
      aria-label={words.chat}
      onKeyDown={onKeyDown}
      onDragOver={onDrag}
      onDragLeave={onDrag}
      onDrop={onDrag}
      onKeyUp={(event) => event.stopPropagation()}
      onKeyPress={(event) => event.stopPropagation()}
    >
      <header>
        {source ? (
          <button type="button" class="icon back" aria-label={words.back} onClick={closeSource}>
            <Back />
          </button>
        ) : (
          <Talker {...{ state, words, config }} />
        )}
        {source && <h2 class="grow">{words.quoted}</h2>}
        <button type="button" class="icon" aria-label={words.close} onClick={close}>
          <Close />
        </button>
      </header>
      <div class="notice" role="status">
        {noticeOf(state, words, language)}
      </div>
      {isOver && <div class="drop">{words.drop}</div>}
      {source && <SourceView {...{ source, words, chat }} />}
      <div class={`pane ${source ? 'behind' : ''}`}>
        <Conversation {...props} openSource={openSource} edit={edit} />
        <Composer {...props} input={input} taken={taken} />
      </div>
    </div>
  )
}

/** Who is talking: always in sight. */
const Talker = ({ state: { standing }, words, config }: Pick<PanelProps, 'state' | 'words' | 'config'>) => {
  const { handler, agent } = standing
  const name = handler === 'agent' ? (agent ?? words.personIs) : handler === 'nobody' ? words.waiting : words.assistant
  const what = handler === 'agent' ? words.personIs : handler === 'nobody' ? words.waitingIs : words.assistantIs
  return (
    <div class="talker grow">
      <span class={`face ${handler}`}>
        {handler === 'agent' && agent ? (
          initialOf(agent)
        ) : handler === 'assistant' ? (
          <Face logo={config.logo} />
        ) : (
          <Person />
        )}
      </span>
      <div>
        <h2>{name}</h2>
        {what !== name && <p>{what}</p>}
      </div>
    </div>
  )
}

/** The company's picture, or ours where it cannot be loaded. */
const Face = ({ logo }: { logo: string | null }) => {
  const [isBroken, setBroken] = useState(false)
  if (!logo || isBroken) return <Spark />
  return <img src={logo} alt="" referrerpolicy="no-referrer" onError={() => setBroken(true)} />
}

const initialOf = (name: string): string => [...name.trim()][0]?.toUpperCase() ?? ''

const noticeOf = (
  { gone, away, restarted, standing: { handler, opensAt } }: ChatState,
  words: Words,
  language: string,
) => {
  if (gone) return words.gone
  if (away) return words.away
  if (opensAt && handler !== 'agent') return hoursNotice(words, timeIn(language, opensAt), handler === 'assistant')
  return restarted ? words.restarted : null
}

const hoursNotice = (words: Words, when: string, assistantIsHere: boolean): string =>
  filled(words.hours, { when }) + (assistantIsHere ? ` ${words.assistantHere}` : '')

/** In the visitor's zone. With its date: over holidays a weekday alone would be the wrong one. */
const timeIn = (language: string, at: string): string =>
  new Intl.DateTimeFormat(language, {
    weekday: 'long',
    day: 'numeric',
    month: 'long',
    hour: 'numeric',
    minute: '2-digit',
  }).format(new Date(at))

const WHOLE = '(max-width: 480px), (max-height: 420px)'

/** On a small screen the chat takes all of it, above the keyboard, and keeps the focus as a modal dialog does. */
const useWholeScreen = (panel: { current: HTMLElement | null }): boolean => {
  const [isWhole, setWhole] = useState(() => matchMedia(WHOLE).matches)
  useEffect(() => {
    const query = matchMedia(WHOLE)
    const follow = () => setWhole(query.matches)
    query.addEventListener('change', follow)
    return () => query.removeEventListener('change', follow)
  }, [])
  useLayoutEffect(() => {
    const view = window.visualViewport
    if (!isWhole || !view) return
    const fit = () => {
      panel.current?.style.setProperty('height', `${view.height}px`)
      panel.current?.style.setProperty('top', `${view.offsetTop}px`)
    }
    fit()
    view.addEventListener('resize', fit)
    view.addEventListener('scroll', fit)
    return () => {
      view.removeEventListener('resize', fit)
      view.removeEventListener('scroll', fit)
      panel.current?.style.removeProperty('height')
      panel.current?.style.removeProperty('top')
    }
  }, [isWhole])
  return isWhole
}

const FOCUSABLE = 'button:not([disabled]), [href], textarea, input, [tabindex="0"]'

const keepInside = (panel: HTMLElement, event: KeyboardEvent): void => {
  const all = [...panel.querySelectorAll<HTMLElement>(FOCUSABLE)].filter((one) => one.checkVisibility())
  const focused = (panel.getRootNode() as ShadowRoot).activeElement
  const edge = event.shiftKey ? all[0] : all.at(-1)
  if (focused !== edge && focused) return
  event.preventDefault()
  ;(event.shiftKey ? all.at(-1) : all[0])?.focus()
}
