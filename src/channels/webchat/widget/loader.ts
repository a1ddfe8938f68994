import type { ChatConfig } from '../settings.js'
import type { Boot, Widget } from './body.js'

/**
 * What every page of a site carries, so it is small: it draws the button, and loads the chat itself when somebody reaches
 * for it, or when there is a conversation in which an answer may be waiting. On the page it leaves one element and
 * `window.Helpdesk`, nothing else. `docs/WIDGET.md` describes what may be asked of it.
 */

/** The path of the body's file, put in by the build. */
declare const __BODY__: string

type Command = [name: string, ...given: unknown[]]
type Booting = { channel: string; config?: ChatConfig }
declare global {
  // eslint-disable-next-line @typescript-eslint/consistent-type-definitions -- only an interface is merged with what is there
  interface Window {
    Helpdesk?: { (...command: Command): void; q?: ArrayLike<unknown>[] }
  }
}

const AWAY: Record<string, string> = {
  en: 'The chat cannot be reached at this moment. Try again.',
  pt: 'O chat não está acessível neste momento. Tente de novo.',
  es: 'No se puede acceder al chat en este momento. Inténtalo de nuevo.',
  ar: 'تعذّر الوصول إلى الدردشة الآن. حاول مرة أخرى.',
}

const CSS = `:host{all:initial!important;position:fixed!important;z-index:2147483000!important;inset:auto!important;display:block!important;width:0!important;height:0!important;color-scheme:normal!important}
.launcher{all:unset;box-sizing:border-box;position:fixed;bottom:20px;right:20px;width:56px;height:56px;border-radius:50%;display:grid;place-items:center;cursor:pointer;background:#0f6a58;color:#fff;box-shadow:0 0 0 1px #00000014,0 2px 6px #0002,0 8px 24px #0003;transition:transform .15s;-webkit-tap-highlight-color:transparent}
.launcher:hover{transform:scale(1.05)}.launcher:active{transform:scale(.96)}
.launcher:focus-visible{outline:3px solid #fff;outline-offset:-6px;box-shadow:0 0 0 3px #14161a,0 8px 24px #0003}
.launcher svg{width:28px;height:28px}
.away{all:initial;position:fixed;bottom:88px;right:20px;max-width:240px;padding:10px 14px;border-radius:12px;background:#14161a;color:#fff;font:14px/1.4 system-ui,sans-serif}
.left{right:auto;left:20px}
@media(forced-colors:active){.launcher{border:2px solid ButtonText}}
@media(prefers-reduced-motion){.launcher{transition:none}}
@media print{:host{display:none!important}}`

const ICON =
  'M12 3c-5 0-9 3.5-9 7.8 0 2.3 1.2 4.4 3 5.8l-.6 3.5c-.1.4.4.8.8.6l4.1-2.2c.6.1 1.1.1 1.7.1 5 0 9-3.5 9-7.8S17 3 12 3z'

const script = document.currentScript as HTMLScriptElement | null
const base = new URL(script?.src ?? location.href).origin

let current: { channel: string; remove(): void; load(): Promise<Widget | null>; widget: Widget | null } | null = null
/** Said before the chat was there: it hears them in their order. */
let unheard: Command[] = []

