import type { Bus } from '../platform/bus.js'
import type { Clock } from '../platform/clock.js'
import { AppError } from '../platform/errors.js'
import { newId } from '../platform/ids.js'
import { withRequestId, type Log } from '../platform/log.js'
import type { Metrics } from '../platform/metrics.js'
import type { AnswerDue, Conversation, HandoffReason } from './conversation.js'
import { decide, filesAwaitedUntil, mustGiveUp, runLimitMs, unansweredText, type Decision } from './decide.js'
import { wordsOf } from './heard-and-seen.js'
import type { Author, AutomaticLimits, Citation, Message, Origin } from './message.js'
import { backNotice, closedUntil, waitingNotice, type Notice, type Opening } from './opening-notice.js'
import { phrasesIn } from './phrases.js'
import type { Draft } from './documents.mongo.js'
import type { Appended, ConversationChange } from './fold.js'
import type { ConversationStore } from './store.mongo.js'
import { recapOf, summaryOf } from './summary.js'
import { announce, eventLine, summarised } from './timeline.js'

/** What the core asks of whoever can answer from documents. */
export type AnswerQuestion = (
  question: {
    companyId: string
    conversationId: string
    text: string
    from?: 'transcript'
    history: Turn[]
    spoken: string | null
  },
  signal: AbortSignal,
  draft: AnswerDraft,
) => Promise<{
  kind: 'grounded' | 'unknown'
  text: string
  citations: Citation[]
  mode: 'model' | 'extractive'
  decisionId: string
  language: string
}>

/** Where proved sentences are shown as they come, before the message exists. What was shown can be taken back as a whole. */
export type AnswerDraft = {
  say(sentence: { text: string; citations: Citation[] }): void
  withdraw(): void
}

/** `picture`: what a machine says that a picture of the customer's shows. */
type Turn = { author: 'customer' | 'assistant' | 'agent' | 'picture'; text: string }

type Needs = {
  store: ConversationStore
  answerQuestion: AnswerQuestion
  /** What in a text tries to instruct the assistant. It is marked for people and decides nothing. */
  attemptsIn(text: string): readonly { kind: string }[]
  /** The language of a text, a two-letter code, where it can be told. */
  languageOf(text: string): Promise<string | undefined>
  openingOf(companyId: string, channelId: string, teamId?: string | null): Promise<Opening>
  /** How often the assistant may answer by itself on a channel. */
  automaticLimitsOf(channel: Origin): AutomaticLimits
  /** The customer is shown that an answer is being worked out, where their channel can. */
  showTyping(channel: Origin, conversationId: string): void
  wakeAnswer(companyId: string, conversationId: string): void
  wakeDeliver(companyId: string, conversationId: string): void
  /** When this process began to serve: an outage before that is nobody's waiting time. */
  servingSince: Date
  bus: Bus
  clock: Clock
  log: Log
  metrics: Metrics
}

/** Short, so that a conversation whose worker was killed is free again within seconds; renewed while the work goes on. */
const LEASE_MS = 6_000
const RENEW_EVERY_MS = 2_000
/** Enough to see what was said before the question, however long the conversation is. */
const MESSAGES_READ = 60
/** After the first failure, after the second; the third is followed by the handover at once. */
const PAUSES_MS = [500, 2_000, 0]
/** When even the handover fails, the store is away: it is asked again like this. */
const HANDOVER_PAUSE_MS = 3_000

/** While files are heard or seen somewhere, it is looked again at least this often. */
const LOOK_AGAIN_MS = 1_000

const DAY_MS = 24 * 60 * 60 * 1000

const ASSISTANT: Author = { kind: 'assistant', name: 'Assistant' }

/**
 * Deals with what is due in one conversation. One run at a time over all processes, by lease; a reply is written only if
 * the conversation is still the one that was decided on, so a person who stepped in, or a new message, wins and the
 * next round sees it. Safe to call any number of times: without a due answer it does nothing.
 */
