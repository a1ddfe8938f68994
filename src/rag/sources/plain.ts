import { makeOutline, oneLine, type Section } from './section.js'

const ITEM = /^\s*(?:[-*•–]|\d{1,3}[.)])\s+\S/u
/** Lines at least this long were broken by an editor, not by the writer. */
const WRAPPED_LENGTH = 50

/** Paragraphs stand between blank lines; list lines stay lines; lines that an editor wrapped become one again. */
export const parsePlain = (text: string): Section[] => {
  const outline = makeOutline()
  for (const paragraph of text.split(/\n\s*\n/u)) {
    const lines = paragraph.split('\n').filter((line) => line.trim())
    const firstItem = lines.findIndex((line) => ITEM.test(line))
    if (firstItem >= 0 && lines.filter((line) => ITEM.test(line)).length >= 2) {
      outline.block('prose', joinProse(lines.slice(0, firstItem)))
      outline.block('list', joinItems(lines.slice(firstItem)))
    } else {
      outline.block('prose', joinProse(lines))
    }
  }
  return outline.sections
}

const joinProse = (lines: string[]): string => {
  const wrapped =
    lines.length > 1 && lines.slice(0, -1).every((line) => line.length >= WRAPPED_LENGTH && line.length <= 100)
  return lines.map(oneLine).join(wrapped ? ' ' : '\n')
}

const joinItems = (lines: string[]): string =>
  lines.map((line) => (ITEM.test(line) ? oneLine(line) : `  ${oneLine(line)}`)).join('\n')
