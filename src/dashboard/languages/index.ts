import i18next from 'i18next'
import { useCallback } from 'react'
import { initReactI18next, useTranslation } from 'react-i18next'
import { Refused, Unreachable } from '../server/client.js'
import { remembered } from '../server/remembered.js'
import { en } from './en.js'

type English = typeof en
/** Languages have other plurals than English: a catalogue may hold more forms than it, never fewer keys. */
export type Catalogue = { [Section in keyof English]: Record<keyof English[Section], string> & Record<string, string> }

type Form<K extends string> = K extends `${infer Base}_${'one' | 'other'}` ? Base : K
export type Key = { [S in keyof English]: `${S & string}.${Form<keyof English[S] & string>}` }[keyof English]

export const LANGUAGES = { en: 'English', 'pt-BR': 'Português (Brasil)', es: 'Español', ar: 'العربية' } as const
export type Language = keyof typeof LANGUAGES

const catalogues: Record<Exclude<Language, 'en'>, () => Promise<Catalogue>> = {
  'pt-BR': () => import('./pt-BR.js').then(({ ptBR }) => ptBR),
  es: () => import('./es.js').then(({ es }) => es),
  ar: () => import('./ar.js').then(({ ar }) => ar),
}

const CHOSEN = 'helpdesk.language'

const known = (tag: string): Language | null => {
  const languages = Object.keys(LANGUAGES) as Language[]
  const base = tag.split('-')[0]
  return languages.find((one) => one === tag) ?? languages.find((one) => one.split('-')[0] === base) ?? null
}

/** English is in the bundle and the fallback; another language is fetched before the first thing is shown. */
export const startLanguages = async (): Promise<void> => {
  await i18next.use(initReactI18next).init({
    lng: 'en',
    fallbackLng: 'en',
    resources: { en: { translation: en } },
    interpolation: { escapeValue: false },
    react: { useSuspense: false },
  })
  const wanted = [remembered.get(CHOSEN) ?? '', ...navigator.languages].map(known).find((one) => one !== null)
  // A catalogue that cannot be fetched now leaves English, not a blank page.
  if (wanted) await speak(wanted).catch(() => {})
}

const speak = async (language: Language): Promise<void> => {
  if (language !== 'en' && !i18next.hasResourceBundle(language, 'translation'))
    i18next.addResourceBundle(language, 'translation', await catalogues[language]())
  await i18next.changeLanguage(language)
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

const isKnown = (code: string): code is keyof English['faults'] => Object.hasOwn(en.faults, code)

/** Any fault in the person's words; what has no translation is said as the server said it. */
export const useFault = (): ((error: unknown) => string) => {
  const t = useT()
  return useCallback(
    (error) => {
      if (error instanceof Unreachable) return t('faults.unreachable')
      if (!(error instanceof Refused)) return t('faults.internal')
      return isKnown(error.code) ? t(`faults.${error.code}`) : error.message
    },
    [t],
  )
}
