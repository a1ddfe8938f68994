import { sameFigure, type Figure } from './figures.js'
import type { Token } from './scan.js'
import { OPERATOR_RULES } from './words.js'

/** The words of a claim laid beside the words of a passage. `solids`: where the words that must be found stand in `tokens`. */
export type Side = { tokens: readonly Token[]; solids: readonly number[] }

export const isSolid = ({ kind }: Token): boolean => kind !== 'filler' && kind !== 'break'
export const sideOf = (tokens: readonly Token[]): Side => ({
  tokens,
  solids: tokens.flatMap((token, at) => (isSolid(token) ? [at] : [])),
})

const SUFFIXES: Record<string, ReadonlySet<string>> = Object.fromEntries(
  Object.entries({
    en: ' e y s es ed d ing er ers or ors ment ments ion ions ation ations al ally ly able ance ence ies ied',
    de: ' e en er es em n s st t te ten tes ter et ung ungen lich liche lichen bar',
    es: ' o a os as e es ar er ir ado ada ados adas ido ida idos idas ción ciones ando iendo an en ó aron ieron ará mente',
    pt: ' o a os as e es ar er ir ado ada ados adas ido ida idos idas ção ções ando endo indo am em ou aram eram mente',
    fr: ' e s es er ir re é ée és ées ez ent ons tion tions ation ations ement ment ant',
    it: ' o a i e are ere ire ato ata ati ate ito ita iti ite zione zioni azione azioni ando endo ano ono mente',
  }).map(([language, suffixes]) => [language, new Set(suffixes.split(' '))]),
)
const SHORTEST_ROOT = 4

/** deliver, delivery: one root and endings that do not turn its meaning. Names must be the same. */
const related = (one: Token, other: Token, language: string): boolean => {
  const suffixes = SUFFIXES[language]
  if (!suffixes || one.kind !== 'word' || other.kind !== 'word') return false
  if (language !== 'de' && (one.capital || other.capital)) return false
  const [a, b] = [one.text, other.text]
  let shared = 0
  while (shared < a.length && a[shared] === b[shared]) shared += 1
  for (let root = shared; root >= SHORTEST_ROOT && root >= shared - 2; root -= 1) {
    if (suffixes.has(a.slice(root)) && suffixes.has(b.slice(root))) return true
  }
  return false
}

/** Whether `claim` may stand for `passage`. */
export const matches = (claim: Token, passage: Token, language: string): boolean => {
  if (claim.figure || passage.figure) {
    const said = claim.figure
    const written = passage.figure
    if (said && written) return sameFigure(said, written) || sameHour(said, written)
    return false
  }
  if (claim.operator) {
    if (claim.keys.some((key) => passage.keys.includes(key))) return true
    return passage.operator !== undefined && (OPERATOR_RULES[claim.operator].from?.includes(passage.operator) ?? false)
  }
  if (passage.operator) return false
  return claim.keys.some((key) => passage.keys.includes(key)) || related(claim, passage, language)
}

/** "from 9 to 17" is "9:00–17:00". */
const sameHour = (said: Figure, written: Figure): boolean => {
  const [time, number] = said.kind === 'time' ? [said, written] : [written, said]
  return time.kind === 'time' && number.kind === 'number' && !number.unit && Number(number.value) * 60 === time.minutes
}

/** Of equal words in a passage the claim may mean the first or the last. */
type Ties = 'early' | 'late'

/**
 * The heaviest common subsequence of the solid words; neighbours that stay neighbours weigh more, so that of two equal words the
 * one in its place is taken. Returns, for each solid of the claim, the index in the passage's solids or -1.
 */
export const align = (claim: Side, passage: Side, language: string, ties: Ties): number[] => {
  const [rows, columns] = [claim.solids.length, passage.solids.length]
  const width = columns + 1
  const best = new Float64Array((rows + 1) * width)
  const ending = new Float64Array((rows + 1) * width)
  for (let i = 1; i <= rows; i += 1) {
    const said = claim.tokens[claim.solids[i - 1] ?? 0]
    for (let j = 1; j <= columns; j += 1) {
      const written = passage.tokens[passage.solids[j - 1] ?? 0]
      const at = i * width + j
      let score = 0
      if (said && written && matches(said, written, language)) {
        const weight = said.operator ? 1 : said.capital || said.figure ? 2.2 : 2
        const diagonal = at - width - 1
        const alone = best[diagonal] ?? 0
        const joined = ending[diagonal] ?? 0
        score = weight + Math.max(alone, joined > 0 ? joined + 0.5 : 0)
      }
      ending[at] = score
      best[at] = Math.max(score, best[at - 1] ?? 0, best[at - width] ?? 0)
    }
  }
  const found = new Array<number>(rows).fill(-1)
  let [i, j] = [rows, columns]
  let mustEnd = false
  while (i > 0 && j > 0) {
    const at = i * width + j
    const score = ending[at] ?? 0
    if (score > 0 && (mustEnd || (score === best[at] && (ties === 'late' || best[at - 1] !== score)))) {
      found[i - 1] = j - 1
      const diagonal = at - width - 1
      const joined = ending[diagonal] ?? 0
      mustEnd = joined > 0 && joined + 0.5 > (best[diagonal] ?? 0)
      i -= 1
      j -= 1
    } else {
      mustEnd = false
      if (ties === 'early' && best[at] === best[at - 1]) j -= 1
      else if (best[at] === best[at - width]) i -= 1
      else j -= 1
    }
  }
  return found
}
