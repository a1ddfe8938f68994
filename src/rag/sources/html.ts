import { load, type Cheerio, type CheerioAPI } from 'cheerio'
import { makeOutline, oneLine, type Section } from './section.js'

type Node = ReturnType<ReturnType<CheerioAPI['root']>['contents']> extends Cheerio<infer N> ? N : never

/** DOM's number of a text node. */
const TEXT = 3

/** What nobody reads as the page's own words. */
const NOISE =
  'script, style, noscript, template, iframe, object, embed, svg, canvas, nav, form, button, select, input, textarea, dialog, [hidden], [aria-hidden=true], head > *:not(title), body > header, body > footer, [role=navigation], [role=banner], [role=contentinfo]'
const BLOCKS = new Set(
  'address article aside blockquote body center dd details div dl dt fieldset figcaption figure footer header hgroup html li main p root section summary td th tr tbody thead'.split(
    ' ',
  ),
)

/** Deeper than any page that people write; what lies deeper is read as one block, so that no nesting exhausts the stack. */
const DEEPEST = 200

/** Headings, paragraphs, lists and tables of a page as plain text; scripts, styles and navigation are gone. */
export const parseHtml = (html: string): Section[] => {
  const $ = load(html)
  $(NOISE).remove()
  const outline = makeOutline()
  let pending = ''
  const flush = () => {
    for (const line of pending.split('\u2028')) outline.block('prose', oneLine(line))
    pending = ''
  }
  const main = $('main, [role=main], article').first()
  walk((main.length && oneLine(textOf(main.get(0))).length > 200 ? main : $('body')).get(0), 0)
  flush()
  return outline.sections

  function walk(node: Node | undefined, depth: number): void {
    if (!node) return
    if ('data' in node && node.nodeType === TEXT) {
      pending += node.data
      return
    }
    if (!('name' in node && 'children' in node)) return
    const element = $(node)
    const name = node.name
    const heading = /^h([1-6])$/u.exec(name)
    if (heading) {
      flush()
      outline.heading(Number(heading[1]), oneLine(textOf(node)))
    } else if (name === 'ul' || name === 'ol') {
      flush()
      outline.block('list', listLines(element, name === 'ol', '', depth).join('\n'))
    } else if (name === 'table' && element.find('table, h1, h2, h3, ul, ol, p + p').length === 0) {
      flush()
      outline.block('table', tableLines(element).join('\n'))
    } else if (name === 'pre') {
      flush()
      outline.block('code', textOf(node))
    } else if (name === 'br') {
      pending += '\u2028'
    } else if (name === 'img') {
      pending += ` ${element.attr('alt') ?? ''} `
    } else if (depth > DEEPEST) {
      pending += ` ${textOf(node)} `
    } else {
      const block = BLOCKS.has(name)
      if (block) flush()
      for (const child of node.children) walk(child, depth + 1)
      if (block) flush()
    }
  }

  function listLines(list: ReturnType<CheerioAPI>, ordered: boolean, indent: string, depth: number): string[] {
    let number = Number(list.attr('start') ?? 1) || 1
    return list
      .children('li')
      .toArray()
      .flatMap((item) => {
        const mark = ordered ? `${number++}. ` : '- '
        const own = $(item).clone()
        own.find('ul, ol').remove()
        const nested =
          depth > DEEPEST
            ? []
            : $(item)
                .find('> ul, > ol')
                .toArray()
                .flatMap((inner) =>
                  listLines($(inner), inner.name === 'ol', indent + ' '.repeat(mark.length), depth + 1),
                )
        return [`${indent}${mark}${oneLine(textOf(own.get(0)))}`, ...nested]
      })
  }

  function tableLines(table: ReturnType<CheerioAPI>): string[] {
    return table
      .find('tr')
      .toArray()
      .map((row) =>
        $(row)
          .children('th, td')
          .toArray()
          .map((cell) => oneLine(textOf(cell)))
          .join(' | '),
      )
      .filter((line) => /[\p{L}\p{N}]/u.test(line))
  }
}

/** A fragment as text: tags gone, entities decoded. What a tag hides (a script's body) is gone too. */
export const htmlToText = (fragment: string): string => {
  const $ = load(fragment, null, false)
  $('script, style, template').remove()
  return textOf($.root().get(0))
}

/** Cheerio's own `text()` recurses, and a page that nests a hundred thousand elements would exhaust the stack. */
const textOf = (root: Node | undefined): string => {
  let text = ''
  const waiting: Node[] = root ? [root] : []
  for (let node = waiting.pop(); node; node = waiting.pop()) {
    if ('data' in node && node.nodeType === TEXT) text += node.data
    else if ('children' in node)
      for (let index = node.children.length - 1; index >= 0; index--) waiting.push(node.children[index] as Node)
  }
  return text
}
