import { AppError } from '../../platform/errors.js'
import { makeOutline, oneLine, type Section } from './section.js'

export const MOST_PAGES = 2_000

/** One line as it stands on the page; lengths are points, `y` grows upwards. */
type Line = { text: string; page: number; x: number; right: number; y: number; size: number }

export type ReadPdf = { sections: Section[]; pages: number; note: string | null }

/**
 * The words of a PDF page by page: lines become paragraphs, lists and headings by where they stand and how large they are; what
 * repeats at the edges of the pages is dropped. Columns are read as pdf.js gives them. Yields the share of pages that is done.
 * Throws `invalid` with a reason for people.
 */
export const parsePdf = async function* (bytes: Uint8Array): AsyncGenerator<number, ReadPdf> {
  const { getDocumentProxy } = await import('unpdf')
  const pdf = await getDocumentProxy(bytes, {
    // Errors only: pdf.js talks of fonts that nobody draws.
    verbosity: 0,
    isEvalSupported: false,
    disableFontFace: true,
    useSystemFonts: false,
  }).catch((error: unknown) => {
    throw refused(error)
  })
  const pages = pdf.numPages
  if (pages > MOST_PAGES) {
    throw bad(
      'pdf_too_many_pages',
      `The PDF has ${pages} pages, and at most ${MOST_PAGES} are read. Split it and upload the parts.`,
    )
  }
  const lines: Line[] = []
  const heights: number[] = []
  const broken: number[] = []
  const silent: number[] = []
  for (let number = 1; number <= pages; number += 1) {
    try {
      const page = await pdf.getPage(number)
      const { items } = await page.getTextContent()
      const { transform, height } = page.getViewport({ scale: 1 })
      const found = linesOf(items as TextItem[], number, { transform, height })
      if (!found.some(({ text }) => LEGIBLE.test(text))) silent.push(number)
      lines.push(...found)
      heights.push(height)
      page.cleanup()
    } catch {
      broken.push(number)
      heights.push(0)
    }
    yield number / pages
  }
  await pdf.loadingTask.destroy()
  if (broken.length === pages) throw damaged()
  const body = withoutEdges(lines, heights)
  if (!body.some(({ text }) => LEGIBLE.test(text))) throw scanned()
  return { sections: sectionsOf(body), pages, note: noteOf(pages, broken, silent) }
}

const LEGIBLE = /[\p{L}\p{N}]/u

type TextItem = { str?: string; transform?: number[]; width?: number; hasEOL?: boolean }

/** How a page is turned and where its corner is, so that lines lie as somebody sees them. */
type View = { transform: number[]; height: number }

const linesOf = (items: readonly TextItem[], page: number, view: View): Line[] => {
  const [va = 1, vb = 0, vc = 0, vd = 1, ve = 0, vf = 0] = view.transform
  const lines: Line[] = []
  let line: Line | undefined
  const end = () => {
    if (line?.text.trim()) lines.push({ ...line, text: line.text.replace(/\s+/gu, ' ').trim() })
    line = undefined
  }
  for (const { str = '', transform = [], width = 0, hasEOL } of items) {
    const [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0] = transform
    const x = va * e + vc * f + ve
    const y = view.height - (vb * e + vd * f + vf)
    const [along, across] = [va * a + vc * b, vb * a + vd * b]
    const size = Math.hypot(c, d)
    // What stands aslant is a watermark.
    const aslant = Math.abs(across) > 0.1 * Math.hypot(along, across)
    if (str && !aslant) {
      if (line && str.trim() && Math.abs(line.y - y) > Math.max(line.size, size)) end()
      if (!line) line = { text: '', page, x, right: x, y, size: 0 }
      line.text += str
      if (str.trim()) {
        line.size = Math.max(line.size, size)
        line.right = Math.max(line.right, x + width)
      }
    }
    if (hasEOL) end()
  }
  end()
  return lines
}

/** How much of a page's height, above and below, may hold what runs along on all pages. */
const EDGE = 0.12
/** On so many pages, and on this share of them, an edge's line runs along; left and right pages may differ. */
const RUNNING_PAGES = 3
const RUNNING_SHARE = 0.35

