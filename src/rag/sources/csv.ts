import { CsvError, parse } from 'csv-parse/sync'
import { AppError } from '../../platform/errors.js'
import { makeOutline, oneLine, type Section } from './section.js'

const MOST_COLUMNS = 1_000
/** Characters of one row. */
const LONGEST_ROW = 500_000
const DELIMITERS = [',', ';', '\t', '|']
/** Rows by which the delimiter is told. */
const LOOK_ROWS = 20
/** From so many words in the usual row on, a row is a text of its own rather than a line of a table. */
const TELLING_WORDS = 40
/** A cell that may stand as a heading. */
const LONGEST_HEADING = 150

/**
 * A row of short cells becomes one line that says what each cell is (`Country: Norway; Days: 5`), so that it can be found and
 * quoted alone. A row of long cells (questions with their answers) becomes a section under its first cell.
 */
export const parseCsv = (text: string): Section[] => {
  const [first = [], ...rest] = rowsOf(text)
  const headed = rest.length > 0 && isHeader(first)
  const names = headed ? first.map(oneLine) : []
  const rows = headed ? rest : [first, ...rest]
  const outline = makeOutline()
  if (usualWords(rows) < TELLING_WORDS) {
    const lines = rows.map((row) => lineOf(row, names)).filter(Boolean)
    outline.block('list', lines.map((line) => `- ${line}`).join('\n'))
    return outline.sections
  }
  for (const row of rows) {
    const [key = '', ...others] = row
    const heading = oneLine(key)
    const keyed = others.length > 0 && heading.length > 0 && heading.length <= LONGEST_HEADING
    outline.heading(1, keyed ? heading : '')
    const filled = row.flatMap((cell, at) => (cell.trim() && !(keyed && at === 0) ? [{ cell, name: names[at] }] : []))
    for (const { cell, name } of filled) {
      for (const [at, paragraph] of cell.split(/\n\s*\n/u).entries()) {
        // A single text under its heading needs no name before it.
        const label = name && at === 0 && filled.length > 1 ? `${name}: ` : ''
        outline.block('prose', label + oneLine(paragraph))
      }
    }
  }
  return outline.sections
}

const lineOf = (row: readonly string[], names: readonly string[]): string =>
  row
    .map((cell, at) => ({ cell: oneLine(cell), name: names[at] }))
    .filter(({ cell }) => cell !== '')
    .map(({ cell, name }) => (name ? `${name}: ${cell}` : cell))
    .join('; ')

const usualWords = (rows: readonly string[][]): number => {
  const counts = rows.slice(0, 1_000).map((row) => row.join(' ').split(/\s+/u).length)
  return counts.sort((a, b) => a - b)[Math.floor(counts.length / 2)] ?? 0
}

/** The first row names the columns when it could: every cell short, different, and none of them a figure. */
const isHeader = (row: readonly string[]): boolean => {
  const cells = row.map((cell) => oneLine(cell).toLowerCase())
  return (
    new Set(cells).size === cells.length &&
    cells.every((cell) => cell !== '' && cell.length <= 80 && /\p{L}/u.test(cell) && !/^[\d.,:/%€$£+ -]+$/u.test(cell))
  )
}

const rowsOf = (text: string): string[][] => {
  const delimiter = delimiterOf(text)
  const options = {
    delimiter,
    relax_column_count: true,
    relax_quotes: true,
    skip_empty_lines: true,
    max_record_size: LONGEST_ROW,
    on_record: (row: string[]) => {
      if (row.length > MOST_COLUMNS) throw tooWide()
      return row
    },
  }
  try {
    return parse(text, options)
  } catch (error) {
    // A quote that is never closed is a sign of inches or a slip of the pen: then no quote means anything.
    if (!(error instanceof CsvError) || error.code === 'CSV_MAX_RECORD_SIZE') throw refused(error)
    try {
      return parse(text, { ...options, quote: false })
    } catch (again) {
      throw refused(again)
    }
  }
}

const refused = (error: unknown): unknown =>
  error instanceof CsvError && error.code === 'CSV_MAX_RECORD_SIZE' ? tooWide(error) : error

const tooWide = (cause?: unknown): AppError =>
  new AppError(
    'invalid',
    'table_too_wide',
    `A row of the table has more than ${MOST_COLUMNS} columns or ${LONGEST_ROW} characters. Leave out columns and upload it again.`,
    { field: 'file', cause },
  )

/** The sign that splits each of the first rows, and the most often. */
const delimiterOf = (text: string): string => {
  const rows = firstRows(text)
  const counts = DELIMITERS.map((delimiter) => ({
    delimiter,
    least: Math.min(...rows.map((row) => row.split(delimiter).length - 1)),
  }))
  return counts.reduce((best, each) => (each.least > best.least ? each : best)).delimiter
}

/** The first rows with what is quoted taken out, so that a comma inside of a cell does not count. */
const firstRows = (text: string): string[] =>
  text
    .slice(0, LONGEST_ROW)
    .replace(/"(?:[^"]|"")*"/gu, '')
    .split(/\r?\n/u, LOOK_ROWS + 1)
    .filter((row) => row.trim() !== '')
    .slice(0, LOOK_ROWS)
