import type { Bus } from '../platform/bus.js'
import type { Clock } from '../platform/clock.js'
import { AppError } from '../platform/errors.js'
import type { Log } from '../platform/log.js'
import type { Metrics } from '../platform/metrics.js'
import type { AnswerDraft } from './answer-draft.js'
import type { HandoffReason } from './conversation.js'
import { decide, filesAwaitedUntil, mustGiveUp, unansweredText, type Decision, type Taken } from './decide.js'
import { wordsOf } from './heard-and-seen.js'
import {
  withChoices,
  type Author,
  type AutomaticLimits,
  type Choice,
  type Citation,
  type Message,
  type Origin,
} from './message.js'
import { backNotice, closedUntil, waitingNotice, type Notice, type Opening } from './opening-notice.js'
import { phrasesIn } from './phrases.js'
import type { Draft } from './documents.mongo.js'
import type { Appended, ConversationChange } from './fold.js'
import { makeRounds, type Claimed } from './rounds.js'
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
    /** The customer can be asked back which of several things they mean. */
    asksBack?: true
    /** What they chose then. */
    within?: Place
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
  /** Where it is unknown and asking back may help: what could be meant, by names that stand in the documents. */
  choices?: Place[]
}>

type Place = Omit<Extract<Choice, { kind: 'place' }>, 'kind'>

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

/** Enough to see what was said before the question, however long the conversation is. */
const MESSAGES_READ = 60
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
    wakeDeliver,
    servingSince,
    bus,
    clock,
    log,
    metrics,
  } = needs

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
    { question, from, history, pictures, within, asksBack }: Decided<'answer'>,
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
      ...(asksBack ? { asksBack } : {}),
      ...(within ? { within: within.choice } : {}),
    }
    const answered = await unlessOvertaken(conversation, signal, (unless) => answerQuestion(asked, unless, draft))
    if (!answered) return false
    const { kind, text, citations, mode, decisionId, language, choices = [] } = answered
    const phrases = phrasesIn(language)
    const origin = { mode, decisionId, ...aboutOf(within) }
    if (choices.length > 0) return askBack({ ...conversation, language }, choices, messages, decisionId)
    if (kind === 'unknown') {
      const apology = `${text} ${phrases.handover}`
      return handOver({ ...conversation, language }, 'unknown_answer', messages, apology, origin)
    }
    const said = mode === 'extractive' ? `${phrases.fromDocuments}\n\n${text}` : text
    const answer: Draft = { kind: 'message', author: ASSISTANT, text: said, citations, ...origin, deliver: true }
    const drafts = [answer, ...marksOf(messages)]
    if (!(await withNotice(conversation, language, { answerDue: null, language }, drafts))) return false
    metrics.answers.inc({ outcome: 'grounded' })
    log.info({ conversationId: id, decisionId }, 'answered')
    return true
  }

  /** Nothing is proved, but one word of the customer's may do: a person is asked only if that does not help. */
  const askBack = async (
    conversation: Claimed & { language: string },
    places: readonly Place[],
    messages: Message[],
    decisionId: string,
  ): Promise<boolean> => {
    const { id, language } = conversation
    const { whichOne, person } = phrasesIn(language)
    const choices: Choice[] = [
      ...places.map((place) => ({ kind: 'place' as const, ...place })),
      { kind: 'person', label: person },
    ]
    const said: Draft = { kind: 'message', author: ASSISTANT, text: whichOne, choices, decisionId, deliver: true }
    if (!(await write(conversation, { answerDue: null, language }, [said, ...marksOf(messages)]))) return false
    metrics.answers.inc({ outcome: 'asked_back' })
    log.info({ conversationId: id, decisionId, choices: places.length }, 'asked back')
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
    origin: Origins = {},
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

  return makeRounds({ ...needs, run })
}

/** How the assistant came to what it says. */
type Origins = Pick<Draft, 'mode' | 'decisionId' | 'about'>

const aboutOf = (taken: Taken | undefined): Pick<Draft, 'about'> =>
  taken ? { about: { messageId: taken.messageId, label: taken.choice.label } } : {}

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

const toTurn = (message: Message): Turn => ({
  author: message.author.kind === 'customer' || message.author.kind === 'agent' ? message.author.kind : 'assistant',
  text: message.choices ? withChoices(message) : wordsOf(message) || message.text,
})
