import { render } from 'preact'
import type { ChatConfig } from '../settings.js'
import { makeChat, type ChatState } from './chat.js'
import { chooseLanguage, directionOf, filled, wordsIn } from './languages.js'
import { makeMemory } from './memory.js'
import { Panel } from './panel.js'
import { makeServer, type Identity } from './server.js'
import { makeUploads } from './uploads.js'
import css from './widget.css?inline'

/** What the loader hands over: its element's shadow root, its button, and what it learned. */
export type Boot = {
  root: ShadowRoot
  launcher: HTMLButtonElement
  base: string
  channel: string
  config: ChatConfig | null
}

export type Widget = { perform(name: string, given: unknown[]): void; stop(): void }

/** What the button shows while the chat is open. */
const CLOSING = 'M5.6 9.9l1.4-1.4 5 5 5-5 1.400 1.400-6.400 6.400z'

/** Where the server could not be asked, the chat opens in its own clothes. */
const PLAIN: ChatConfig = {
  colors: { fill: '#0f6a58', onFill: '#ffffff', textOnLight: '#0f6a58', textOnDark: '#63cdb3' },
  logo: null,
  position: 'right',
  theme: 'auto',
  language: 'auto',
  texts: {},
  maxMessageLength: 10_000,
  files: null,
}

export const mount = async ({ root, launcher, base, channel, config: known }: Boot): Promise<Widget> => {
  const config = known ?? PLAIN
  const language = chooseLanguage(config.language, document.documentElement.lang, navigator.languages)
  const words = { ...(await wordsIn(language)), ...given(config.texts[language]) }
  const prefix = `helpdesk:${channel}`
  const memory = makeMemory('localStorage', prefix)
  const tab = makeMemory('sessionStorage', prefix)
  const listeners: [event: string, listener: (value: unknown) => void][] = []
  const tell = (event: string, value?: unknown) => {
    for (const [name, listener] of listeners) if (name === event) listener(value)
  }

  const sheet = new CSSStyleSheet()
  sheet.replaceSync(css)
  root.adoptedStyleSheets = [...root.adoptedStyleSheets, sheet]
  const place = document.createElement('div')
  const { fill, onFill, textOnLight, textOnDark } = config.colors
  place.className = `chat ${config.theme} ${config.position}`
  place.lang = language
  place.dir = directionOf(language)
  place.style.cssText = `--fill:${fill};--on-fill:${onFill};--text-on-light:${textOnLight};--text-on-dark:${textOnDark}`
  root.prepend(place)
  const badge = document.createElement('span')
  badge.className = 'badge'
  badge.ariaHidden = 'true'

  const picture = launcher.querySelector('path')
  const shape = picture?.getAttribute('d')
  let isOpen = false
  let unread = 0
  /** Text that the page wants to be asked; taken once. */
  let offered = ''
  const takeOffer = () => {
    const offer = offered
    offered = ''
    return offer
  }

  const draw = (state: ChatState): void => {
    if (state.unread !== unread) tell('unread', state.unread)
    unread = state.unread
    launcher.ariaLabel = isOpen ? words.close : unread > 0 ? filled(words.openUnread, { n: unread }) : words.open
    launcher.ariaExpanded = String(isOpen)
    launcher.classList.toggle('opened', isOpen)
    picture?.setAttribute('d', isOpen ? CLOSING : (shape ?? ''))
    badge.textContent = unread > 9 ? '9+' : String(unread)
    if (unread > 0 && !isOpen) launcher.append(badge)
    else badge.remove()
    render(
      isOpen ? (
        <Panel
          {...{ state, chat, words, language, config, memory, takeOffer, uploads, base, takesFocus }}
          close={() => show(false)}
        />
      ) : null,
      place,
    )
  }

  const chat = makeChat({
    server: makeServer(base, channel, language),
    memory,
    base,
    lockName: prefix,
    changed: (state) => draw(state),
  })
  const uploads = config.files
    ? makeUploads({ limits: config.files, upload: chat.upload, changed: () => draw(chat.state()) })
    : null
  const looksAt = () => chat.watch(isOpen && document.visibilityState === 'visible')
  document.addEventListener('visibilitychange', looksAt)

  /** Whoever opens it writes next; a chat that was open on the page before leaves the focus where it is. */
  let takesFocus = true
  const show = (open: boolean): void => {
    if (open === isOpen) return
    isOpen = open
    tab.write('', open || null)
    looksAt()
    if (!open) launcher.focus()
    tell(open ? 'open' : 'close')
  }

  if (tab.read('')) {
    takesFocus = false
    show(true)
    takesFocus = true
  } else chat.proceed()
  draw(chat.state())

  return {
    perform: (name, [first, second]) => {
      switch (name) {
        case 'open':
          if (typeof first === 'string') offered = first
          show(true)
          return draw(chat.state())
        case 'close':
          return show(false)
        case 'toggle':
          return show(!isOpen)
        case 'identify':
          return chat.identify(identityOf(first))
        case 'on':
          if (typeof first === 'string' && typeof second === 'function')
            listeners.push([first, second as (value: unknown) => void])
          return
        default:
          // eslint-disable-next-line no-console -- for who builds the page
          console.warn(`Helpdesk: there is no command "${name}".`)
      }
    },
    stop: () => {
      chat.stop()
      document.removeEventListener('visibilitychange', looksAt)
      render(null, place)
    },
  }
}

/** What the page gave, cut to what the server takes. */
const identityOf = (given: unknown): Identity => {
  const fields = (given ?? {}) as Record<string, unknown>
  return Object.fromEntries(
    ['id', 'name', 'email', 'hash'].flatMap((name) => {
      const value = fields[name]
      return typeof value === 'string' || typeof value === 'number' ? [[name, String(value)]] : []
    }),
  )
}

/** The company's own words where it has any. */
const given = (texts: { title?: string | undefined; greeting?: string | undefined } | undefined) => ({
  ...(texts?.title ? { title: texts.title } : {}),
  ...(texts?.greeting ? { greeting: texts.greeting } : {}),
})
