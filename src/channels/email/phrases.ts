/** The few words that the product itself puts into mail, by the conversation's language. */
type Phrases = {
  /** Before a quote, as mail programs write it, so that they and we recognise it. */
  wrote(name: string, date: string): string
  sources: string
  /** Under what no person wrote. */
  automatic: string
  locale: string
}

const PHRASES: Record<string, Phrases> = {
  en: {
    wrote: (name, date) => `On ${date}, ${name} wrote:`,
    sources: 'Sources',
    automatic: 'Answered automatically by our assistant. Reply to this email to ask further or to reach a person.',
    locale: 'en-GB',
  },
  pt: {
    wrote: (name, date) => `Em ${date}, ${name} escreveu:`,
    sources: 'Fontes',
    automatic:
      'Respondido automaticamente pelo nosso assistente. Responda a este email para perguntar mais ou falar com uma pessoa.',
    locale: 'pt',
  },
  es: {
    wrote: (name, date) => `El ${date}, ${name} escribió:`,
    sources: 'Fuentes',
    automatic:
      'Respondido automáticamente por nuestro asistente. Responda a este correo para preguntar más o hablar con una persona.',
    locale: 'es',
  },
  fr: {
    wrote: (name, date) => `Le ${date}, ${name} a écrit :`,
    sources: 'Sources',
    automatic:
      'Réponse automatique de notre assistant. Répondez à cet e-mail pour en savoir plus ou joindre une personne.',
    locale: 'fr',
  },
  de: {
    wrote: (name, date) => `Am ${date} schrieb ${name}:`,
    sources: 'Quellen',
    automatic:
      'Automatisch beantwortet von unserem Assistenten. Antworten Sie auf diese E-Mail, um weiter zu fragen oder eine Person zu erreichen.',
    locale: 'de',
  },
  it: {
    wrote: (name, date) => `Il giorno ${date}, ${name} ha scritto:`,
    sources: 'Fonti',
    automatic:
      'Risposta automatica del nostro assistente. Risponda a questa email per altre domande o per parlare con una persona.',
    locale: 'it',
  },
}

export const phrasesIn = (language: string | null): Phrases => {
  const found = language === null ? undefined : PHRASES[language.slice(0, 2).toLowerCase()]
  return found ?? (PHRASES.en as Phrases)
}
