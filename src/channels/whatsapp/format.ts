/**
 * Our rich text (`**strong**`, `` `code` ``, fences, lists, links, marks `[n]`) in WhatsApp's own signs and back
 * (WhatsApp help, "How to format your messages"). What one side does not know is left as it stands: nothing a customer is told
 * goes missing.
 */
export const toWhatsApp = (text: string): string =>
  outsideCode(text, (part) =>
    part
      .replace(
        /^#{1,6}[ \t]+(.+?)[ \t]*#*$/gmu,
        (_whole, title: string) => `\u0001${title.replace(/\*\*/gu, '')}\u0001`,
      )
      .replace(/\*\*\*(?=\S)([^*\n]+?)(?<=\S)\*\*\*/gu, '\u0001_$1_\u0001')
      .replace(/(\*\*|__)(?=\S)([^\n]+?)(?<=\S)\1/gu, '\u0001$2\u0001')
      .replace(/(?<![*\p{L}\p{N}])\*(?=[^\s*])([^*\n]+?)(?<=\S)\*(?![*\p{L}\p{N}])/gu, '_$1_')
      .replace(/~~(?=\S)([^\n]+?)(?<=\S)~~/gu, '~$1~')
      .replace(/!?\[([^\]\n]+)\]\((https?:\/\/[^\s)]+)\)/gu, (_whole, words: string, href: string) =>
        words === href ? href : `${words} (${href})`,
      )
      .replace(/\u0001/gu, '*'),
  )

/** What a customer wrote, in our own signs. */
export const fromWhatsApp = (text: string): string =>
  outsideCode(text, (part) => part.replace(signs('\\*'), '$1**$2**').replace(signs('~'), '$1~~$2~~'))

/** A pair of signs around words, as WhatsApp sees one: tight inside, nothing of a word outside. */
const signs = (sign: string) =>
  new RegExp(
    `(^|[^\\p{L}\\p{N}${sign}])${sign}(?=[^\\s${sign}])([^\\n${sign}]+?)(?<=\\S)${sign}(?![\\p{L}\\p{N}${sign}])`,
    'gmu',
  )

/** Code says what it says: signs inside of it are not signs. */
const outsideCode = (text: string, change: (part: string) => string): string =>
  text
    .split(/(```[\s\S]*?```|`[^`\n]+`)/u)
    .map((part, index) => (index % 2 === 1 ? withoutLanguage(part) : change(part)))
    .join('')

/** The name of a language behind a fence would be shown as the first word of the code. */
const withoutLanguage = (code: string): string => code.replace(/^```[a-z0-9+#-]{1,20}\n/iu, '```\n')

/** WhatsApp's limit for a text, in characters. */
export const MOST_TEXT = 4_096

/**
 * Cuts a long text into messages of at most `most` UTF-16 code units: between paragraphs where that leaves a message half
 * full, else between sentences, else between words, and only within what has none of them between characters.
 */
export const splitText = (text: string, most = MOST_TEXT): string[] => {
  const parts: string[] = []
  let rest = text.trim()
  while (rest.length > most) {
    const at = cutAt(rest, most)
    parts.push(rest.slice(0, at).trimEnd())
    rest = rest.slice(at).trimStart()
  }
  return rest ? [...parts, rest] : parts
}

const cutAt = (text: string, most: number): number => {
  const window = text.slice(0, most + 1)
  const half = most / 2
  const paragraph = window.lastIndexOf('\n\n')
  if (paragraph >= half) return paragraph
  const sentence = lastEnd(window.slice(0, most + 1), /[.!?…。！？؟।]["'»”’)\]]*(?:\s?\[\d{1,2}\])*(?=\s)|[。！？]/gu)
  if (sentence >= half / 2) return sentence
  const line = window.lastIndexOf('\n')
  if (line >= half) return line
  const space = Math.max(window.lastIndexOf(' '), line)
  if (space > 0) return space
  return graphemeEnd(text, most)
}

/** Where the last match ends that leaves no more than the window holds; 0 where there is none. */
const lastEnd = (window: string, pattern: RegExp): number => {
  let end = 0
  for (const match of window.matchAll(pattern)) {
    const at = match.index + match[0].length
    if (at < window.length) end = at
  }
  return end
}

const segmenter = new Intl.Segmenter('en', { granularity: 'grapheme' })

const graphemeEnd = (text: string, most: number): number => {
  let end = 0
  for (const { index, segment } of segmenter.segment(text.slice(0, most + 64))) {
    const next = index + segment.length
    if (next > most) break
    end = next
  }
  // One character that is longer than a message: its parts are all that is left.
  return end > 0 ? end : most
}
