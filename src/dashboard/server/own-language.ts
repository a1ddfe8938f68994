import type { Language } from '../languages/index.js'
import { call } from './client.js'
import { remembered } from './remembered.js'

const TOLD = 'helpdesk.told-language'

/** Mail to this person is written in it. Told again only when it is another; what fails is told with the next page. */
export const tellLanguage = (personId: string, language: Language): void => {
  const now = `${personId} ${language}`
  if (remembered.get(TOLD) === now) return
  call('companies', 'setLanguage', { body: { language } }).then(
    () => remembered.set(TOLD, now),
    () => {},
  )
}
