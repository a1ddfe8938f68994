/**
 * The shape that every source format becomes: plain text only, no markup survives. A list is one item a line (`- ` or `1. `,
 * nested ones indented), a table one row a line with ` | ` between the cells, the header first.
 */
export type BlockKind = 'prose' | 'list' | 'code' | 'table'
/** `page`: where it begins, from 1, in formats that have pages. */
export type Block = { kind: BlockKind; text: string; page?: number }
export type Section = { headings: string[]; blocks: Block[] }

/** Builds sections from a flat walk over a document: a heading closes what is deeper than itself. */
export const makeOutline = () => {
  const sections: Section[] = []
  const path: { level: number; text: string }[] = []
  let current: Section = { headings: [], blocks: [] }
  sections.push(current)
  return {
    sections,
    heading: (level: number, text: string) => {
      while ((path.at(-1)?.level ?? 0) >= level) path.pop()
      if (text) path.push({ level, text })
      current = { headings: path.map((heading) => heading.text), blocks: [] }
      sections.push(current)
    },
    block: (kind: BlockKind, text: string, page?: number) => {
      const trimmed = kind === 'code' ? text.replace(/^\n+|\s+$/gu, '') : text.trim()
      if (trimmed) current.blocks.push({ kind, text: trimmed, ...(page === undefined ? {} : { page }) })
    },
  }
}

/** One line of running text: white space of the source means nothing in it. */
export const oneLine = (text: string): string => text.replace(/\s+/gu, ' ').trim()
