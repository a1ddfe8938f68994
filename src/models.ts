import type { Config } from './config.js'
import { makeEmbedder, makeModel, makeProvider, makeTranscriber } from './rag/model.js'

/** How long a model may look at a picture before it begins to say what it sees. */
const SEES_WITHIN_MS = 12_000

/** The models of this installation; without one in the configuration there is no door at all. */
export const openModels = ({
  config,
  ...needs
}: { config: Config } & Pick<Parameters<typeof makeProvider>[0], 'meter' | 'clock' | 'log' | 'metrics'>) => {
  const { OPENAI_MODEL, OPENAI_ENTAILMENT_MODEL, OPENAI_EMBEDDING_MODEL } = config
  const { OPENAI_TRANSCRIPTION_MODEL, OPENAI_VISION_MODEL } = config
  const nothing = { model: null, judge: null, embedder: null, transcriber: null, seer: null }
  if (!OPENAI_MODEL && !OPENAI_EMBEDDING_MODEL && !OPENAI_TRANSCRIPTION_MODEL && !OPENAI_VISION_MODEL) {
    return { ...nothing, state: () => 'not configured', warm: async () => {} }
  }
  const provider = makeProvider({
    ...needs,
    baseUrl: config.OPENAI_BASE_URL,
    // A server of one's own may need none; its client insists on one.
    apiKey: config.OPENAI_API_KEY ?? 'none',
    firstTokenMs: config.OPENAI_FIRST_TOKEN_MS,
  })
  const { OPENAI_INPUT_PRICE: input, OPENAI_OUTPUT_PRICE: output } = config
  const price = input === undefined || output === undefined ? undefined : { input, output }
  return {
    model: OPENAI_MODEL ? makeModel({ provider, name: OPENAI_MODEL, price }) : null,
    judge: OPENAI_ENTAILMENT_MODEL ? makeModel({ provider, name: OPENAI_ENTAILMENT_MODEL }) : null,
    embedder: OPENAI_EMBEDDING_MODEL ? makeEmbedder({ provider, name: OPENAI_EMBEDDING_MODEL }) : null,
    transcriber: OPENAI_TRANSCRIPTION_MODEL
      ? makeTranscriber({
          provider,
          name: OPENAI_TRANSCRIPTION_MODEL,
          pricePerMinute: config.OPENAI_TRANSCRIPTION_PRICE,
        })
      : null,
    // A picture takes longer to look at than a question to read, and nobody sees its first word.
    seer: OPENAI_VISION_MODEL
      ? makeModel({
          provider,
          name: OPENAI_VISION_MODEL,
          price: OPENAI_VISION_MODEL === OPENAI_MODEL ? price : undefined,
          firstMs: SEES_WITHIN_MS,
        })
      : null,
    earlier: (name: string) => makeEmbedder({ provider, name }),
    state: provider.state,
    warm: provider.warm,
  }
}
