import type { AIMessageChunk } from '@langchain/core/messages'
import { setTimeout as wait } from 'node:timers/promises'
import type { Clock } from '../platform/clock.js'
import { AppError } from '../platform/errors.js'
import type { Log } from '../platform/log.js'
import type { Metrics } from '../platform/metrics.js'
import { makeBreaker, makeRetryBudget, RESET_MS } from '../platform/resilience.js'
import { fault, openExchange, type Exchange, type Fault, type Limits } from './model-exchange.js'
import type { Recording } from './model-transcriber.js'
import type { ModelMessage, ModelRequest, ModelUsage } from './model.js'

export type Purpose = ModelRequest['purpose'] | 'embedding' | 'transcription'

/** Counts what is used, and says when it is enough. */
export type Meter = {
  /** Throws `model_budget`. */
  assertWithinBudget(companyId: string): Promise<void>
  /** Returns at once and never throws. */
  record(used: { companyId: string; purpose: Purpose; latencyMs: number } & ModelUsage): void
}

type Needs = {
  baseUrl: string
  apiKey: string
  /** How long a model may think before its first piece of text. */
  firstTokenMs: number
  meter: Meter
  clock: Clock
  log: Log
  metrics: Metrics
}

/** The whole of an answer may take this long, or this much longer than its beginning. */
const WHOLE_MS = 12_000
const WHOLE_AFTER_FIRST_MS = 10_000
/** A repeat waits a moment, not all of them the same. */
const REPEAT_AFTER_MS = 50
const REPEAT_SPREAD_MS = 100
/** With less time than this before the deadline a repeat is not worth its cost. */
const REPEAT_NEEDS_MS = 200
/** How long a model is let alone after a 429 that does not say for how long. */
const LIMITED_MS = 1_000

/** Lets one model alone after a 429: limits are per model, so the others, and the breaker, know nothing of it. */
type Pause = { until: number }

type Call<T> = {
  companyId: string
  purpose: Purpose
  signal: AbortSignal
  pause: Pause
  deadlines: { firstMs: number; wholeMs: number }
  limits: Limits
  /** True: a probe goes on without its reader, because its outcome is for everybody. For what is cheap and short. */
  probeOutlivesReader?: boolean
  run: (exchange: Exchange) => AsyncGenerator<T, void>
  /** Changes the request so that it may be accepted now; false where nothing can be changed. */
  adapt?: (refusal: Pick<Fault, 'status' | 'param'>) => boolean
  usage: (requests: number) => ModelUsage
}