export const makeAnswer = (needs: Needs) => {
  const {
    store,
    answerQuestion,
    attemptsIn,
    languageOf,
    openingOf,
    automaticLimitsOf,
    showTyping,
    wakeAnswer,
    wakeDeliver,
    servingSince,
    bus,
    clock,
    log,
    metrics,
  } = needs

  /**
   * True when the conversation is dealt with; false when it changed meanwhile and must be looked at again; a time where it
   * waits for its files.
   */
  const run = async (conversation: Claimed, signal: AbortSignal, draft: AnswerDraft): Promise<boolean | Date> => {
    const { companyId, id, channelId, teamId } = conversation
    if (conversation.handler !== 'assistant') return tellWaiting(conversation)
    const reason = mustGiveUp(conversation.answerDue, clock.now(), servingSince)
    const reading = store.recentMessages(companyId, id, MESSAGES_READ)
    if (reason) {
      const messages = await reading.catch((err: unknown) => {
        log.warn({ err, conversationId: id }, 'handed over without reading')
        return null
      })
      return handOver(conversation, reason, messages, phrasesIn(conversation.language ?? 'en').sorry)
    }
    const messages = await reading
    const awaited = filesAwaitedUntil(messages, clock.now(), servingSince)
    if (awaited) return new Date(Math.min(awaited.getTime(), clock.now().getTime() + LOOK_AGAIN_MS))
    const decision = decide(conversation, messages)
    const opening = await openingOf(companyId, channelId, teamId)
    if (decision.kind !== 'leave' && (await isOptedOut(conversation)))
      return handOver(conversation, 'opted_out', messages, null)
    if (decision.kind !== 'leave' && opening.outside === 'message_only' && closedUntil(opening, clock.now())) {
      const language = await languageFor(conversation, messages)
      const reason = decision.kind === 'hand_over' ? decision.reason : 'outside_hours'
      return handOver({ ...conversation, language }, reason, messages, phrasesIn(language)[reason])
    }
    if (decision.kind !== 'leave' && (await hasSaidEnough(conversation)))
      return handOver(conversation, decision.kind === 'hand_over' ? decision.reason : 'enough_answers', messages, null)
    switch (decision.kind) {
      case 'leave':
        return (await write(conversation, { answerDue: null }, [])) !== null
      case 'talk':
        return reply(conversation, decision, marksOf(messages))
      case 'hand_over': {
        const { reason, language = await languageFor(conversation, messages) } = decision
        return handOver({ ...conversation, language }, reason, messages, phrasesIn(language)[reason])
      }
      case 'answer':
        return respond(conversation, decision, messages, signal, draft)
    }
  }

  const isOptedOut = async ({ companyId, contactId }: Claimed): Promise<boolean> =>
    (await store.contact(companyId, contactId))?.optedOut ?? false

  /** Two machines that answer each other would never end: beyond the channel's limits nothing more is said. */
  const hasSaidEnough = async ({ companyId, id, channelId, contactId }: Claimed): Promise<boolean> => {
    const { perConversation = Infinity, perContactAndDay = Infinity } = automaticLimitsOf({ companyId, channelId })
    if (perConversation < Infinity && (await store.countAnswers(companyId, [id], new Date(0))) >= perConversation)
      return true
    if (perContactAndDay === Infinity) return false
    const all = await store.idsOfContact(companyId, channelId, contactId)
    const since = new Date(clock.now().getTime() - DAY_MS)
    return (await store.countAnswers(companyId, all, since)) >= perContactAndDay
  }

  /** When people are there is said to one person so often a day, in whichever of their conversations. */
  const mayNotify = async ({ companyId, channelId, contactId }: Claimed): Promise<boolean> => {
    const { noticesPerContactAndDay: most = Infinity } = automaticLimitsOf({ companyId, channelId })
    if (most === Infinity) return true
    const all = await store.idsOfContact(companyId, channelId, contactId)
    return (await store.countNotices(companyId, all, new Date(clock.now().getTime() - DAY_MS))) < most
  }

  /** People have it: the assistant has nothing to answer, but may have to say when they are there. */
  const tellWaiting = async (conversation: Claimed): Promise<boolean> => {
    const { companyId, id, channelId, teamId, answerDue } = conversation
    const opening = await openingOf(companyId, channelId, teamId)
    const notice =
      mustGiveUp(answerDue, clock.now(), servingSince) === null && !(await isOptedOut(conversation))
        ? waitingNotice(conversation, opening, await languageFor(conversation), clock.now())
        : null
    const isSaid = notice !== null && (await mayNotify(conversation))
    const drafts = isSaid ? [saidAsNotice(notice)] : []
    const change = { answerDue: null, ...(notice ? { told: notice.told } : {}) }
    if (!(await write(conversation, change, drafts))) return false
    if (isSaid) log.info({ conversationId: id }, 'told when people are there')
    return true
  }

  const languageFor = async ({ companyId, id, language }: Claimed, read?: Message[]): Promise<string> => {
    if (language) return language
    const messages = read ?? (await store.recentMessages(companyId, id, MESSAGES_READ))
    return (await languageOf(customersWords(messages))) ?? 'en'
  }

  /** What goes with an answer outside of hours, where the channel says so. */
  const withNotice = async (
    conversation: Claimed,
    language: string,
    change: ConversationChange,
    drafts: Draft[],
  ): Promise<Appended | null> => {
    const { companyId, channelId, teamId } = conversation
    const opening = await openingOf(companyId, channelId, teamId)
    const notice = backNotice(conversation, opening, language, clock.now())
    if (!notice || !(await mayNotify(conversation))) return write(conversation, change, drafts)
    return write(conversation, { ...change, told: notice.told }, [...drafts, saidAsNotice(notice)])
  }

  /** Small talk is answered in our own words: they state nothing, so they need no proof. */
  const reply = async (
    conversation: Claimed,
    { talk, language }: Decided<'talk'>,
    marks: Draft[],
  ): Promise<boolean> => {
    const said: Draft = { kind: 'message', author: ASSISTANT, text: phrasesIn(language)[talk], talk, deliver: true }
    if (!(await withNotice(conversation, language, { answerDue: null, language }, [said, ...marks]))) return false
    metrics.answers.inc({ outcome: talk })
    log.info({ conversationId: conversation.id, talk }, 'answered')
    return true
  }

  const respond = async (
    conversation: Claimed,
    { question, from, history, pictures }: Decided<'answer'>,
    messages: Message[],
    signal: AbortSignal,
    draft: AnswerDraft,
  ): Promise<boolean> => {
    const { companyId, id, channelId } = conversation
    const spoken = conversation.language
    showTyping({ companyId, channelId }, id)
    const shown = pictures.map((text): Turn => ({ author: 'picture', text }))
    const asked = {
      companyId,
      conversationId: id,
      text: question.text,
      ...(from ? { from } : {}),
      history: [...history.map(toTurn), ...shown],
      spoken,
    }
    const answered = await unlessOvertaken(conversation, signal, (unless) => answerQuestion(asked, unless, draft))
    if (!answered) return false
    const { kind, text, citations, mode, decisionId, language } = answered
    const phrases = phrasesIn(language)
    if (kind === 'unknown') {
      const apology = `${text} ${phrases.handover}`
      return handOver({ ...conversation, language }, 'unknown_answer', messages, apology, { mode, decisionId })
    }
    const said = mode === 'extractive' ? `${phrases.fromDocuments}\n\n${text}` : text
    const answer: Draft = { kind: 'message', author: ASSISTANT, text: said, citations, mode, decisionId, deliver: true }
    const drafts = [answer, ...marksOf(messages)]
    if (!(await withNotice(conversation, language, { answerDue: null, language }, drafts))) return false
    metrics.answers.inc({ outcome: 'grounded' })
    log.info({ conversationId: id, decisionId }, 'answered')
    return true
  }

  /** The line that tells people of an attempt, where there is one. */
  const marksOf = (messages: Message[]): Draft[] => {
    const kinds = [...new Set(attemptsIn(unansweredText(messages)).map(({ kind }) => kind))]
    return kinds.length > 0 ? [eventLine({ name: 'attempt', kinds })] : []
  }

  /** Ends the work as soon as the conversation changes: what was thought out for it would not be written any more. */
  const unlessOvertaken = async <T>(
    { id, version }: Claimed,
    signal: AbortSignal,
    work: (signal: AbortSignal) => Promise<T>,
  ): Promise<T | null> => {
    const either = new AbortController()
    const onAbort = () => either.abort(signal.reason)
    signal.addEventListener('abort', onAbort)
    let overtaken = false
    const unsubscribe = bus.subscribe((event) => {
      if (event.type !== 'conversation' || event.conversationId !== id || event.version <= version) return
      overtaken = true
      either.abort(new AppError('conflict', 'changed_meanwhile', 'The conversation changed meanwhile.'))
    })
    try {
      return await work(either.signal)
    } catch (error) {
      if (overtaken) return null
      throw error
    } finally {
      unsubscribe()
      signal.removeEventListener('abort', onAbort)
    }
  }

  /** Compare-and-set on the version that was decided on. */
  const write = async (
    { id, companyId, version, answerDue }: Claimed,
    change: ConversationChange,
    drafts: Draft[],
  ): Promise<Appended | null> => {
    // Only now is it known what language a new customer writes, and a promise may ask for it.
    const choosesAgain = change.language ? { choosesAgain: true as const } : {}
    const target = { companyId, conversationId: id, at: clock.now(), requestId: answerDue.requestId, ...choosesAgain }
    const appended = await store.change(target, (now) => (now.version === version ? { change, drafts } : null))
    if (!appended) return null
    announce(bus, appended)
    if (drafts.some((draft) => draft.deliver)) {
      metrics.messages.inc({ author: 'assistant' })
      metrics.answerDuration.observe((clock.now().getTime() - answerDue.since.getTime()) / 1000)
      wakeDeliver(companyId, id)
    }
    return appended
  }

  const handOver = async (
    conversation: Claimed,
    reason: HandoffReason,
    messages: Message[] | null,
    text: string | null,
    origin: Pick<Draft, 'mode' | 'decisionId'> = {},
  ): Promise<boolean> => {
    const { language, lastMessage, companyId, channelId, teamId } = conversation
    // Without the store there is no knowing; the handover itself must not wait for it.
    const opening = await openingOf(companyId, channelId, teamId).catch(() => null)
    const notice = text !== null && opening && backNotice(conversation, opening, language ?? 'en', clock.now())
    const said: Draft[] =
      text === null
        ? []
        : [
            {
              kind: 'message',
              author: ASSISTANT,
              text: notice ? `${text} ${notice.text}` : text,
              deliver: true,
              handover: true,
              ...origin,
            },
          ]
    const told = notice ? { told: notice.told } : {}
    const recap = messages && recapOf(messages)
    const summing = recap ? { summary: summaryOf(recap, reason), recap } : { summary: summarised(lastMessage.excerpt) }
    const handoff = { reason, ...summing, at: clock.now() }
    const written = await write(conversation, { answerDue: null, handler: 'nobody', handoff, language, ...told }, [
      ...said,
      eventLine({ name: 'handoff', reason }),
      ...(messages ? marksOf(messages) : []),
    ])
    if (!written) return false
    metrics.answers.inc({ outcome: reason })
    metrics.handoffs.inc({ reason })
    log.info({ conversationId: conversation.id, reason, decisionId: origin.decisionId }, 'handed over')
    return true
  }

  const claim = async (companyId: string, conversationId: string, owner: string): Promise<Claimed | null> => {
    const now = clock.now()
    const claimed = await store.claimAnswer(companyId, conversationId, now, owner, new Date(now.getTime() + LEASE_MS))
    return claimed?.answerDue ? { ...claimed, answerDue: claimed.answerDue } : null
  }

  const round = async (conversation: Claimed, owner: string, stop: AbortSignal): Promise<'again' | 'done'> => {
    const { companyId, id, answerDue } = conversation
    const limited = limit(runLimitMs(answerDue, clock.now(), servingSince), stop)
    const renewal = setInterval(() => {
      store
        .renewLease(companyId, id, owner, new Date(clock.now().getTime() + LEASE_MS))
        .then((kept) => kept || limited.abort(new Error('the lease was lost')))
        .catch((err: unknown) => log.warn({ err, conversationId: id }, 'lease not renewed'))
    }, RENEW_EVERY_MS)
    const draft = openDraft(bus, conversation, limited.signal)
    try {
      const done = await Promise.race([run(conversation, limited.signal, draft), limited.aborted])
      if (done instanceof Date) {
        await store.releaseLease(companyId, id, owner, { retryAt: done, uncounted: true })
        setTimeout(() => wakeAnswer(companyId, id), done.getTime() - clock.now().getTime()).unref()
        return 'done'
      }
      if (!done) draft.withdraw()
      await store.releaseLease(companyId, id, owner, { uncounted: !done })
      return 'again'
    } catch (err) {
      draft.withdraw()
      const { attempts } = answerDue
      log.error({ err, conversationId: id, attempts }, 'answer failed')
      metrics.answers.inc({ outcome: 'failed' })
      const pauseMs = stop.aborted ? 0 : (PAUSES_MS[attempts - 1] ?? HANDOVER_PAUSE_MS)
      const retryAt = new Date(clock.now().getTime() + pauseMs)
      await store.releaseLease(companyId, id, owner, { retryAt, uncounted: stop.aborted })
      setTimeout(() => wakeAnswer(companyId, id), pauseMs).unref()
      return 'done'
    } finally {
      clearInterval(renewal)
      limited.end()
    }
  }

  return async (companyId: string, conversationId: string, stop: AbortSignal): Promise<void> => {
    const owner = newId('run')
    // Each round ends with nothing due, or with the news that made the last one void.
    for (let state: 'again' | 'done' = 'again'; state === 'again' && !stop.aborted; ) {
      const conversation = await claim(companyId, conversationId, owner)
      if (!conversation) return
      state = await withRequestId(conversation.answerDue.requestId, () => round(conversation, owner, stop))
    }
  }
}

