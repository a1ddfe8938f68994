/** The few words that this channel says by itself. The answer's own words come from the core. */
type Words = {
  sources: string
  page: string
  /** At most twenty characters: WhatsApp's limit for a button. What it says is recognised as a request for a person. */
  person: string
}

const WORDS: Record<string, Words> = {
  en: { sources: 'Sources', page: 'p.', person: 'Talk to a person' },
  pt: { sources: 'Fontes', page: 'p.', person: 'Falar com alguém' },
  es: { sources: 'Fuentes', page: 'pág.', person: 'Hablar con alguien' },
  de: { sources: 'Quellen', page: 'S.', person: 'Mit Mensch sprechen' },
  fr: { sources: 'Sources', page: 'p.', person: 'Parler à quelqu’un' },
  it: { sources: 'Fonti', page: 'p.', person: 'Parlare con qualcuno' },
  ar: { sources: 'المصادر', page: 'ص', person: 'أريد التحدث مع شخص' },
}

const ENGLISH: Words = { sources: 'Sources', page: 'p.', person: 'Talk to a person' }

export const wordsIn = (language: string | null): Words => WORDS[language ?? 'en'] ?? ENGLISH

export const languages = Object.keys(WORDS)