/** One provider with one credential: its breaker, its budget of repeats and the way that every request to it takes. */
export const makeProvider = ({ baseUrl, apiKey, firstTokenMs, meter, clock, log, metrics }: Needs) => {
  const breaker = makeBreaker({
    name: 'model',
    metrics,
    changed: (state) =>
      state === 'open' ? log.warn({ state }, 'model breaker') : log.info({ state }, 'model breaker'),
  })
  const repeats = makeRetryBudget()
  const pauses = new Map<string, Pause>()
  const now = () => clock.now().getTime()

  let library: ReturnType<typeof loadLibrary> | undefined
  const load = () => (library ??= loadLibrary())

  /**
   * At most two requests, the second only while nothing of the answer was seen. Counts, measures and names what happens; whatever
   * way the reader leaves, the request at the provider ends.
   */
  async function* call<T>(asked: Call<T>): AsyncGenerator<T, ModelUsage> {
    const { companyId, purpose, signal, pause, deadlines } = asked
    signal.throwIfAborted()
    if (breaker.state() === 'open') throw refused(purpose, 'model_open')
    if (pause.until > now()) throw refused(purpose, 'model_limited', pause.until - now())
    await meter.assertWithinBudget(companyId)
    await load()

    const begun = now()
    const firstTimer = metrics.modelFirstToken.startTimer({ purpose })
    const leftMs = (whole: number) => begun + whole - now()
    let requests = 0
    let outcome = 'aborted'
    let usage: ModelUsage | undefined
    repeats.called()
    try {
      let fallen: unknown = refusal('model_open')
      for (;;) {
        signal.throwIfAborted()
        const pass = breaker.enter()
        if (!pass) throw fallen
        requests += 1
        metrics.modelRequests.inc({ purpose })
        const exchange = openExchange({
          pass,
          signal: pass.probe && asked.probeOutlivesReader ? null : signal,
          firstMs: leftMs(deadlines.firstMs),
          wholeMs: leftMs(deadlines.wholeMs),
          limits: asked.limits,
          onBegin: () => void firstTimer(),
        })
        let ended: 'worked' | 'left' = 'left'
        let again: number | null
        try {
          yield* asked.run(exchange)
          ended = 'worked'
          outcome = 'done'
          return (usage = asked.usage(requests))
        } catch (thrown) {
          const seen = exchange.faultOf(thrown)
          fallen = seen.error
          if (seen.status === 429) pause.until = now() + Math.min(seen.retryAfterMs ?? LIMITED_MS, RESET_MS)
          again = requests > 1 || exchange.begun() ? null : repeatAfter(seen, asked, leftMs(deadlines.firstMs))
        } finally {
          exchange.close(ended)
        }
        if (again === null) throw fallen
        await wait(again, undefined, { signal }).catch(() => signal.throwIfAborted())
      }
    } catch (error) {
      if (error instanceof AppError && !signal.aborted) {
        outcome = error.code
        if (error.code === 'model_refused') log.warn({ err: error, purpose }, 'model refused a request')
      }
      throw error
    } finally {
      metrics.modelCalls.inc({ purpose, outcome })
      if (requests > 0) {
        usage ??= asked.usage(requests)
        metrics.modelTokens.inc({ purpose, direction: 'input' }, usage.inputTokens)
        metrics.modelTokens.inc({ purpose, direction: 'output' }, usage.outputTokens)
        meter.record({ companyId, purpose, latencyMs: now() - begun, ...usage })
      }
    }
  }

  /** Milliseconds to wait before the one repeat, or `null` for none. */
  const repeatAfter = <T>(seen: Fault, { adapt }: Call<T>, leftMs: number): number | null => {
    if (adapt?.(seen)) return 0
    if (!seen.repeatable) return null
    const limited = seen.status === 429
    if (limited && seen.retryAfterMs === null) return null
    const waitMs = Math.max(limited ? (seen.retryAfterMs ?? 0) : 0, REPEAT_AFTER_MS + Math.random() * REPEAT_SPREAD_MS)
    return waitMs + REPEAT_NEEDS_MS <= leftMs && repeats.spend() ? waitMs : null
  }

  const refusal = (code: 'model_open' | 'model_limited', retryAfterMs?: number) =>
    fault(code, { retryAfterMs: retryAfterMs ?? null })
  const refused = (purpose: Purpose, code: 'model_open' | 'model_limited', retryAfterMs?: number) => {
    metrics.modelCalls.inc({ purpose, outcome: code })
    return refusal(code, retryAfterMs)
  }

  return {
    call,
    state: breaker.state,
    deadlines: { firstMs: firstTokenMs, wholeMs: Math.max(WHOLE_MS, firstTokenMs + WHOLE_AFTER_FIRST_MS) },

    /** The pause of the model of this name. */
    pauseOf: (name: string): Pause => {
      const pause = pauses.get(name) ?? { until: 0 }
      pauses.set(name, pause)
      return pause
    },

    /** Loads LangChain now, so that no customer waits for that. */
    warm: async (): Promise<void> => void (await load()),

    /** Asks for a chat completion and returns its chunks. */
    chat: async ({
      name,
      temperature,
      maxOutputTokens,
      messages,
      schema,
      exchange,
    }: Chat): Promise<AsyncIterator<AIMessageChunk>> => {
      const { initChatModel, deaf } = await load()
      const chat = await initChatModel(name, {
        modelProvider: 'openai',
        apiKey,
        maxRetries: 0,
        maxTokens: maxOutputTokens,
        ...(temperature === undefined ? {} : { temperature }),
        configuration: { baseURL: baseUrl, fetch: exchange.fetch, logLevel: 'off' },
      })
      const chunks = await chat.stream(
        messages.map(({ role, text, picture }) => ({ role, content: picture ? seen(text, picture) : text })),
        {
          signal: exchange.signal,
          callbacks: deaf(),
          ...(schema
            ? {
                response_format: {
                  type: 'json_schema',
                  json_schema: { name: schema.name, schema: schema.definition, strict: true },
                },
              }
            : {}),
        },
      )
      return chunks[Symbol.asyncIterator]() as AsyncIterator<AIMessageChunk>
    },

    /** Asks for the vectors of the texts, as the provider sends them. */
    vectors: async ({
      name,
      texts,
      exchange,
    }: {
      name: string
      texts: readonly string[]
      exchange: Exchange
    }): Promise<unknown> => {
      const { OpenAIEmbeddings } = await load()
      const embeddings = new OpenAIEmbeddings({
        model: name,
        apiKey,
        maxRetries: 0,
        batchSize: texts.length,
        stripNewLines: false,
        // Said aloud, the client hands on what came; left to itself it takes plain numbers for base64 and returns others.
        encodingFormat: 'base64',
        configuration: {
          baseURL: baseUrl,
          logLevel: 'off',
          // LangChain hands no signal to embeddings: it joins here.
          fetch: (input, init) => exchange.fetch(input, { ...init, signal: exchange.signal }),
        },
      })
      return embeddings.embedDocuments([...texts])
    },

    /** Asks for what is said in a recording, as the provider sends it. LangChain has no door for it: the protocol is one form. */
    transcript: async ({
      name,
      recording: { bytes, name: fileName },
      exchange,
    }: {
      name: string
      recording: Recording
      exchange: Exchange
    }): Promise<unknown> => {
      const form = new FormData()
      form.set('model', name)
      form.set('response_format', 'json')
      form.set('file', new File([Uint8Array.from(bytes)], fileName))
      const response = await exchange.fetch(`${baseUrl.replace(/\/+$/u, '')}/audio/transcriptions`, {
        method: 'POST',
        headers: { authorization: `Bearer ${apiKey}` },
        body: form,
        signal: exchange.signal,
      })
      const text = await response.text()
      if (!response.ok) throw new Error('The provider refused the recording.')
      return JSON.parse(text)
    },
  }
}

