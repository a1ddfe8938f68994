import type { Bus } from '../platform/bus.js'
import type { Clock } from '../platform/clock.js'
import { newId } from '../platform/ids.js'
import { withRequestId, type Log } from '../platform/log.js'
import type { Metrics } from '../platform/metrics.js'
import type { Conversation, HandoffReason } from './conversation.js'
import { ANSWER_WITHIN_MS, decide, MAX_ATTEMPTS } from './decide.js'
import type { Author, Citation, Message } from './message.js'
import { phrasesIn } from './phrases.js'
import type { Appended, ConversationChange, Draft } from './change.mongo.js'
import type { ConversationStore } from './store.mongo.js'
import { announce, eventLine } from './timeline.js'

/** What the core asks of whoever can answer from documents. */
export type AnswerQuestion = (
  question: { companyId: string; conversationId: string; text: string; history: Turn[] },
  signal: AbortSignal,
) => Promise<{
  kind: 'grounded' | 'unknown'
  text: string
  citations: Citation[]
  mode: 'model' | 'extractive'
  decisionId: string
  language: string
}>

type Turn = { author: 'customer' | 'assistant' | 'agent'; text: string }

type Needs = {
  store: ConversationStore
  answerQuestion: AnswerQuestion
  wakeDeliver(companyId: string, conversationId: string): void
  bus: Bus
  clock: Clock
  log: Log
  metrics: Metrics
}

/** Short, so that a conversation whose worker was killed is free again within seconds; renewed while the work goes on. */
const LEASE_MS = 6_000
const RENEW_EVERY_MS = 2_000
/** One run may take this long; what remains of the promised time is for a second one. */
const RUN_MS = ANSWER_WITHIN_MS / 2
/** Enough to see what was said before the question, however long the conversation is. */
const MESSAGES_READ = 60
const retryAfterMs = (attempts: number) => 500 * 4 ** (attempts - 1)

const ASSISTANT: Author = { kind: 'assistant', name: 'Assistant' }

/**
 * Deals with what is due in one conversation. One run at a time over all processes, by lease; a reply is written only if
 * the conversation is still the one that was decided on, so a person who stepped in, or a new message, wins and the
 * next round sees it. Safe to call any number of times: without a due answer it does nothing.
 */
export const makeAnswer = ({ store, answerQuestion, wakeDeliver, bus, clock, log, metrics }: Needs) => {
  const runClaimed = async (conversation: Conversation, signal: AbortSignal): Promise<boolean> => {
    const { companyId, id } = conversation
    const messages = await store.recentMessages(companyId, id, MESSAGES_READ)
    const decision = decide(conversation, messages, clock.now())
    switch (decision.kind) {
      case 'leave':
        return (await write(conversation, { answerDue: null }, [])) !== null
      case 'handoff':
        return handOver(conversation, decision.reason, summaryOf(messages), phrasesIn('en').sorry)
      case 'answer': {
        const { question, history } = decision
        const answer = await answerQuestion(
          { companyId, conversationId: id, text: question.text, history: history.map(toTurn) },
          signal,
        )
        const phrases = phrasesIn(answer.language)
        if (answer.kind === 'unknown') {
          const text = `${answer.text} ${phrases.handover}`
          return handOver(conversation, 'unknown_answer', question.text, text, {
            mode: answer.mode,
            decisionId: answer.decisionId,
          })
        }
        const { citations, mode, decisionId } = answer
        const text = mode === 'extractive' ? `${phrases.fromDocuments}\n\n${answer.text}` : answer.text
        const written = await write(conversation, { answerDue: null }, [
          { kind: 'message', author: ASSISTANT, text, citations, mode, decisionId, deliver: true },
        ])
        if (!written) return false
        metrics.answers.inc({ outcome: 'grounded' })
        log.info({ conversationId: id, decisionId }, 'answered')
        return true
      }
    }
  }

  /** Compare-and-set on the version that was decided on. */
  const write = async (
    conversation: Conversation,
    change: ConversationChange,
    drafts: Draft[],
  ): Promise<Appended | null> => {
    const { id, companyId, version, answerDue } = conversation
    const target = { companyId, conversationId: id, at: clock.now(), requestId: answerDue?.requestId ?? newId('req') }
    const appended = await store.change(target, (now) => (now.version === version ? { change, drafts } : null))
    if (!appended) return null
    announce(bus, appended)
    if (drafts.some((draft) => draft.deliver)) {
      metrics.messages.inc({ author: 'assistant' })
      if (answerDue) metrics.answerDuration.observe((clock.now().getTime() - answerDue.since.getTime()) / 1000)
      wakeDeliver(companyId, id)
    }
    return appended
  }

  const handOver = async (
    conversation: Conversation,
    reason: HandoffReason,
    summary: string,
    text: string,
    origin: Pick<Draft, 'mode' | 'decisionId'> = {},
  ): Promise<boolean> => {
    const handoff = { reason, summary: summary.slice(0, 500), at: clock.now() }
    const written = await write(conversation, { answerDue: null, handler: 'nobody', handoff }, [
      { kind: 'message', author: ASSISTANT, text, deliver: true, ...origin },
      eventLine({ name: 'handoff', reason }),
    ])
    if (!written) return false
    metrics.answers.inc({ outcome: reason })
    metrics.handoffs.inc({ reason })
    log.info({ conversationId: conversation.id, reason, decisionId: origin.decisionId }, 'handed over')
    return true
  }

  const claim = (companyId: string, conversationId: string, owner: string) => {
    const now = clock.now()
    return store.claimAnswer(companyId, conversationId, now, owner, new Date(now.getTime() + LEASE_MS))
  }

  const round = async (conversation: Conversation, owner: string, stop: AbortSignal): Promise<'again' | 'done'> => {
    const lost = new AbortController()
    const renewal = setInterval(() => {
      store
        .renewLease(conversation.id, owner, new Date(clock.now().getTime() + LEASE_MS))
        .then((kept) => kept || lost.abort(new Error('the lease was lost')))
        .catch((err: unknown) => log.warn({ err, conversationId: conversation.id }, 'lease not renewed'))
    }, RENEW_EVERY_MS)
    try {
      await runClaimed(conversation, AbortSignal.any([stop, lost.signal, AbortSignal.timeout(RUN_MS)]))
      await store.releaseLease(conversation.id, owner)
      return 'again'
    } catch (err) {
      const attempts = conversation.answerDue?.attempts ?? MAX_ATTEMPTS
      log.error({ err, conversationId: conversation.id, attempts }, 'answer failed')
      metrics.answers.inc({ outcome: 'failed' })
      const pause = stop.aborted ? 0 : retryAfterMs(attempts)
      await store.releaseLease(conversation.id, owner, new Date(clock.now().getTime() + pause))
      return 'done'
    } finally {
      clearInterval(renewal)
    }
  }

  return async (companyId: string, conversationId: string, stop: AbortSignal): Promise<void> => {
    const owner = newId('run')
    // Each round ends with nothing due, or with the news that made the last one void.
    for (let state: 'again' | 'done' = 'again'; state === 'again' && !stop.aborted; ) {
      const conversation = await claim(companyId, conversationId, owner)
      if (!conversation) return
      const requestId = conversation.answerDue?.requestId ?? newId('req')
      state = await withRequestId(requestId, () => round(conversation, owner, stop))
    }
  }
}

const toTurn = (message: Message): Turn => ({
  author: message.author.kind === 'customer' || message.author.kind === 'agent' ? message.author.kind : 'assistant',
  text: message.text,
})

const summaryOf = (messages: readonly Message[]): string =>
  messages.findLast((message) => message.author.kind === 'customer')?.text ?? ''
