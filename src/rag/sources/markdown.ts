import { Lexer, type Token, type Tokens } from 'marked'
import { htmlToText } from './html.js'
import { makeOutline, oneLine, type Section } from './section.js'

/** Reads the lexer's tokens, never its HTML: nothing that a document says is rendered. */
export const parseMarkdown = (text: string): Section[] => {
  const outline = makeOutline()
  const body = text.replace(/^---\n[\s\S]*?\n---\n/u, '')
  for (const token of Lexer.lex(body, { gfm: true })) addBlock(token)
  return outline.sections

  function addBlock(token: Tokens.Generic) {
    switch (token.type) {
      case 'heading':
        return outline.heading((token as Tokens.Heading).depth, oneLine(inline(token.tokens ?? [])))
      case 'code':
        return outline.block('code', (token as Tokens.Code).text)
      case 'list':
        return outline.block('list', listLines(token as Tokens.List, '').join('\n'))
      case 'table':
        return outline.block('table', tableLines(token as Tokens.Table).join('\n'))
      case 'blockquote':
        return (token.tokens ?? []).forEach((inner) => addBlock(inner))
      case 'html':
        return outline.block('prose', htmlToText(token.raw))
      case 'space':
      case 'hr':
      case 'def':
        return
      default:
        return outline.block('prose', paragraph(token))
    }
  }
}

const paragraph = (token: Tokens.Generic): string => lines(token.tokens ? inline(token.tokens) : (token.text as string))

/** A hard break stays a line break; a soft one is white space. */
const lines = (text: string): string => text.split('\u2028').map(oneLine).filter(Boolean).join('\n')

const listLines = (list: Tokens.List, indent: string): string[] =>
  list.items.flatMap((item, index) => {
    const mark = list.ordered ? `${Number(list.start || 1) + index}. ` : '- '
    const deeper = `${indent}${' '.repeat(mark.length)}`
    const own: string[] = []
    const rest: string[] = []
    for (const token of item.tokens as Tokens.Generic[]) {
      if (token.type === 'list') rest.push(...listLines(token as Tokens.List, deeper))
      else if (token.type === 'code') rest.push(...(token as Tokens.Code).text.split('\n').map((line) => deeper + line))
      else if (token.type === 'table') rest.push(...tableLines(token as Tokens.Table).map((line) => deeper + line))
      else if (token.type === 'html') own.push(oneLine(htmlToText(token.raw)))
      else if (token.type !== 'space') own.push(oneLine(paragraph(token)))
    }
    return [`${indent}${mark}${own.filter(Boolean).join(' ')}`, ...rest]
  })

const tableLines = (table: Tokens.Table): string[] =>
  [table.header, ...table.rows].map((row) => row.map((cell) => oneLine(inline(cell.tokens))).join(' | '))

const inline = (list: Token[]): string =>
  list
    .map((token) => {
      const generic = token as Tokens.Generic
      switch (generic.type) {
        case 'br':
          return '\u2028'
        case 'html':
          return /^<br\b/iu.test(generic.raw) ? '\u2028' : htmlToText(generic.raw)
        case 'image':
          return (generic as Tokens.Image).text
        case 'checkbox':
          return ''
        case 'codespan':
          return (generic as Tokens.Codespan).text
        default:
          return generic.tokens ? inline(generic.tokens) : decode((generic.text as string | undefined) ?? '')
      }
    })
    .join('')

/** The lexer leaves entities of running text as they were typed. */
const decode = (text: string): string => (text.includes('&') ? htmlToText(text.replaceAll('<', '&lt;')) : text)
