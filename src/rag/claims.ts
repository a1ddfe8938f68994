import { z } from 'zod'
import { AppError } from '../platform/errors.js'

/** One sentence as a model wrote it, with the passages (by their number in the prompt) that it says it rests on. Nothing of it is believed. */
export type WrittenSentence = z.infer<typeof writtenSentence>

const writtenSentence = z.object({
  text: z.string().trim().min(1).max(1_200),
  citations: z.array(z.object({ passage: z.int(), quote: z.string().trim().min(1).max(4_000) })).max(8),
})

/** What the provider is asked to keep to; `strict` mode wants every field required and nothing else allowed. */
export const ANSWER_SCHEMA = {
  name: 'answer',
  definition: {
    type: 'object',
    properties: {
      sentences: {
        type: 'array',
        items: {
          type: 'object',
          properties: {
            text: { type: 'string' },
            citations: {
              type: 'array',
              items: {
                type: 'object',
                properties: { passage: { type: 'integer' }, quote: { type: 'string' } },
                required: ['passage', 'quote'],
                additionalProperties: false,
              },
            },
          },
          required: ['text', 'citations'],
          additionalProperties: false,
        },
      },
    },
    required: ['sentences'],
    additionalProperties: false,
  },
} as const

const OPENING = /"sentences"\s*:\s*\[/u
/** White space, a fence, a word too many before the object begins. */
const LONGEST_OPENING = 2_000
const LONGEST_SENTENCE = 12_000

const garbled = (what: string, cause?: unknown) =>
  new AppError('unavailable', 'model_garbled', `The model's answer is not in the form asked for: ${what}.`, { cause })

/**
 * Reads sentences out of `{"sentences":[…]}` as it arrives, each as soon as its last brace is there; every character is looked at
 * once. `push` and `end` throw `model_garbled` when it is something else. What follows the list is not read.
 */
export const makeSentenceReader = () => {
  let buffer = ''
  let at = 0
  let state: 'before' | 'inside' | 'done' = 'before'
  let depth = 0
  let start = 0
  let quoted = false
  let escaped = false

  const open = (): boolean => {
    const opening = OPENING.exec(buffer)
    if (!opening) {
      if (buffer.length > LONGEST_OPENING) throw garbled('no list of sentences')
      return false
    }
    buffer = buffer.slice(opening.index + opening[0].length)
    state = 'inside'
    return true
  }

  const scan = (): WrittenSentence[] => {
    const found: WrittenSentence[] = []
    for (; at < buffer.length && state === 'inside'; at += 1) {
      const sign = buffer[at]
      if (quoted) {
        if (escaped) escaped = false
        else if (sign === '\\') escaped = true
        else if (sign === '"') quoted = false
        continue
      }
      if (sign === '{') {
        if (depth === 0) start = at
        depth += 1
      } else if (sign === '}' && depth > 0) {
        depth -= 1
        if (depth === 0) found.push(parse(buffer.slice(start, at + 1)))
      } else if (depth > 0) {
        quoted = sign === '"'
      } else if (sign === ']') {
        state = 'done'
      } else if (!/[\s,]/u.test(sign ?? '')) {
        throw garbled('something between two sentences')
      }
    }
    // What is read is let go, so that a long answer costs no more than its longest sentence.
    const keep = depth > 0 ? start : at
    buffer = buffer.slice(keep)
    at -= keep
    start = 0
    if (buffer.length > LONGEST_SENTENCE) throw garbled('a sentence without an end')
    return found
  }

  return {
    /** The sentences that `piece` completes. */
    push: (piece: string): WrittenSentence[] => {
      if (state === 'done') return []
      buffer += piece
      return state === 'inside' || open() ? scan() : []
    },
    /** To be called when nothing follows. */
    end: (): void => {
      if (state !== 'done') throw garbled('it ends before its list does')
    },
    done: (): boolean => state === 'done',
  }
}

const parse = (json: string): WrittenSentence => {
  let value: unknown
  try {
    value = JSON.parse(json)
  } catch (error) {
    throw garbled('a sentence is not JSON', error)
  }
  const parsed = writtenSentence.safeParse(value)
  if (!parsed.success) throw garbled('a sentence lacks its text or its citations', parsed.error)
  return parsed.data
}
