import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client'

/** Every metric of the product, by name. Labels are closed sets (route, kind, outcome): never an id, an address or text. */
export const makeMetrics = () => {
  const registry = new Registry()
  collectDefaultMetrics({ register: registry })
  const registers = [registry]
  return {
    registry,
    httpDuration: new Histogram({
      name: 'http_request_duration_seconds',
      help: 'Time to answer an HTTP request',
      labelNames: ['method', 'route', 'status'],
      buckets: [0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5],
      registers,
    }),
    messages: new Counter({
      name: 'helpdesk_messages_total',
      help: 'Messages appended to conversations',
      labelNames: ['author'],
      registers,
    }),
    duplicates: new Counter({
      name: 'helpdesk_duplicate_arrivals_total',
      help: 'Arrivals that were already stored',
      registers,
    }),
    answers: new Counter({
      name: 'helpdesk_answers_total',
      help: 'Outcomes of the assistant',
      labelNames: ['outcome'],
      registers,
    }),
    answerDuration: new Histogram({
      name: 'helpdesk_answer_duration_seconds',
      help: 'From the arrival of a customer message to the reply appended',
      buckets: [0.02, 0.05, 0.1, 0.2, 0.4, 0.8, 1.5, 3, 6, 12, 30],
      registers,
    }),
    handoffs: new Counter({
      name: 'helpdesk_handoffs_total',
      help: 'Handoffs to people',
      labelNames: ['reason'],
      registers,
    }),
    serviceLevels: new Counter({
      name: 'helpdesk_service_level_changes_total',
      help: 'Warnings and breaches of promised times',
      labelNames: ['clock', 'change'],
      registers,
    }),
    channels: new Gauge({
      name: 'helpdesk_channels',
      help: 'Channels of this process by kind, by how they are and why',
      labelNames: ['kind', 'state', 'code'],
      registers,
    }),
    channelChanges: new Counter({
      name: 'helpdesk_channel_changes_total',
      help: 'How often a channel came into a state; those into connected are its connections',
      labelNames: ['kind', 'state'],
      registers,
    }),
    channelArrivals: new Counter({
      name: 'helpdesk_channel_arrivals_total',
      help: 'What was taken in of what providers told, by kind of channel',
      labelNames: ['kind', 'arrival'],
      registers,
    }),
    channelLag: new Histogram({
      name: 'helpdesk_channel_lag_seconds',
      help: "From a provider's own time of a customer's message to its being stored",
      labelNames: ['kind'],
      buckets: [0.1, 0.25, 0.5, 1, 2.5, 5, 15, 60, 300, 1_800, 7_200],
      registers,
    }),
    channelSends: new Counter({
      name: 'helpdesk_channel_sends_total',
      help: 'How attempts to send ended, by kind of channel',
      labelNames: ['kind', 'outcome'],
      registers,
    }),
    webhooks: new Counter({
      name: 'helpdesk_webhooks_total',
      help: 'Calls of providers, by kind of channel and status',
      labelNames: ['kind', 'status'],
      registers,
    }),
    deliveries: new Counter({
      name: 'helpdesk_deliveries_total',
      help: 'Outcomes of sending a message',
      labelNames: ['outcome'],
      registers,
    }),
    letters: new Counter({
      name: 'helpdesk_letters_total',
      help: "What became of people's messages to customers who had left: mailed, read before, or why not",
      labelNames: ['outcome'],
      registers,
    }),
    jobs: new Histogram({
      name: 'helpdesk_job_duration_seconds',
      help: 'Background jobs',
      labelNames: ['job', 'outcome'],
      buckets: [0.005, 0.02, 0.1, 0.5, 2, 10],
      registers,
    }),
    swept: new Counter({
      name: 'helpdesk_swept_total',
      help: 'Due work that the sweep had to wake again',
      labelNames: ['job'],
      registers,
    }),
    sockets: new Gauge({
      name: 'helpdesk_sockets',
      help: 'Open live connections',
      labelNames: ['namespace'],
      registers,
    }),
    modelCalls: new Counter({
      name: 'helpdesk_model_calls_total',
      help: 'Calls of the language model and of embeddings, by how they ended',
      labelNames: ['purpose', 'outcome'],
      registers,
    }),
    modelRequests: new Counter({
      name: 'helpdesk_model_requests_total',
      help: 'Requests that left for the model provider, repeats included',
      labelNames: ['purpose'],
      registers,
    }),
    modelFirstToken: new Histogram({
      name: 'helpdesk_model_first_token_seconds',
      help: 'From the call to the first piece of text of the model',
      labelNames: ['purpose'],
      buckets: [0.05, 0.1, 0.2, 0.4, 0.8, 1.2, 1.8, 3, 6, 12],
      registers,
    }),
    modelTokens: new Counter({
      name: 'helpdesk_model_tokens_total',
      help: 'Tokens that the model provider read and wrote',
      labelNames: ['purpose', 'direction'],
      registers,
    }),
    breakerState: new Gauge({
      name: 'helpdesk_breaker_state',
      help: '1 for the state that a circuit breaker is in',
      labelNames: ['breaker', 'state'],
      registers,
    }),
    rateLimited: new Counter({
      name: 'helpdesk_rate_limited_total',
      help: 'Refused by a rate limit',
      labelNames: ['limit'],
      registers,
    }),
  }
}

export type Metrics = ReturnType<typeof makeMetrics>

/** What the embedded store says of itself, read when somebody looks. What cannot be read is left as it was. */
export const measureStore = <Name extends string>(
  { registry }: Metrics,
  read: () => Promise<Record<Name, number>>,
  names: Record<Name, string>,
): void => {
  let reading: Promise<Record<Name, number>> | null = null
  for (const [name, help] of Object.entries(names) as [Name, string][]) {
    const collect = async function (this: Gauge): Promise<void> {
      // All of them are collected at once, and asked once.
      reading ??= read().finally(() => (reading = null))
      const values = await reading.catch(() => null)
      if (values) this.set(values[name])
    }
    const snake = name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
    registry.registerMetric(new Gauge({ name: `helpdesk_store_${snake}`, help, registers: [], collect }))
  }
}
