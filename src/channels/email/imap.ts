import { ImapFlow, type ImapFlowOptions } from 'imapflow'
import { isIP } from 'node:net'
import type { Outside } from '../../platform/addresses.js'
import type { AccessTokens } from './oauth.js'
import type { ImapSettings } from './settings.js'
import { isLoopback } from './smtp.js'

const CONNECT_MS = 15_000
const SILENT_MS = 90_000

type Needs = { imap: ImapSettings; tokens: AccessTokens | null; lookup: Outside['lookup'] }

/** How the server is reached: the address that was looked up and allowed, under the name that its certificate must bear. */
export const imapOptions = async ({ imap, tokens, lookup }: Needs): Promise<ImapFlowOptions> => ({
  host: await lookup(imap.host),
  port: imap.port,
  secure: imap.secure,
  ...(imap.secure ? {} : { doSTARTTLS: !isLoopback(imap.host) }),
  ...(isIP(imap.host) ? {} : { servername: imap.host }),
  auth: tokens ? { user: imap.user, accessToken: await tokens.get() } : { user: imap.user, pass: imap.password ?? '' },
  logger: false,
  disableAutoIdle: true,
  connectionTimeout: CONNECT_MS,
  greetingTimeout: CONNECT_MS,
  socketTimeout: SILENT_MS,
})

/** Puts a copy of what was sent into the account's Sent mailbox; one with the same Message-ID is there already. */
export const keepInSent = async (needs: Needs, raw: Buffer, messageId: string): Promise<void> => {
  const client = new ImapFlow(await imapOptions(needs))
  // Without a listener the process would end with the connection; whoever waits for an answer is told by it.
  client.on('error', () => {})
  try {
    await client.connect()
    const boxes = await client.list()
    const sent = boxes.find(({ specialUse }) => specialUse === '\\Sent')
    if (!sent) return
    await client.mailboxOpen(sent.path)
    const there = await client.search({ header: { 'message-id': messageId } }, { uid: true })
    if (!there || there.length === 0) await client.append(sent.path, raw, ['\\Seen'])
    await client.logout()
  } finally {
    client.close()
  }
}