/** Without running headers, footers and page numbers. */
const withoutEdges = (lines: readonly Line[], heights: readonly number[]): Line[] => {
  const atEdge = ({ y, page }: Line): boolean => {
    const height = heights[page - 1] ?? 0
    return height > 0 && (y > height * (1 - EDGE) || y < height * EDGE)
  }
  const shape = ({ text }: Line) => text.replace(/\p{N}+/gu, '#').toLowerCase()
  const edges = lines.filter(atEdge)
  const counts = new Map<string, Set<number>>()
  for (const line of edges) counts.set(shape(line), (counts.get(shape(line)) ?? new Set()).add(line.page))
  const enough = Math.max(RUNNING_PAGES, heights.length * RUNNING_SHARE)
  const offset = numbering(edges, enough)
  const runsAlong = (line: Line): boolean =>
    (counts.get(shape(line))?.size ?? 0) >= enough ||
    (offset !== undefined && printedNumbers(line).some((printed) => line.page - printed === offset))
  return lines.filter((line) => !atEdge(line) || !runsAlong(line))
}

/** A number before or behind the words of a line, as pages are numbered beside the title of their chapter. */
const printedNumbers = ({ text }: Line): number[] =>
  [/^(\d{1,4})(?!\S)/u, /(?<!\S)(\d{1,4})$/u].flatMap((place) => {
    const number = place.exec(text)?.[1]
    return number === undefined ? [] : [Number(number)]
  })

/** By how much the printed numbers lag behind the pages, where enough pages print one. */
const numbering = (edges: readonly Line[], enough: number): number | undefined => {
  const pages = new Map<number, Set<number>>()
  for (const line of edges) {
    for (const printed of printedNumbers(line)) {
      const offset = line.page - printed
      pages.set(offset, (pages.get(offset) ?? new Set()).add(line.page))
    }
  }
  const [best] = [...pages].sort((a, b) => b[1].size - a[1].size)
  return best && best[1].size >= enough ? best[0] : undefined
}