const saidAsNotice = ({ text }: Notice): Draft => ({
  kind: 'message',
  author: ASSISTANT,
  text,
  notice: true,
  deliver: true,
})

/** The newest of them say most surely in which language they are. */
const customersWords = (messages: readonly Message[]): string =>
  messages
    .filter(({ kind, author }) => kind === 'message' && author.kind === 'customer')
    .slice(-3)
    .map(wordsOf)
    .join('\n')

type Decided<Kind extends Decision['kind']> = Extract<Decision, { kind: Kind }>

type Claimed = Conversation & { answerDue: AnswerDue }

/** A draft of one run, for everybody who has the conversation open. After the run was aborted nothing is shown any more. */
const openDraft = (
  bus: Bus,
  { companyId, id, contactId }: Pick<Conversation, 'companyId' | 'id' | 'contactId'>,
  signal: AbortSignal,
): AnswerDraft => {
  const of = { companyId, conversationId: id, contactId, draftId: newId('dft') }
  let shown = 0
  return {
    say: ({ text, citations }) => {
      if (signal.aborted) return
      bus.publish({ type: 'sentence', ...of, index: shown, text, citations })
      shown += 1
    },
    withdraw: () => {
      if (shown === 0) return
      shown = 0
      bus.publish({ type: 'withdrawn', ...of })
    },
  }
}

/**
 * A run's own end: after `ms`, or when `stop` says so. `aborted` rejects then, whether the work heeds the signal or not.
 * The timer is held here on purpose: a time-out that only `AbortSignal.any` refers to may be collected and never fire.
 */
const limit = (ms: number, stop: AbortSignal) => {
  const controller = new AbortController()
  const abort = (reason: unknown) => controller.abort(reason)
  const timer = setTimeout(() => abort(new AppError('unavailable', 'answer_late', 'The answer took too long.')), ms)
  const onStop = () => abort(new AppError('unavailable', 'stopping', 'The server is stopping.'))
  stop.addEventListener('abort', onStop)
  const aborted = new Promise<never>((_resolve, reject) => {
    controller.signal.addEventListener('abort', () => reject(controller.signal.reason as Error))
  })
  aborted.catch(() => {})
  const end = () => {
    clearTimeout(timer)
    stop.removeEventListener('abort', onStop)
  }
  return { signal: controller.signal, aborted, abort, end }
}

const toTurn = (message: Message): Turn => ({
  author: message.author.kind === 'customer' || message.author.kind === 'agent' ? message.author.kind : 'assistant',
  text: wordsOf(message) || message.text,
})
