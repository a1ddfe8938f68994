import type { Clock } from '../../platform/clock.js'
import type { ChannelKit } from '../channel.js'

/** Whole messages with which people say, in their language, that they want no more automatic messages. */
const OUT = [
  ...['stop', 'stop all', 'unsubscribe', 'opt out', 'optout', 'no more messages'],
  ...['baja', 'darme de baja', 'dar de baja', 'cancelar suscripcion', 'no mas mensajes', 'parar'],
  ...['sair', 'descadastrar', 'cancelar inscricao', 'nao quero mais mensagens', 'pare'],
  ...['stopp', 'abmelden', 'abbestellen', 'keine nachrichten mehr'],
  ...['arret', 'arreter', 'se desabonner', 'desabonner', 'desinscription', 'me desinscrire'],
  ...['disiscrivimi', 'annulla iscrizione', 'cancellami', 'basta messaggi'],
  ...['ايقاف', 'الغاء الاشتراك', 'توقف'],
]

/** And that they want them again. */
const IN = [
  ...['start', 'unstop', 'subscribe', 'opt in', 'optin'],
  ...['alta', 'iniciar', 'suscribirme', 'comecar', 'inscrever', 'voltar a receber'],
  ...['starten', 'anmelden', 'abonnieren', 'reprendre', 'sabonner', 'riprendi', 'iscrivimi'],
  ...['ابدا', 'اشتراك'],
]

const WORDS = new Map<string, 'out' | 'in'>([
  ...OUT.map((word) => [word, 'out'] as const),
  ...IN.map((word) => [word, 'in'] as const),
])

/** `null`: it is about something else. A word inside a sentence ("stop the order") is. */
export const consentIn = (text: string): 'out' | 'in' | null => {
  if (text.length > 60) return null
  const folded = text
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .toLowerCase()
    .replace(/['’]/gu, '')
    .replace(/[^\p{L}\p{N}]+/gu, ' ')
    .trim()
  return WORDS.get(folded) ?? null
}

/** Who wants no automatic messages on this channel. People may still answer them; the assistant may not. */
export const makeConsents = ({ memory, clock }: { memory: ChannelKit['memory']; clock: Clock }) => {
  const key = (contact: string) => `opted-out/${contact}`
  const isOut = async (contact: string): Promise<boolean> => (await memory.get(key(contact))) !== null
  return {
    isOut,
    /** Durable when it resolves. */
    note: (contact: string, consent: 'out' | 'in'): Promise<void> =>
      consent === 'out' ? memory.set(key(contact), clock.now()) : memory.remove(key(contact)),
    /** The same person has another number: their wish goes with them. */
    move: async (from: string, to: string): Promise<void> => {
      if (await isOut(from)) await memory.set(key(to), clock.now())
    },
  }
}
