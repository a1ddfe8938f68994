import { coloursOf } from '../colours.js'
import type { ChatConfig, Settings } from '../settings.js'
import './demo.css'

/**
 * Puts the chat on our own page: the first company's, or the one that `?key=` names. The dashboard shows this page in a frame
 * and says by a message how the chat would look with settings that are not saved yet.
 */

const named = new URLSearchParams(location.search).get('key')

const firstOfAll = async (): Promise<string> => {
  const answer = await fetch('/api/v1/webchat/demo')
  return ((await answer.json()) as { channelKey: string }).channelKey
}

const channel = named ?? (await firstOfAll())
const script = document.createElement('script')
script.src = '/widget.js'
script.dataset.channel = channel
document.head.append(script)

for (const button of document.querySelectorAll<HTMLButtonElement>('[data-ask]'))
  button.addEventListener('click', () => window.Helpdesk?.('open', button.dataset.ask))

type Preview = { helpdesk: 'preview'; settings: Settings }

const configOf = ({ color, logo, position, theme, language, texts }: Settings): ChatConfig => ({
  colors: coloursOf(color),
  ...{ logo, position, theme, language, texts },
  maxMessageLength: 10_000,
  files: null,
})

window.addEventListener('message', ({ origin, source, data }: MessageEvent<Partial<Preview> | null>) => {
  if (origin !== location.origin || source !== window.parent || data?.helpdesk !== 'preview' || !data.settings) return
  // Somebody is typing it.
  if (!/^#[0-9a-f]{6}$/i.test(data.settings.color)) return
  window.Helpdesk?.('boot', { channel, config: configOf(data.settings) })
  window.Helpdesk?.('open')
})
