import type { ChatConfig } from '../settings.js'
import { words as english, type Words } from './languages/en.js'

export type { Words } from './languages/en.js'

/** The others are loaded by whoever needs one. */
const CATALOGUES = {
  en: async () => ({ words: english }),
  pt: () => import('./languages/pt.js'),
  es: () => import('./languages/es.js'),
  ar: () => import('./languages/ar.js'),
}
export type Language = keyof typeof CATALOGUES

/** The channel's own language, else the page's, else the browser's, else English. */
export const chooseLanguage = (wanted: ChatConfig['language'], page: string, browser: readonly string[]): Language => {
  if (wanted !== 'auto') return wanted
  const codes = [page, ...browser].map((code) => code.slice(0, 2).toLowerCase())
  return codes.find((code): code is Language => Object.hasOwn(CATALOGUES, code)) ?? 'en'
}

export const wordsIn = async (language: Language): Promise<Words> => (await CATALOGUES[language]()).words

export const directionOf = (language: Language): 'ltr' | 'rtl' => (language === 'ar' ? 'rtl' : 'ltr')

export const filled = (text: string, values: Record<string, string | number>): string =>
  text.replace(/\{(\w+)\}/g, (whole, name: string) => String(values[name] ?? whole))