const boot = async ({ channel, config: given }: Booting): Promise<void> => {
  if (current?.channel === channel && !given) return
  remove()
  const mine = { channel, remove: () => {}, load: async () => null, widget: null } as NonNullable<typeof current>
  current = mine
  const config =
    given ??
    (await fetch(`${base}/api/v1/webchat/config?key=${encodeURIComponent(channel)}`)
      .then((answer) => (answer.ok ? (answer.json() as Promise<ChatConfig>) : null))
      .catch(() => null))
  if (!document.body) await new Promise((resolve) => addEventListener('DOMContentLoaded', resolve))
  if (current !== mine) return

  const element = document.createElement('helpdesk-chat')
  const root = element.attachShadow({ mode: 'open' })
  const sheet = new CSSStyleSheet()
  sheet.replaceSync(CSS)
  root.adoptedStyleSheets = [sheet]
  const launcher = document.createElement('button')
  launcher.type = 'button'
  launcher.className = `launcher ${config?.position ?? ''}`
  launcher.setAttribute('aria-label', 'Chat')
  launcher.setAttribute('aria-haspopup', 'dialog')
  launcher.setAttribute('aria-expanded', 'false')
  if (config) launcher.style.cssText = `background:${config.colors.fill};color:${config.colors.onFill}`
  const icon = document.createElementNS('http://www.w3.org/2000/svg', 'svg')
  icon.setAttribute('viewBox', '0 0 24 24')
  icon.setAttribute('aria-hidden', 'true')
  const path = document.createElementNS('http://www.w3.org/2000/svg', 'path')
  path.setAttribute('d', ICON)
  path.setAttribute('fill', 'currentColor')
  icon.append(path)
  launcher.append(icon)
  const problem = document.createElement('p')
  problem.setAttribute('role', 'status')
  problem.className = `away ${config?.position ?? ''}`
  problem.hidden = true
  root.append(launcher)

  let loading: Promise<Widget | null> | null = null
  let tries = 0
  const attempt = async (): Promise<Widget | null> => {
    try {
      // A browser may remember that a module did not load: another address is another try.
      const address = base + __BODY__ + (tries++ ? `?${tries}` : '')
      const { mount } = (await import(/* @vite-ignore */ address)) as { mount(boot: Boot): Promise<Widget> }
      const widget = await mount({ root, launcher, base, channel, config })
      if (current !== mine) {
        widget.stop()
        return null
      }
      problem.remove()
      mine.widget = widget
      for (const [name, ...rest] of unheard) mine.widget.perform(name, rest)
      unheard = []
      return mine.widget
    } catch {
      loading = null
      return null
    }
  }
  mine.load = () => (loading ??= attempt())
  mine.remove = () => {
    mine.widget?.stop()
    element.remove()
  }
  const early = () => void mine.load()
  launcher.onpointerenter = launcher.onfocus = early
  launcher.onclick = async () => {
    const widget = await mine.load()
    if (widget) return widget.perform('toggle', [])
    problem.textContent = AWAY[(document.documentElement.lang || navigator.language).slice(0, 2)] ?? (AWAY.en as string)
    problem.hidden = false
    root.append(problem)
  }
  document.body.append(element)
  // Not before the page is at rest: the first look into its storage keeps a page waiting.
  const whenIdle = window.requestIdleCallback ?? setTimeout
  whenIdle(() => {
    if (unheard.some(([name]) => name === 'open') || isGoingOn(channel)) early()
  })
}

const stores = (): Storage[] => {
  try {
    return [localStorage, sessionStorage]
  } catch {
    return []
  }
}

/** There was a conversation, or the chat is open in this tab. */
const isGoingOn = (channel: string): boolean => stores().some((store) => store.getItem(`helpdesk:${channel}`))

const remove = (): void => {
  current?.remove()
  current = null
}

/** Ends the chat on this page and forgets everything about the visitor. */
const shutdown = (): void => {
  const { channel } = current ?? {}
  remove()
  unheard = []
  if (channel)
    for (const store of stores())
      for (const key of Object.keys(store)) if (key.startsWith(`helpdesk:${channel}`)) store.removeItem(key)
}

const perform = (...command: Command): void => {
  const [name, ...given] = command
  if (name === 'boot') void boot(given[0] as Booting)
  else if (name === 'shutdown') shutdown()
  else if (current?.widget) current.widget.perform(name, given)
  else {
    unheard.push(command)
    if (name === 'open') void current?.load()
  }
}

const early = window.Helpdesk?.q ?? []
// A second copy of the script leaves the first one's chat alone.
if (!window.Helpdesk || window.Helpdesk.q) {
  window.Helpdesk = perform
  const channel = script?.dataset.channel
  if (channel) void boot({ channel })
  for (const command of early) perform(...(Array.from(command) as Command))
}
