import type { Choices, TermsRef } from '../../src/companies/service-levels.mongo.js'
import { makeActions } from '../../src/conversations/actions.js'
import { makeAnswer, type AnswerQuestion } from '../../src/conversations/answer.js'
import { makeDeliver, type Send } from '../../src/conversations/deliver.js'
import { makeAttendance } from '../../src/conversations/attendance.js'
import { makeInbox } from '../../src/conversations/inbox.js'
import { makeMailLetters, type Carrier } from '../../src/conversations/letters.js'
import { letterSchemas, makeLetterStore } from '../../src/conversations/letters.mongo.js'
import type { AutomaticLimits, MessageArrival, Patience } from '../../src/conversations/message.js'
import type { Opening } from '../../src/conversations/opening-notice.js'
import { makeReadFiles, type ReadFile } from '../../src/conversations/read-files.js'
import { makeReceive } from '../../src/conversations/receive.js'
import { makeStopMail } from '../../src/conversations/stop-mail.js'
import { conversationSchemas, makeConversationStore } from '../../src/conversations/store.mongo.js'
import type { Promised } from '../../src/companies/service-levels.mongo.js'
import { makeSweep } from '../../src/conversations/sweep.js'
import { makeBus, type LiveEvent } from '../../src/platform/bus.js'
import { makeLog } from '../../src/platform/log.js'
import { makeMetrics } from '../../src/platform/metrics.js'
import { ensureSchema, type Mongo } from '../../src/platform/mongo.js'
import { makeSecrets } from '../../src/platform/secrets.js'
import type { Facts } from '../../src/sla/policy.js'

export const ACME = { companyId: 'acme', channelId: 'chn_acme' }

export const arrival = (externalId: string, change: Partial<MessageArrival> = {}): MessageArrival => ({
  kind: 'message',
  externalId,
  contact: { externalId: 'visitor-1' },
  conversationId: 'cnv_1',
  text: 'Where is my parcel?',
  ...change,
})

export const grounded: AnswerQuestion = async () => ({
  kind: 'grounded',
  text: 'It is on its way.',
  citations: [{ documentId: 'doc_1', passageId: 'psg_1', title: 'Parcels', quote: 'It is on its way.' }],
  mode: 'extractive',
  decisionId: 'dec_1',
  language: 'en',
})

export const unknown: AnswerQuestion = async () => ({
  kind: 'unknown',
  text: "I don't know that.",
  citations: [],
  mode: 'extractive',
  decisionId: 'dec_2',
  language: 'en',
})

/** Of all cores: another process knows the versions too. */
const promises = new Map<string, Promised>()

/**
 * The whole core on a real store, with a clock that the test moves and nothing that runs by itself: what was woken is
 * noted, and the test does it when it likes.
 */
