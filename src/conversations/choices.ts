import { wordsOf } from './heard-and-seen.js'
import type { Choice, Message } from './message.js'

/** Which of the choices that the assistant offered a customer's message takes. Pure. */

/** Characters: whoever chooses says little else, such as a name below it. */
const LONGEST_CHOICE = 200
/** Shorter words ("no", "the") stand in a name by chance. */
const SHORTEST_PART = 4

/** The choice that a message takes of those that `asked` offers; `null`: it says something else, which is only text. */
export const choiceTaken = (asked: Pick<Message, 'id' | 'choices'> | undefined, message: Message): Choice | null => {
  const { choices = [] } = asked ?? {}
  const { chosen } = message
  // What a button of another message says is only text: it is old, or somebody made it up.
  if (chosen && chosen.messageId === asked?.id) return choices[chosen.at] ?? null
  return choices.length > 0 ? choiceIn(wordsOf(message), choices) : null
}

/** By its number, or by words of its name that stand in no other. */
const choiceIn = (text: string, choices: readonly Choice[]): Choice | null => {
  const [first = '', ...more] = text
    .trim()
    .split('\n')
    .map((line) => line.trim())
    .filter(Boolean)
  if (text.length > LONGEST_CHOICE || more.some((line) => /[?？؟]/u.test(line))) return null
  const number = NUMBER.exec(first.normalize('NFKC'))?.[1]
  if (number) return choices[digitOf(number) - 1] ?? null
  const said = folded(first)
  if (said === '') return null
  const named = choices.map(({ label }) => folded(label))
  const whole = choices.filter((_choice, at) => named[at] === said)
  const part =
    said.length < SHORTEST_PART ? [] : choices.filter((_choice, at) => ` ${named[at]} `.includes(` ${said} `))
  const [choice, ...others] = whole.length > 0 ? whole : part
  return others.length === 0 ? (choice ?? null) : null
}

/** A number and nothing else but signs: `2`, `2.`, `(2)`, `2️⃣`, `٢`. */
const NUMBER = /^[^\p{L}\p{N}]*(\p{Nd})[^\p{L}\p{N}]*$/u

/** Every script has its digits in a row that begins at a code point of its own. */
const digitOf = (digit: string): number => {
  const code = digit.codePointAt(0) ?? 0
  let zero = code
  while (/^\p{Nd}$/u.test(String.fromCodePoint(zero - 1)) && code - zero < 9) zero -= 1
  return code - zero
}

const folded = (text: string): string =>
  text
    .normalize('NFKC')
    .toLowerCase()
    .replace(/[^\p{L}\p{M}\p{N}]+/gu, ' ')
    .trim()
