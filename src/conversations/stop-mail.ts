import type { Bus } from '../platform/bus.js'
import type { Clock } from '../platform/clock.js'
import { currentRequestId } from '../platform/log.js'
import type { Secrets } from '../platform/secrets.js'
import type { ConversationStore } from './store.mongo.js'
import { announce, eventLine } from './timeline.js'

type Needs = { store: ConversationStore; secrets: Secrets; publicUrl: string; bus: Bus; clock: Clock }

const PURPOSE = 'stop-mail'
type Signed = { companyId: string; conversationId: string }

/** The way out that every letter carries. Its holder may end the mails about one conversation, and nothing else. */
export const makeStopMail = ({ store, secrets, publicUrl, bus, clock }: Needs) => {
  const read = (token: string) => secrets.verify(PURPOSE, token) as Signed | null
  return {
    urlFor: (companyId: string, conversationId: string): string =>
      new URL(`/mail/stop?t=${secrets.sign(PURPOSE, { companyId, conversationId } satisfies Signed)}`, publicUrl).href,

    /** The language of the conversation that a link is about; `null` where the link is none of ours, or the conversation is gone. */
    look: async (token: string): Promise<{ language: string | null } | null> => {
      const signed = read(token)
      return signed && store.findConversation(signed.companyId, signed.conversationId)
    },

    /** False where there is nothing to stop. Saying it again changes nothing. */
    stop: async (token: string): Promise<boolean> => {
      const signed = read(token)
      if (!signed) return false
      const target = { ...signed, at: clock.now(), requestId: currentRequestId() ?? signed.conversationId }
      const appended = await store.change(target, ({ mailStopped }) =>
        mailStopped ? null : { change: { mailStopped: true }, drafts: [eventLine({ name: 'mail_stopped' })] },
      )
      if (appended) announce(bus, appended)
      return appended !== null || (await store.findConversation(signed.companyId, signed.conversationId)) !== null
    },
  }
}
