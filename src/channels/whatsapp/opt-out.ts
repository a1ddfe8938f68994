import type { Consent, MessageArrival, OutboundMessage } from '../../conversations/message.js'
import type { ChannelKit } from '../channel.js'

/** Whole messages with which people say, in their language, that they want no more automatic messages. */
const OUT: Record<string, string[]> = {
  en: ['unsubscribe', 'opt out', 'optout', 'no more messages'],
  es: ['baja', 'darme de baja', 'dar de baja', 'cancelar suscripcion', 'no mas mensajes', 'parar'],
  pt: ['sair', 'descadastrar', 'cancelar inscricao', 'nao quero mais mensagens', 'pare'],
  de: ['stopp', 'abmelden', 'abbestellen', 'keine nachrichten mehr'],
  fr: ['arret', 'arreter', 'se desabonner', 'desabonner', 'desinscription', 'me desinscrire'],
  it: ['disiscrivimi', 'annulla iscrizione', 'cancellami', 'basta messaggi'],
  ar: ['ايقاف', 'الغاء الاشتراك', 'توقف'],
  '': ['stop', 'stop all'],
}

/** And that they want them again. */
const IN: Record<string, string[]> = {
  en: ['unstop', 'subscribe', 'opt in', 'optin'],
  es: ['alta', 'suscribirme'],
  pt: ['comecar', 'inscrever', 'voltar a receber'],
  de: ['starten', 'anmelden', 'abonnieren'],
  fr: ['reprendre', 'sabonner'],
  it: ['riprendi', 'iscrivimi'],
  ar: ['ابدا', 'اشتراك'],
  '': ['start', 'iniciar'],
}

const entriesOf = (words: Record<string, string[]>, wants: Consent['wants']): [string, Consent][] =>
  Object.entries(words).flatMap(([language, all]) =>
    all.map((word): [string, Consent] => [word, { wants, ...(language ? { language } : {}) }]),
  )

const WORDS = new Map([...entriesOf(OUT, 'out'), ...entriesOf(IN, 'in')])

/** `null`: it is about something else. A word inside a sentence ("stop the order") is. */
export const consentIn = (text: string): Consent | null => {
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

/**
 * `text` is all that its customer wrote. A word that ends automatic messages, or brings them back: to whoever gets them anyway the
 * second is a word like any other.
 */
export const withConsent = async (
  arrival: MessageArrival,
  text: string,
  contactOf: ChannelKit['contactOf'],
): Promise<MessageArrival> => {
  const consent = consentIn(text)
  if (!consent) return arrival
  if (consent.wants === 'out') return { ...arrival, automatic: 'opt_out', consent }
  const isOut = (await contactOf(arrival.contact.externalId))?.optedOut
  return isOut ? { ...arrival, automatic: 'opt_in', consent } : arrival
}

/** What its reader did not ask for and does not want. The one answer to their wish leaves all the same. */
export const isUnwanted = ({ contact, author, template, details }: OutboundMessage): boolean =>
  contact.optedOut === true && (template !== undefined || author.kind !== 'agent') && !details?.consent

export const UNWANTED = 'opted_out: this person wants no messages that they did not ask for'
