import { AppError } from '../../platform/errors.js'
import { parseCsv } from './csv.js'
import { htmlToText, parseHtml } from './html.js'
import { parseMarkdown } from './markdown.js'
import { parsePlain } from './plain.js'
import { oneLine, type Section } from './section.js'

/** Formats in which a document is one text. */
export type Format = 'markdown' | 'html' | 'text' | 'csv'

const parsers = { markdown: parseMarkdown, html: parseHtml, text: parsePlain, csv: parseCsv } satisfies Record<
  Format,
  (text: string) => Section[]
>

/** Throws AppError `invalid` with a reason for people when there is nothing to read. */
export const parseSource = (text: string, format: Format): Section[] =>
  legibleOf(parsed(text.replace(/^\uFEFF/u, '').replace(/\r\n?/gu, '\n'), format))

/** Sections without what nobody can read in them. Throws `invalid` when nothing is left. */
export const legibleOf = (found: readonly Section[]): Section[] => {
  const legible = (words: string) => /[\p{L}\p{N}]/u.test(words)
  const sections = found
    .map(({ headings, blocks }) => ({ headings, blocks: blocks.filter((block) => legible(block.text)) }))
    .filter(({ blocks }) => blocks.length > 0)
  if (sections.length === 0) {
    // Headings without a word under them are still all that it says.
    const lines = found.map(({ headings }) => headings.at(-1) ?? '').filter(legible)
    if (lines.length > 0) return [{ headings: [], blocks: [{ kind: 'prose', text: lines.join('\n') }] }]
    throw new AppError('invalid', 'document_empty', 'The document contains no text that could be read.', {
      field: 'text',
    })
  }
  return sections
}

/** Deeper than any page that people write. Parsers recurse or take the square of the depth: what is deeper is refused unread. */
const DEEPEST_NESTING = 2_000

const parsed = (text: string, format: Format): Section[] => {
  const nested = new AppError(
    'invalid',
    'document_too_nested',
    'The document nests its elements too deeply to be read.',
    {
      field: 'text',
    },
  )
  if (format === 'html' && nesting(text) > DEEPEST_NESTING) throw nested
  try {
    return parsers[format](text)
  } catch (error) {
    if (error instanceof RangeError) throw nested
    throw error
  }
}

/** An upper bound: elements that are never closed count as open, but for the few that HTML closes by itself. */
const nesting = (html: string): number => {
  let depth = 0
  let deepest = 0
  for (const [tag] of html.matchAll(/<\/?[a-z][a-z0-9-]*/giu)) {
    if (/^<\/?(?:p|li|br|hr|img|input|link|meta|td|th|tr|dt|dd|option|source|wbr|col|area)$/iu.test(tag)) continue
    depth = tag.startsWith('</') ? Math.max(0, depth - 1) : depth + 1
    deepest = Math.max(deepest, depth)
  }
  return deepest
}

const HTML_START = /^\s*(?:<\?xml[^>]*>\s*)?(?:<!--[\s\S]{0,2000}?-->\s*)?<(?:!doctype html|html|head|body)\b/iu
const HTML_BLOCK = /<\/(?:p|div|h[1-6]|ul|ol|li|table|section|article)>/giu
const MARKDOWN_SIGNS = [
  /(?:^|\n\n)#{1,6} \S.*\n/u,
  /^#{1,6} [^\s#][^\n]*\n[\s\S]*^#{1,6} [^\s#][^\n]*\n/mu,
  /^(?:```|~~~)/mu,
  /\[[^\]\n]+\]\([^)\s]+\)/u,
  /(?:^|\n\n)(?:[-*+]|\d+[.)]) \S/u,
  /\*\*[^*\n]+\*\*/u,
  /^\|.+\|\n\|[ :|-]+\|$/mu,
]

/** A text is HTML or Markdown only when it clearly is: plain text read as markup loses more than markup read as text. */
export const detectFormat = (text: string, path = ''): Format => {
  if (/\.(?:md|markdown)$/iu.test(path)) return 'markdown'
  if (/\.html?$/iu.test(path)) return 'html'
  if (/\.txt$/iu.test(path)) return 'text'
  if (/\.[ct]sv$/iu.test(path)) return 'csv'
  const start = text.slice(0, 20_000)
  if (HTML_START.test(start) || (start.match(HTML_BLOCK)?.length ?? 0) >= 2) return 'html'
  return MARKDOWN_SIGNS.filter((sign) => sign.test(start)).length >= 2 ? 'markdown' : 'text'
}

/** The title that a source gives itself: its first heading of the highest level, or an HTML page's title. */
export const titleOf = (text: string, format: Format): string | undefined => {
  const start = text.slice(0, 20_000)
  const found =
    format === 'markdown'
      ? /^# +(.+?)\s*#*$/mu.exec(start)?.[1]
      : format === 'html'
        ? (/<title[^>]*>([^<]+)<\/title>/iu.exec(start)?.[1] ?? /<h1[^>]*>([\s\S]*?)<\/h1>/iu.exec(start)?.[1])
        : undefined
  return oneLine(htmlToText(found?.replace(/[`*_]/gu, '') ?? '')) || undefined
}
