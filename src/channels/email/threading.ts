import type { KnownContact, Message } from '../../conversations/message.js'
import type { ChannelKit } from '../channel.js'
import type { DecodedEmail } from './decode.js'
import { externalIdOf, factsIn } from './facts.js'
import type { Marks } from './marks.js'
import { threadRoot } from './thread-index.js'

/** By what a mail named its conversation, the surest first. */
export type NamedBy = 'address' | 'references' | 'in_reply_to' | 'subject' | 'thread_index'

export type Thread =
  /** `carriedTo`: it is another channel's, and this one of ours was mailed for it. */
  | { kind: 'known'; conversationId: string; by: NamedBy; carriedTo?: KnownContact }
  /** It names a conversation that its sender has no part in, or cannot prove to have: a person may join them. */
  | {
      kind: 'suggested'
      conversationId: string
      by: NamedBy
      because: 'stranger' | 'unauthenticated' | 'closed' | 'hint'
    }
  | { kind: 'new' }

/** Ids in References are looked up from the newest; those beyond are of the thread's beginning. */
const MOST_IDS = 40
/** Whoever took part in that many last messages takes part. */
const MOST_MESSAGES = 200

type Needs = {
  marks: Marks
  kit: Pick<ChannelKit, 'messagesByExternalIds' | 'history' | 'conversation' | 'contact' | 'memory' | 'carried'>
}

/**
 * To which conversation a mail belongs: our token in an address it was sent to, any id in References, In-Reply-To, our reference
 * in the subject; in this order, and only where its sender is that conversation's contact or was in copy. Never by subject alone.
 * Outlook's Thread-Index joins nothing: where nothing else names a conversation, it suggests one.
 */
export const makeFindThread = ({ marks, kit }: Needs) => {
  const candidates = async (mail: DecodedEmail): Promise<{ conversationId: string; by: NamedBy }[]> => {
    const addresses = [...mail.deliveredTo, ...[...mail.to, ...mail.cc].map(({ address }) => address)]
    const byAddress = addresses.flatMap((address) => marks.conversationOf(address) ?? [])
    const references = mail.references.slice(-MOST_IDS).reverse()
    const ids = [...references, ...(mail.inReplyTo ? [mail.inReplyTo] : [])]
    const found = ids.length > 0 ? await kit.messagesByExternalIds(ids.map(externalIdOf)) : []
    const conversationOf = new Map(found.map(({ externalId, conversationId }) => [externalId, conversationId]))
    for (const id of ids) {
      const letter = marks.outboundOf(id)
      const carried = letter && !conversationOf.has(id) ? await kit.carried.conversationOf(letter) : null
      if (carried) conversationOf.set(id, carried)
    }
    const lookUp = (id: string) => conversationOf.get(externalIdOf(id)) ?? []
    const inSubject = marks.conversationInSubject(mail.subject)
    return [
      ...byAddress.map((conversationId) => ({ conversationId, by: 'address' as const })),
      ...references.flatMap(lookUp).map((conversationId) => ({ conversationId, by: 'references' as const })),
      ...(mail.inReplyTo ? [mail.inReplyTo] : [])
        .flatMap(lookUp)
        .map((conversationId) => ({ conversationId, by: 'in_reply_to' as const })),
      ...(inSubject ? [{ conversationId: inSubject, by: 'subject' as const }] : []),
    ]
  }

  /** `null` where there is no such conversation here. */
  const participants = async (conversationId: string): Promise<Set<string> | null> => {
    const conversation = await kit.conversation(conversationId)
    if (!conversation) return null
    const [contact, messages] = await Promise.all([
      kit.contact(conversation.contactId),
      kit.history(conversationId, MOST_MESSAGES),
    ])
    const addresses = messages.filter(isByPerson).flatMap((message) => {
      const facts = factsIn(message)
      return facts ? [...(facts.from ? [facts.from] : []), ...facts.replyTo, ...facts.to, ...facts.cc] : []
    })
    const all = new Set(addresses.map(({ address }) => address.toLowerCase()))
    // A contact of whom nobody knows whether it was them is nobody.
    if (contact?.email && !contact.externalId.startsWith(UNPROVEN)) all.add(contact.email.toLowerCase())
    for (const address of all) if (marks.isOwn(address)) all.delete(address)
    return all
  }

  const hinted = async ({ threadIndex }: DecodedEmail, isForged: boolean): Promise<Thread | null> => {
    const root = isForged ? null : threadRoot(threadIndex)
    const conversationId = root && (await kit.memory.get<string>(threadKey(root)))
    if (!conversationId || !(await kit.conversation(conversationId))) return null
    return { kind: 'suggested', conversationId, by: 'thread_index', because: 'hint' }
  }

  return async (mail: DecodedEmail): Promise<Thread> => {
    const sender = mail.from?.address.toLowerCase() ?? null
    const isForged = mail.authentication.verdict === 'fail'
    let suggested: Thread | null = null
    const seen = new Set<string>()
    for (const { conversationId, by } of await candidates(mail)) {
      if (seen.has(conversationId)) continue
      seen.add(conversationId)
      const carriedTo = await kit.carried.contactOf(conversationId)
      const people = carriedTo ? new Set([carriedTo.email?.toLowerCase()]) : await participants(conversationId)
      if (!people) continue
      if (!isForged && sender && people.has(sender))
        return { kind: 'known', conversationId, by, ...(carriedTo ? { carriedTo } : {}) }
      suggested ??= { kind: 'suggested', conversationId, by, because: isForged ? 'unauthenticated' : 'stranger' }
    }
    return suggested ?? (await hinted(mail, isForged)) ?? { kind: 'new' }
  }
}

const threadKey = (root: string): string => `thread ${root}`

/** The first conversation of an Outlook thread is the one that is suggested to what comes later. */
export const makeNoteThread =
  (memory: Pick<ChannelKit['memory'], 'get' | 'set'>) =>
  async ({ threadIndex }: DecodedEmail, conversationId: string): Promise<void> => {
    const root = threadRoot(threadIndex)
    if (root && (await memory.get(threadKey(root))) === null) await memory.set(threadKey(root), conversationId)
  }

/** Before the address of a contact whose mail failed its server's check: never the same contact as the real one. */
export const UNPROVEN = 'unproven:'

const isByPerson = ({ author, details }: Message): boolean =>
  author.kind === 'customer' && details?.unauthenticated !== true && details?.bounce === undefined
