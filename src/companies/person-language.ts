/** The languages of the desk: its people choose one of them, and what the product mails to them is written in it. */
export const PERSON_LANGUAGES = ['en', 'pt-BR', 'es', 'ar'] as const
export type PersonLanguage = (typeof PERSON_LANGUAGES)[number]
