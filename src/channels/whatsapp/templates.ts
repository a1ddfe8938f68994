import { AppError } from '../../platform/errors.js'
import type { ChannelKit, Template } from '../channel.js'
import type { Graph } from './graph.js'

/** The company's approved templates, as far as they can be sent from here: words with numbered values, and nothing else to fill. */
export const makeTemplates = ({ graph, memory }: { graph: Graph; memory: ChannelKit['memory'] }) => {
  let known: string | null = null

  return {
    /** Notes to which business account the number belongs. */
    account: async (id: string): Promise<void> => {
      if (known === id) return
      await memory.set('account', id)
      known = id
    },

    list: async (signal: AbortSignal): Promise<Template[]> => {
      known ??= await memory.get<string>('account')
      if (!known) {
        const message = 'Templates are known once Meta has called the webhook. Write to the number from a phone first.'
        throw new AppError('unavailable', 'account_unknown', message)
      }
      const { data } = await graph.call(`${known}/message_templates`, {
        query: { fields: 'name,language,status,components', status: 'APPROVED', limit: '200' },
        signal,
      })
      return Array.isArray(data) ? data.flatMap((given: unknown) => templateOf(given) ?? []) : []
    },
  }
}

type Component = { type?: unknown; format?: unknown; text?: unknown; buttons?: unknown }

const templateOf = (given: unknown): Template | null => {
  const { name, language, status, components } = (given ?? {}) as Record<string, unknown>
  if (typeof name !== 'string' || typeof language !== 'string' || status !== 'APPROVED') return null
  const parts = Array.isArray(components) ? (components as Component[]) : []
  const body = parts.find(({ type }) => type === 'BODY')?.text
  if (typeof body !== 'string' || parts.some(wantsMore)) return null
  const numbers = [...body.matchAll(/\{\{(\d{1,2})\}\}/gu)].map(([, number]) => Number(number))
  return { name, language, text: body, parameters: Math.max(0, ...numbers) }
}

/** Named values, a picture above or an address in a button: there is nowhere to enter them. */
const wantsMore = ({ type, format, text, buttons }: Component): boolean => {
  if (type === 'HEADER') return format !== 'TEXT' || (typeof text === 'string' && text.includes('{{'))
  if (type === 'BODY') return typeof text === 'string' && /\{\{(?!\d{1,2}\}\})/u.test(text)
  return type === 'BUTTONS' && JSON.stringify(buttons ?? []).includes('{{')
}