export const openCore = async (mongo: Mongo) => {
  await ensureSchema(mongo.db, [...conversationSchemas, ...letterSchemas])
  const time = { now: new Date('2026-03-02T10:00:00Z') }
  const clock = { now: () => time.now }
  const woken: { job: 'answer' | 'deliver' | 'read'; companyId: string; id: string }[] = []
  const events: LiveEvent[] = []
  const bus = makeBus()
  bus.subscribe((event) => events.push(event))
  const settings = {
    paused: false,
    idempotent: true,
    writesLetters: false,
    patience: null as Patience | null,
    automaticLimits: {} as AutomaticLimits,
  }
  const opening: { now: Opening } = { now: { hours: null, outside: 'as_usual' } }
  const assistant = {
    answerQuestion: grounded,
    attemptsIn: (_text: string): { kind: string }[] => [],
    languageOf: async (_text: string): Promise<string | undefined> => undefined,
  }
  const channel: { send: Send } = { send: async () => ({ kind: 'sent' }) }
  const wakeAnswer = (companyId: string, id: string) => void woken.push({ job: 'answer', companyId, id })
  const wakeDeliver = (companyId: string, id: string) => void woken.push({ job: 'deliver', companyId, id })

  const wakeRead = (companyId: string, id: string) => void woken.push({ job: 'read', companyId, id })
  const reads = { transcript: false, description: false }
  const hearing: { readFile: ReadFile } = { readFile: async () => ({ kind: 'unread', reason: 'unsupported' }) }

  const promise: { now: Promised | null } = { now: null }
  const choices: { now: (ref: TermsRef | null, channelId: string) => Choices } = {
    now: () => ({ changes: false, choose: () => null }),
  }
  const team: { now: { id: string; name: string } | null } = { now: null }
  const teamOfChannel = async () => team.now
  const store = makeConversationStore({
    ...mongo,
    mails: true,
    teamOfChannel,
    choicesFor: async (_companyId, ref, channelId) => {
      const { changes, choose } = choices.now(ref, channelId)
      return {
        changes,
        choose: (facts) => {
          const chosen = choose(facts)
          if (chosen) promises.set(JSON.stringify(chosen.ref), chosen)
          return chosen
        },
      }
    },
    termsOf: async (_companyId, ref) => {
      const promised = promises.get(JSON.stringify(ref))
      if (!promised) throw new Error('nobody promised this')
      return promised.terms
    },
  })
  const asked: Facts[] = []
  const promiseFor = async (_companyId: string, facts: Facts) => {
    asked.push(facts)
    if (promise.now) promises.set(JSON.stringify(promise.now.ref), promise.now)
    return promise.now
  }
  const assistantPaused = async () => settings.paused
  const metrics = makeMetrics()
  const needs = {
    store,
    assistantPaused,
    promiseFor,
    teamOfChannel,
    writesLetters: () => settings.writesLetters,
    openingOf: async () => opening.now,
    bus,
    clock,
    log: makeLog('silent'),
    metrics,
    reads,
    wakeAnswer,
    wakeDeliver,
    wakeRead,
  }
  const receive = makeReceive(needs)
  const answer = makeAnswer({
    ...needs,
    servingSince: time.now,
    automaticLimitsOf: () => settings.automaticLimits,
    showTyping: () => {},
    attemptsIn: (text) => assistant.attemptsIn(text),
    languageOf: (text) => assistant.languageOf(text),
    answerQuestion: (...asked) => assistant.answerQuestion(...asked),
  })
  const deliver = makeDeliver({
    ...needs,
    send: (origin, message, signal) => channel.send(origin, message, signal),
    isIdempotent: () => settings.idempotent,
    patienceOf: () => settings.patience,
  })
  const readFiles = makeReadFiles({ ...needs, readFile: (...asked) => hearing.readFile(...asked) })
  const sweep = makeSweep(needs)
  const letters = makeLetterStore(mongo)
  const attendance = makeAttendance({ ...needs, letters })
  const stopMail = makeStopMail({
    ...needs,
    secrets: makeSecrets('a secret of the tests, longer than thirty-two characters'),
    publicUrl: 'https://desk.example.com',
  })
  const post: { carrierOf(companyId: string): Carrier | null } = { carrierOf: () => null }
  /** Each worker is one of another process, with what its customers have open there. */
  const openLetterWorker = (there = attendance, store = letters) =>
    makeMailLetters({
      ...needs,
      letters: store,
      attendance: there,
      carrierOf: (companyId) => post.carrierOf(companyId),
      companyName: async (companyId) => `The ${companyId} company`,
      stopUrl: stopMail.urlFor,
      compose: async (_channel, { messages, company }) => ({
        from: `${messages[0]?.author.name} · ${company}`,
        subject: `Answer from ${company}`,
        text: messages.map(({ text }) => text).join('\n'),
        html: '',
        files: [],
      }),
    })
  const never = new AbortController().signal
  return {
    store,
    metrics,
    receive,
    inbox: makeInbox(store),
    actions: makeActions(needs),
    sweep: sweep.wakeDue,
    tellTime: sweep.tellTime,
    /** What a conversation that begins from now on is promised. */
    promise,
    /** By what the promises of conversations that began were chosen. */
    asked,
    /** What may be promised instead. */
    choices,
    /** Whose is what is handed over from now on. */
    team,
    /** When people are there, from now on. */
    opening,
    answer: (companyId: string, id: string) => answer(companyId, id, never),
    read: (companyId: string, id: string, stop = never) => readFiles(companyId, id, stop),
    /** What this installation makes of files, and who does. */
    reads,
    hearing,
    wakeAnswer,
    wakeDeliver,
    wakeRead,
    deliver: (companyId: string, id: string) => deliver(companyId, id, never),
    settings,
    assistant,
    channel,
    letters,
    attendance,
    stopMail,
    /** How mail leaves, from now on. */
    post,
    openLetterWorker,
    woken,
    events,
    now: () => time.now,
    /** Moves the clock on, in milliseconds. */
    pass: (ms: number) => {
      time.now = new Date(time.now.getTime() + ms)
    },
  }
}

export type Core = Awaited<ReturnType<typeof openCore>>
