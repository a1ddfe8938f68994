import type { Bus } from '../platform/bus.js'
import type { Clock } from '../platform/clock.js'
import { newId } from '../platform/ids.js'
import { currentRequestId } from '../platform/log.js'
import type { Draft } from './documents.mongo.js'
import { contactIdOf, type Consent, type MessageArrival, type Origin, type Received } from './message.js'
import type { ConversationStore } from './store.mongo.js'
import { announce, eventLine } from './timeline.js'

type Needs = {
  store: ConversationStore
  receive(origin: Origin, arrival: MessageArrival): Promise<Received>
  wakeDeliver(companyId: string, conversationId: string): void
  bus: Bus
  clock: Clock
}

/**
 * Somebody wants no more automatic messages, or wants them again. Their wish holds before their message is kept, so that nothing
 * leaves in between; what is told again later, after they changed their mind, changes nothing. They are told once, in their
 * language: the rules of providers allow that one answer.
 */
export const makeConsent =
  ({ store, receive, wakeDeliver, bus, clock }: Needs) =>
  async (origin: Origin, arrival: MessageArrival, { wants, language }: Consent): Promise<Received> => {
    const { companyId, channelId } = origin
    if (await store.messageByExternalId(companyId, channelId, arrival.externalId)) return receive(origin, arrival)
    const contactId = await store.contactBehind(companyId, contactIdOf(origin, arrival.contact.externalId))
    const note = () => store.setContactOptedOut(companyId, contactId, wants === 'out' ? clock.now() : null)
    const isStranger = (await store.contact(companyId, contactId)) === null
    const noted = await note()
    const received = await receive(origin, arrival)
    // Of a stranger the wish is kept with this first word (receive.ts), unless another word of theirs came in between.
    const isNews = noted || (wants === 'out' && ((await note()) || isStranger))
    if (received.duplicate || !isNews) return received

    const { conversationId } = received
    const requestId = currentRequestId() ?? newId('req')
    const appended = await store.change({ companyId, conversationId, at: clock.now(), requestId }, (conversation) => {
      const isBack = wants === 'in' && conversation.handler === 'nobody' && conversation.handoff?.reason === 'opted_out'
      const change = isBack ? { handler: 'assistant' as const, handoff: null } : {}
      const words = confirmationIn(conversation.language ?? language ?? 'en')[wants]
      return { change, drafts: [eventLine({ name: 'consent', wants }), confirmation(words, wants)] }
    })
    if (!appended) return received
    announce(bus, appended)
    wakeDeliver(companyId, conversationId)
    return received
  }

const confirmation = (text: string, consent: Consent['wants']): Draft => ({
  kind: 'message',
  author: { kind: 'assistant', name: 'Assistant' },
  text,
  notice: true,
  details: { consent },
  deliver: true,
})

type Confirmations = Record<Consent['wants'], string>

const CONFIRMATIONS: Record<string, Confirmations> = {
  en: {
    out: 'You will get no more automatic messages here. If you write to us, a person answers. Send START to get them again.',
    in: 'Automatic answers are switched on again. Send STOP to end them.',
  },
  pt: {
    out: 'Você não receberá mais mensagens automáticas aqui. Se escrever, uma pessoa responde. Envie INICIAR para voltar a recebê-las.',
    in: 'As respostas automáticas voltaram. Envie SAIR para encerrá-las.',
  },
  es: {
    out: 'No recibirás más mensajes automáticos aquí. Si nos escribes, te responde una persona. Envía ALTA para volver a recibirlos.',
    in: 'Las respuestas automáticas están activas de nuevo. Envía BAJA para terminarlas.',
  },
  de: {
    out: 'Hier kommen keine automatischen Nachrichten mehr. Wenn Sie schreiben, antwortet ein Mensch. Mit START erhalten Sie sie wieder.',
    in: 'Automatische Antworten kommen wieder. Mit STOPP beenden Sie sie.',
  },
  fr: {
    out: 'Vous ne recevrez plus de messages automatiques ici. Si vous écrivez, une personne répond. Envoyez REPRENDRE pour les recevoir à nouveau.',
    in: 'Les réponses automatiques sont de nouveau actives. Envoyez ARRET pour y mettre fin.',
  },
  it: {
    out: 'Qui non riceverai più messaggi automatici. Se scrivi, risponde una persona. Invia RIPRENDI per riceverli di nuovo.',
    in: 'Le risposte automatiche sono di nuovo attive. Invia DISISCRIVIMI per terminarle.',
  },
  ar: {
    out: 'لن تصلك رسائل آلية هنا بعد الآن. إذا كتبت إلينا فسيجيبك شخص. أرسل «اشتراك» لتصلك من جديد.',
    in: 'عادت الردود الآلية. أرسل «إيقاف» لإنهائها.',
  },
}

const ENGLISH = CONFIRMATIONS.en as Confirmations

const confirmationIn = (language: string): Confirmations => CONFIRMATIONS[language] ?? ENGLISH
