import { setTimeout as pause } from 'node:timers/promises'
import { newId } from '../../platform/ids.js'
import type { ChannelKit, TestStep } from '../channel.js'
import { tryImap, trySmtp } from './check.js'
import type { ComposedMail } from './compose.js'
import { mailFaultOf } from './faults.js'
import type { Marks } from './marks.js'
import type { AccessTokens } from './oauth.js'
import type { EmailSettings } from './settings.js'
import type { makeSmtp } from './smtp.js'

const LOOK_EVERY_MS = 250
const CAME_BACK = 'came-back'

type Needs = {
  settings: EmailSettings
  marks: Marks
  smtp: ReturnType<typeof makeSmtp>
  tokens: AccessTokens | null
  kit: Pick<ChannelKit, 'memory' | 'clock' | 'lookup'>
}

/**
 * Sends a mail to ourselves, by the address that customers' answers come to, and waits until the mailbox brings it; and one to
 * whoever asked. The mailbox may be followed by another process: it says through the channel's memory what came back.
 */
export const makeRoundTrip = ({ settings, marks, smtp, tokens, kit }: Needs) => {
  const timed = async (name: string, step: () => Promise<void>): Promise<TestStep> => {
    const startedAt = kit.clock.now().getTime()
    const ms = () => kit.clock.now().getTime() - startedAt
    try {
      await step()
      return { name, ok: true, ms: ms() }
    } catch (error) {
      const detail = error instanceof Refused ? error.message : mailFaultOf(error).sentence
      return { name, ok: false, ms: ms(), detail }
    }
  }

  const send = async (id: string, to: string, signal: AbortSignal): Promise<void> => {
    const { receipt } = await smtp.send(testMail(settings, marks, id, to), signal)
    if (receipt.kind !== 'sent') throw new Refused(receipt.reason)
  }

  const waitFor = async (messageId: string, signal: AbortSignal): Promise<void> => {
    while (!signal.aborted) {
      if ((await kit.memory.get<string>(CAME_BACK)) === messageId) return
      await pause(LOOK_EVERY_MS, undefined, { signal }).catch(() => {})
    }
    throw new Refused(
      settings.replyMark === 'address'
        ? 'It did not come back. Does the server take plus addresses (name+anything@domain)? If not, mark replies by the subject.'
        : 'It did not come back in time.',
    )
  }

  return {
    /** A mail of ours lies in our own mailbox. */
    cameBack: async (messageId: string): Promise<void> => {
      if (marks.outboundOf(messageId)?.startsWith('test_')) await kit.memory.set(CAME_BACK, messageId)
    },

    run: async (to: string, signal: AbortSignal): Promise<TestStep[]> => {
      const id = newId('test')
      const back = marks.conversationAddress(`cnv_${'0'.repeat(32)}`)
      const own = settings.replyMark === 'address' && back ? back : settings.address
      const { imap } = settings
      const steps: (() => Promise<TestStep>)[] = [
        ...(imap ? [() => timed('the mailbox opens', () => tryImap(settings, tokens, kit.lookup, signal))] : []),
        () => timed('the sending server lets us in', () => trySmtp(settings, tokens, kit.lookup, signal)),
        ...(imap
          ? [
              () => timed('a mail to ourselves is taken', () => send(id, own, signal)),
              () => timed('it comes back to the mailbox', () => waitFor(marks.messageIdOf(id), signal)),
            ]
          : []),
        ...(marks.isOwn(to) ? [] : [() => timed('a mail to you is taken', () => send(newId('test'), to, signal))]),
      ]
      const done: TestStep[] = []
      for (const step of steps) {
        const result = await step()
        done.push(result)
        if (!result.ok) break
      }
      return done
    },
  }
}

class Refused extends Error {}

const testMail = (settings: EmailSettings, marks: Marks, id: string, to: string): ComposedMail => ({
  messageId: marks.messageIdOf(id),
  from: { name: settings.name, address: settings.address },
  to: [{ name: '', address: to }],
  cc: [],
  replyTo: null,
  envelopeFrom: settings.address,
  subject: 'Test of your support address',
  inReplyTo: null,
  references: [],
  headers: { 'Auto-Submitted': 'auto-generated', 'X-Auto-Response-Suppress': 'All' },
  text: 'This mail shows that your helpdesk can send from this address. Nothing has to be done.\n',
  html: '<p>This mail shows that your helpdesk can send from this address. Nothing has to be done.</p>',
  attachments: [],
})
