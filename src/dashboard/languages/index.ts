import i18next from 'i18next'
import { useCallback } from 'react'
import { initReactI18next, useTranslation } from 'react-i18next'
import { Refused, Unreachable } from '../server/client.js'
import { remembered } from '../server/remembered.js'
import type { words as channels } from './channels/en.js'
import { words as desk } from './desk/en.js'
import type { words as gate } from './gate/en.js'
import type { words as knowledge } from './knowledge/en.js'
import type { words as promises } from './promises/en.js'
import type { words as settings } from './settings/en.js'
import type { words as talk } from './talk/en.js'

/** The folders: words come with the pages that say them. Those of the desk are always there. */
type Parts = {
  desk: typeof desk
  gate: typeof gate
  talk: typeof talk
  knowledge: typeof knowledge
  channels: typeof channels
  settings: typeof settings
  promises: typeof promises
}
type Part = keyof Parts

type Form<K extends string> = K extends `${infer Base}_${'one' | 'other'}` ? Base : K
type KeyOf<Words> = { [S in keyof Words]: `${S & string}.${Form<keyof Words[S] & string>}` }[keyof Words]
export type Key = { [P in Part]: KeyOf<Parts[P]> }[Part]

export const LANGUAGES = { en: 'English', 'pt-BR': 'Português (Brasil)', es: 'Español', ar: 'العربية' } as const
export type Language = keyof typeof LANGUAGES

const files = import.meta.glob<{ words: object }>(['./*/*.ts', '!./desk/en.ts'])

const CHOSEN = 'helpdesk.language'
const NAMESPACE = 'translation'

const known = (tag: string): Language | null => {
  const languages = Object.keys(LANGUAGES) as Language[]
  const base = tag.split('-')[0]
  return languages.find((one) => one === tag) ?? languages.find((one) => one.split('-')[0] === base) ?? null
}

/** The desk's English is in the bundle and the fallback; another language is fetched before the first thing is shown. */
export const startLanguages = async (): Promise<void> => {
  await i18next.use(initReactI18next).init({
    lng: 'en',
    fallbackLng: 'en',
    resources: { en: { [NAMESPACE]: desk } },
    interpolation: { escapeValue: false },
    react: { useSuspense: false },
  })
  const wanted = [remembered.get(CHOSEN) ?? '', ...navigator.languages].map(known).find((one) => one !== null)
  // Words that cannot be fetched now leave English, not a blank page.
  if (wanted) await speak(wanted).catch(() => {})
}

const wanted = new Set<Part>(['desk'])
const fetched = new Set<string>(['./desk/en.ts'])
let spoken: Language = 'en'

const fetchWords = async (part: Part, language: Language): Promise<void> => {
  const file = `./${part}/${language}.ts`
  if (fetched.has(file)) return
  const { words } = (await files[file]?.()) ?? {}
  i18next.addResourceBundle(language, NAMESPACE, words)
  fetched.add(file)
}

const speak = async (language: Language): Promise<void> => {
  await Promise.all([...wanted].map((part) => fetchWords(part, language)))
  spoken = language
  await i18next.changeLanguage(language)
}

/** A page is shown when its words are there too: both are fetched at once. Words that fail are English, or the page fails. */
export const withWords =
  <Page>(parts: readonly Exclude<Part, 'desk'>[], page: () => Promise<Page>) =>
  async (): Promise<Page> => {
    for (const part of parts) wanted.add(part)
    const words = parts.map((part) => fetchWords(part, spoken).catch(() => fetchWords(part, 'en')))
    const [shown] = await Promise.all([page(), ...words])
    return shown
  }

export const chooseLanguage = async (language: Language): Promise<void> => {
  await speak(language)
  remembered.set(CHOSEN, language)
}

export const directionOf = (language: string): 'rtl' | 'ltr' => (language === 'ar' ? 'rtl' : 'ltr')

export type T = (key: Key, values?: Record<string, string | number>) => string

export const useT = (): T => {
  const { t } = useTranslation()
  return useCallback((key, values) => t(key, values ?? {}), [t])
}

export const useLanguage = (): Language => useTranslation().i18n.language as Language

/** What the server named, in the person's words; it may know more than this page does, and then says it itself. */
export const wordsFor = (t: T, key: string, otherwise: string, values?: Record<string, string>): string =>
  i18next.exists(key) ? t(key as Key, values) : otherwise

/** Any fault in the person's words; what has no translation is said as the server said it. */
export const useFault = (): ((error: unknown) => string) => {
  const t = useT()
  return useCallback(
    (error) => {
      if (error instanceof Unreachable) return t('faults.unreachable')
      if (!(error instanceof Refused)) return t('faults.internal')
      return wordsFor(t, `faults.${error.code}`, error.message)
    },
    [t],
  )
}
