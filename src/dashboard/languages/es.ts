import type { Catalogue } from './index.js'
import { en } from './en.js'

export const es: Catalogue = en
