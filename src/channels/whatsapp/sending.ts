import { FormData } from 'undici'
import type { OutboundMessage, Receipt } from '../../conversations/message.js'
import { AppError } from '../../platform/errors.js'
import type { ChannelKit, Receive, TestStep } from '../channel.js'
import type { Update } from './decode.js'
import { verdictOn, type Refusal } from './graph-errors.js'
import { GraphError, type Graph } from './graph.js'
import { partsOf, requestOf, type Part } from './outgoing.js'
import type { CloudSettings } from './settings.js'

type Needs = {
  settings: CloudSettings
  graph: Graph
  kit: ChannelKit
  /** WhatsApp said no: it may mean more than this message. */
  refused(verdict: Refusal): void
}

/** Which parts of a message have left: a retry goes on behind them. */
const sentKey = (messageId: string) => `sent/${messageId}`
/** WhatsApp gives back with each status what was said with the message: our own name for it, or for one of its parts. */
const WHOLE = 'message:'
const PART = 'part:'

/**
 * A message on its way out. One that WhatsApp takes only in parts goes part by part, and each part that left is written down
 * before the next: a retry repeats none of them. The last one stands for the whole.
 */
export const makeSending = ({ settings, graph, kit, refused }: Needs) => {
  const { memory } = kit
  const { phoneNumberId } = settings

  const send = async (message: OutboundMessage, signal: AbortSignal): Promise<Receipt> => {
    const conversation = await kit.conversation(message.conversationId)
    const parts = partsOf({
      ...message,
      language: conversation?.language ?? null,
      choices: message.choices ?? [],
      template: message.template ?? null,
      personButton: settings.personButton,
      ratingButtons: settings.ratingButtons,
    })
    const key = sentKey(message.id)
    const sent = parts.length > 1 ? ((await memory.get<string[]>(key)) ?? []) : []
    try {
      for (const [index, part] of parts.entries()) {
        if (index < sent.length) continue
        const isLast = index === parts.length - 1
        const body = part.kind === 'file' ? await uploaded(part, signal) : part.body
        const echo = `${isLast ? WHOLE : PART}${message.id}`
        const replyTo = index === 0 ? message.replyTo : undefined
        const to = message.contact.externalId
        sent.push(await graph.post(to, requestOf(body, { to, replyTo, echo }), signal))
        if (parts.length > 1) await memory.set(key, sent)
      }
    } catch (error) {
      if (!(error instanceof GraphError) || error.verdict.kind !== 'refused') throw asFault(error)
      refused(error.verdict)
      const { code, reason } = error.verdict
      const which = sent.length > 0 ? ` (part ${sent.length + 1} of ${parts.length})` : ''
      return { kind: 'refused', reason: `${code}: ${reason}${which}` }
    }
    if (parts.length > 1) await memory.remove(key)
    const externalId = sent.at(-1)
    if (!externalId) return { kind: 'refused', reason: 'empty: there is nothing in it that WhatsApp could show' }
    return { kind: 'sent', externalId }
  }

  const uploaded = async (
    part: Extract<Part, { kind: 'file' }>,
    signal: AbortSignal,
  ): Promise<Record<string, unknown>> => {
    const { attachment, media, mime, caption } = part
    const { stream } = await kit.openFile(attachment)
    const chunks: Uint8Array<ArrayBuffer>[] = []
    for await (const chunk of stream as AsyncIterable<Uint8Array<ArrayBuffer>>) chunks.push(chunk)
    const form = new FormData()
    form.set('messaging_product', 'whatsapp')
    form.set('type', mime)
    form.set('file', new File(chunks, attachment.name, { type: mime }))
    const { id } = await graph.call(`${phoneNumberId}/media`, { body: form, signal })
    if (typeof id !== 'string')
      throw new GraphError(200, null, {
        kind: 'later',
        code: 'provider_broken',
        reason: 'WhatsApp gave the file no name.',
        afterMs: 5_000,
        of: 'message',
      })
    const named = media === 'document' ? { filename: attachment.name } : {}
    return { type: media, [media]: { id, ...(caption ? { caption } : {}), ...named } }
  }

  /** What the door wants to hear: later, never, or not known. */
  const asFault = (error: unknown): unknown => {
    if (!(error instanceof GraphError)) return error
    const { verdict } = error
    if (verdict.kind !== 'later') return error
    return new AppError('unavailable', verdict.code, verdict.reason, { retryAfterMs: verdict.afterMs, cause: error })
  }

  /** What became of a message. Of a part that is not the last only its failure counts: then the whole did not arrive. */
  const told = async (status: Extract<Update, { kind: 'status' }>, receive: Receive): Promise<void> => {
    const { externalId, error, echoed = '' } = status
    const isPart = echoed.startsWith(PART)
    if (isPart && status.status !== 'failed') return
    const messageId = isPart ? echoed.slice(PART.length) : echoed.startsWith(WHOLE) ? echoed.slice(WHOLE.length) : null
    const named = messageId ? { messageId } : {}
    if (status.status !== 'failed') {
      await receive({ kind: 'status', externalId, ...named, status: status.status })
      return
    }
    const verdict = verdictOn(400, error?.code ?? null)
    const reason = `${verdict.code}: ${verdict.reason}`
    const target = isPart ? await wholeOf(messageId, externalId) : externalId
    await receive({ kind: 'status', externalId: target, ...named, status: 'refused', reason })
  }

  /** The name that the last part got, where it is still written down; else it is known by our own. */
  const wholeOf = async (messageId: string | null, externalId: string): Promise<string> =>
    (messageId && (await memory.get<string[]>(sentKey(messageId)))?.at(-1)) || externalId

  const step = async (name: string, work: () => Promise<string | undefined>): Promise<TestStep> => {
    const startedAt = performance.now()
    try {
      const detail = await work()
      return { name, ok: true, ms: Math.round(performance.now() - startedAt), ...(detail ? { detail } : {}) }
    } catch (error) {
      const detail =
        error instanceof GraphError && error.verdict.kind !== 'unknown'
          ? `${error.code}: ${error.verdict.reason}`
          : error instanceof AppError
            ? error.message
            : 'WhatsApp did not answer.'
      return { name, ok: false, ms: Math.round(performance.now() - startedAt), detail }
    }
  }

  return {
    send,
    told,

    /** The number, the way back, and a message: the sample template that every business account has. */
    test: async (given: string, waId: string | null, isHeard: boolean, signal: AbortSignal): Promise<TestStep[]> => {
      if (!waId)
        throw new AppError(
          'invalid',
          'number_unreadable',
          `${given.slice(0, 40)} is no number. Begin with the country's code.`,
          { field: 'to' },
        )
      const number = await step('number', async () => {
        const found = await graph.call(phoneNumberId, {
          query: { fields: 'display_phone_number,verified_name' },
          signal,
        })
        return typeof found.verified_name === 'string' ? found.verified_name : undefined
      })
      const webhook: TestStep = {
        name: 'webhook',
        ok: isHeard,
        ms: 0,
        ...(isHeard ? {} : { detail: 'Meta has not called the webhook yet.' }),
      }
      const message = await step('message', async () => {
        const body = { type: 'template', template: { name: 'hello_world', language: { code: 'en_US' } } }
        await graph.post(`+${waId}`, requestOf(body, { to: `+${waId}`, replyTo: undefined, echo: 'test' }), signal)
        return 'WhatsApp took it: look at the phone.'
      })
      return [number, webhook, message]
    },
  }
}