const LIST_MARK = /^(?:[•▪◦‣●○■□–·*]|-(?=\s)|\(?(?:\d{1,3}|[a-z])[.)](?=\s))\s*(?=\S)/u
const ENDS = /[.!?:;。！？]["'”’)\]]*$/u
/** Larger than the running text by this, a line is a heading. */
const LARGER = 1.12
const LONGEST_HEADING = 120
/** Where more of the text than this would be headings, sizes tell nothing. */
const MOST_HEADINGS = 0.3

const sectionsOf = (lines: readonly Line[]): Section[] => {
  const outline = makeOutline()
  const levelOf = headingLevels(lines)
  const pitch = usualPitch(lines)
  const hyphenated = new Set(lines.flatMap(({ text }) => text.toLowerCase().match(/\p{L}+-\p{L}+/gu) ?? []))
  const right = lines.reduce((most, line) => Math.max(most, line.right), 0)
  let open: { kind: 'prose' | 'list' | 'heading'; level: number; lines: Line[]; page: number } | undefined
  const close = () => {
    if (!open) return
    const text = joined(open.lines, hyphenated)
    if (open.kind === 'heading') outline.heading(open.level, text)
    else outline.block(open.kind, open.kind === 'list' ? text.replace(LIST_MARK, itemMark) : text, open.page)
    open = undefined
  }
  for (const line of lines) {
    const level = levelOf(line)
    const last = open?.lines.at(-1)
    if (!open || !last || !goesOn(last, line, open, level)) {
      close()
      const kind = level > 0 ? 'heading' : LIST_MARK.test(line.text) ? 'list' : 'prose'
      open = { kind, level, lines: [], page: line.page }
    }
    open.lines.push(line)
  }
  close()
  return mergeLists(outline.sections)

  /** Whether a line belongs to the paragraph, the item or the heading before it. */
  function goesOn(
    last: Line,
    line: Line,
    { kind, level: openLevel }: NonNullable<typeof open>,
    level: number,
  ): boolean {
    if (level !== openLevel || LIST_MARK.test(line.text)) return false
    const gap = last.y - line.y
    const together = line.page === last.page && gap > -0.1 * last.size && gap <= Math.max(pitch, last.size * 1.1) * 1.35
    if (kind === 'heading') return together || (line.page === last.page && gap > 0 && gap < last.size * 1.6)
    // Over the end of a column or a page a paragraph goes on when its sentence does.
    if (!together) return !ENDS.test(last.text) && /^[\p{Ll}\p{N}(]/u.test(line.text) && movedOn(last, line)
    // A short last line, or an indented first one, parts paragraphs that no blank line parts.
    const short = ENDS.test(last.text) && last.right < right * 0.7 && last.right < line.right * 0.8
    const indented = kind === 'prose' && ENDS.test(last.text) && line.x > last.x + line.size * 0.8
    return !short && !indented
  }
}

/** To the next page, or up to the next column; not down over a blank. */
const movedOn = (last: Line, line: Line): boolean => line.page > last.page || line.y > last.y

const itemMark = (mark: string): string => (/[\p{L}\p{N}]/u.test(mark) ? `${mark.trim()} ` : '- ')

/** One block for items that follow each other. */
const mergeLists = (sections: Section[]): Section[] =>
  sections.map(({ headings, blocks }) => {
    const merged: Section['blocks'] = []
    for (const block of blocks) {
      const last = merged.at(-1)
      if (block.kind === 'list' && last?.kind === 'list') last.text += `\n${block.text}`
      else merged.push({ ...block })
    }
    return { headings, blocks: merged }
  })

/** Words that a line's end tore apart grow together, unless the document writes them with a hyphen elsewhere. */
const joined = (lines: readonly Line[], hyphenated: ReadonlySet<string>): string => {
  let text = ''
  for (const [at, { text: line }] of lines.entries()) {
    const next = lines[at + 1]?.text ?? ''
    const rest = /^\p{Ll}+/u.exec(next.slice(0, LONGEST_WORD))
    // Only the line's end is looked at: a paragraph may be a whole book.
    const torn = rest && /(\p{L}+)[-‐\u00AD]$/u.exec(line.slice(-LONGEST_WORD))
    if (!torn) text += `${line} `
    else if (line.endsWith('\u00AD') || !hyphenated.has(`${torn[1]}-${rest[0]}`.toLowerCase()))
      text += line.slice(0, -1)
    else text += line
  }
  return oneLine(text).replaceAll('\u00AD', '')
}
const LONGEST_WORD = 80

/** 0 for running text; 1 for the largest headings. */
const headingLevels = (lines: readonly Line[]): ((line: Line) => number) => {
  const letters = new Map<number, number>()
  let all = 0
  const sizeOf = ({ size }: Line) => Math.round(size * 2) / 2
  for (const line of lines) {
    letters.set(sizeOf(line), (letters.get(sizeOf(line)) ?? 0) + line.text.length)
    all += line.text.length
  }
  const [body] = [...letters].reduce((most, each) => (each[1] > most[1] ? each : most), [0, 0])
  const larger = (line: Line) =>
    sizeOf(line) >= body * LARGER && line.text.length <= LONGEST_HEADING && /\p{L}{2}/u.test(line.text)
  const headings = lines.filter(larger)
  if (headings.reduce((sum, { text }) => sum + text.length, 0) > all * MOST_HEADINGS) return () => 0
  const sizes = [...new Set(headings.map(sizeOf))].sort((a, b) => b - a)
  return (line) => (larger(line) ? Math.min(sizes.indexOf(sizeOf(line)) + 1, 6) : 0)
}

/** From line to line in running text. */
const usualPitch = (lines: readonly Line[]): number => {
  const gaps: number[] = []
  for (const [at, line] of lines.entries()) {
    const gap = (lines[at - 1]?.y ?? 0) - line.y
    if (lines[at - 1]?.page === line.page && gap > line.size * 0.8 && gap < line.size * 2.2) gaps.push(gap)
  }
  // The usual gap, leaning towards the narrow ones: those between paragraphs are wider.
  return gaps.sort((a, b) => a - b)[Math.floor(gaps.length * 0.4)] ?? 0
}

/** From this share of pages on, missing words are worth a word. */
const NOTED_SHARE = 0.2

const noteOf = (pages: number, broken: readonly number[], silent: readonly number[]): string | null => {
  const notes = [
    ...(broken.length > 0
      ? [`${broken.length} of ${pages} pages are damaged and were left out: ${listed(broken)}.`]
      : []),
    ...(silent.length >= pages * NOTED_SHARE
      ? [`${silent.length} of ${pages} pages hold no text that could be read; they may be pictures: ${listed(silent)}.`]
      : []),
  ]
  return notes.join(' ') || null
}

const listed = (numbers: readonly number[]): string =>
  numbers.slice(0, 10).join(', ') + (numbers.length > 10 ? ', …' : '')

const refused = (error: unknown): AppError => {
  switch (error instanceof Error ? error.name : '') {
    case 'PasswordException':
      return bad('pdf_locked', 'The PDF is protected by a password. Remove the protection and upload it again.', error)
    default:
      return damaged(error)
  }
}

const damaged = (cause?: unknown): AppError =>
  bad('pdf_damaged', 'The PDF is damaged and cannot be read. Export or save it again and upload the new file.', cause)

const scanned = (): AppError =>
  bad(
    'pdf_scanned',
    'The PDF seems to hold scanned pictures only: no text could be read. Run text recognition (OCR) on it and upload it again.',
  )

const bad = (code: string, message: string, cause?: unknown): AppError =>
  new AppError('invalid', code, message, { field: 'file', cause })