export type Provider = ReturnType<typeof makeProvider>

type Chat = Pick<ModelRequest, 'messages' | 'schema' | 'maxOutputTokens'> & {
  name: string
  temperature: number | undefined
  exchange: Exchange
}

const seen = (text: string, { type, base64 }: NonNullable<ModelMessage['picture']>) => [
  { type: 'text', text },
  { type: 'image_url', image_url: { url: `data:${type};base64,${base64}` } },
]

/** Four characters a token, as a rule of thumb for English; other scripts take more. */
export const estimatedTokens = (characters: number): number => Math.ceil(characters / 4)

/** What a provider says, where it can be true. */
export const tokenCount = (said: unknown): number | undefined =>
  typeof said === 'number' && Number.isSafeInteger(said) && said >= 0 ? said : undefined

/** A quarter of a second and 40 MB that an installation without a model never pays. */
const loadLibrary = async () => {
  const { initChatModel } = await import('langchain/chat_models/universal')
  const { OpenAIEmbeddings } = await import('@langchain/openai')
  const { CallbackManager } = await import('@langchain/core/callbacks/manager')
  /**
   * LangChain looks at LANGSMITH_TRACING, LANGCHAIN_VERBOSE and others on each call and adds listeners that export or print the
   * prompt. Nothing may listen here, whatever the environment says.
   */
  class Deaf extends CallbackManager {
    override addHandler(): void {}
    override copy(): this {
      return this
    }
  }
  return { initChatModel, OpenAIEmbeddings, deaf: () => new Deaf() }
}
