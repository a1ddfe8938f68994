import { load } from 'cheerio/slim'
import { bounded, UNREAD_TAGS } from './html.js'

const BLOCKS = new Set([
  ...[
    'address',
    'article',
    'aside',
    'blockquote',
    'body',
    'center',
    'dd',
    'div',
    'dl',
    'dt',
    'fieldset',
    'figure',
    'footer',
  ],
  ...[
    'form',
    'header',
    'html',
    'li',
    'main',
    'nav',
    'ol',
    'pre',
    'section',
    'table',
    'tbody',
    'tfoot',
    'thead',
    'tr',
    'ul',
  ],
])
const PARAGRAPHS = new Set(['p', 'h1', 'h2', 'h3', 'h4', 'h5', 'h6'])
const UNREAD = new Set([
  ...UNREAD_TAGS,
  'base',
  'link',
  'meta',
  'object',
  'audio',
  'video',
  'canvas',
  'iframe',
  'select',
  'button',
])

/** Where clients put what they quote, when not into a blockquote. */
const QUOTE_CLASS =
  /(?:^|\s)(?:yahoo_quoted|protonmail_quote|tutanota_quote|zmail_extra|ms-outlook-mobile-reference-message|AppleOriginalContents|mail_android_quote|hey_quote|skiff_quote)(?:\s|$)/iu
const QUOTE_ID =
  /^(?:mail-editor-reference-message-container|OLK_SRC_BODY_SECTION|isReplyContent|reply-intro|yahoo_quoted_\d+)$/iu
/** Where they put a signature. */
const SIGNATURE_CLASS =
  /(?:^|\s)(?:gmail_signature|gmail_signature_prefix|moz-signature|protonmail_signature_block(?:-user|-proton)?|zmail_signature)(?:\s|$)/iu
const SIGNATURE_ID =
  /^(?:x_)?(?:Signature|ms-outlook-mobile-signature|AppleMailSignature|mail_signature|Zm-_Id_-Sgn)$/iu

type Node = {
  type: string
  data?: string
  name?: string
  attribs?: Record<string, string>
  children?: Node[]
}

export type HtmlText = {
  text: string
  /** The same without what the client marks as the writer's signature. */
  unsigned: string
}

/** The words of a page as a plain mail would carry them: what is quoted stands behind `> `. Total, and linear in the length. */
export const readHtml = (html: string): HtmlText => {
  const document = load(bounded(html), { xml: { xmlMode: false, decodeEntities: true } })
  const root = document.root()[0] as unknown as Node
  const text = writeText(root, false)
  return { text, unsigned: writeText(root, true) }
}

type Step = { node: Node; pre: boolean } | { leave: () => void }

/** With a stack of its own: a hostile page nests deeper than calls can. */
const writeText = (root: Node, leaveOutSignatures: boolean): string => {
  const page = makePage()
  const steps: Step[] = [{ node: root, pre: false }]
  for (let step = steps.pop(); step; step = steps.pop()) {
    if ('leave' in step) {
      step.leave()
      continue
    }
    const { node, pre } = step
    if (node.type === 'text') {
      page.write(node.data ?? '', pre)
      continue
    }
    const name = node.name?.toLowerCase() ?? ''
    const attribs = node.attribs ?? {}
    if (!['tag', 'root'].includes(node.type) || UNREAD.has(name) || isHidden(attribs)) continue
    if (leaveOutSignatures && isSignature(attribs)) continue
    if (name === 'br') {
      page.lineBreak()
      continue
    }
    if (name === 'hr') {
      page.rule()
      continue
    }
    const quote = name === 'blockquote' ? true : isQuote(attribs)
    const block = quote || BLOCKS.has(name)
    if (PARAGRAPHS.has(name)) page.paragraph()
    else if (block) page.block()
    if (quote) page.deeper(1)
    if (name === 'li') page.write('- ', true)
    if (name === 'td' || name === 'th') page.cell()
    steps.push({
      leave: () => {
        if (PARAGRAPHS.has(name)) page.paragraph()
        else if (block) page.block()
        if (quote) page.deeper(-1)
      },
    })
    const children = node.children ?? []
    for (let at = children.length - 1; at >= 0; at -= 1)
      steps.push({ node: children[at] as Node, pre: pre || name === 'pre' })
  }
  return page.text()
}

const isHidden = ({ style, hidden }: Record<string, string>): boolean =>
  hidden !== undefined ||
  (style !== undefined &&
    /display\s*:\s*none|visibility\s*:\s*hidden|mso-hide\s*:\s*all|font-size\s*:\s*0(?:px|pt)?\s*(?:;|$)/iu.test(
      style.slice(0, 2_000),
    ))

const isQuote = ({ class: names, id }: Record<string, string>): boolean =>
  (names !== undefined && QUOTE_CLASS.test(names.slice(0, 500))) ||
  (id !== undefined && QUOTE_ID.test(id.slice(0, 100)))

const isSignature = (attribs: Record<string, string>): boolean =>
  attribs['data-signatureblock'] === 'true' ||
  (attribs.class !== undefined && SIGNATURE_CLASS.test(attribs.class.slice(0, 500))) ||
  (attribs.id !== undefined && SIGNATURE_ID.test(attribs.id.slice(0, 100)))

const DEEPEST_QUOTE = 10

const makePage = () => {
  const lines: string[] = []
  let line = ''
  let depth = 0
  let wantsSpace = false
  /** Empty lines that a paragraph asks for: never two, and none where the writer's own already stand. */
  let gap = false

  const prefix = () => '> '.repeat(Math.min(depth, DEEPEST_QUOTE))
  const isEmpty = (index: number) => /^[> ]*$/u.test(lines[index] ?? '')
  const end = () => {
    lines.push((prefix() + line).replace(/\u00a0/gu, ' ').trimEnd())
    line = ''
    wantsSpace = false
  }
  const endIfBegun = () => {
    if (line) end()
    wantsSpace = false
  }
  const open = () => {
    if (gap && lines.length > 0 && !isEmpty(lines.length - 1)) lines.push(prefix().trimEnd())
    gap = false
  }
  return {
    write: (text: string, pre: boolean) => {
      if (pre) {
        const [first = '', ...rest] = text.split(/\r\n|\n|\r/u)
        if (first) open()
        line += first
        for (const more of rest) {
          end()
          line = more
        }
        return
      }
      const words = text.replace(/[ \t\r\n\f]+/gu, ' ')
      const bare = words.replace(/^ | $/gu, '')
      if (words.startsWith(' ')) wantsSpace = true
      if (!bare) return
      open()
      if (wantsSpace && line && !line.endsWith(' ')) line += ' '
      line += bare
      wantsSpace = words.endsWith(' ')
    },
    lineBreak: () => {
      gap = false
      end()
    },
    rule: () => {
      endIfBegun()
      line = '----------'
      end()
    },
    block: endIfBegun,
    paragraph: () => {
      endIfBegun()
      gap = true
    },
    cell: () => {
      if (line) wantsSpace = true
    },
    deeper: (by: 1 | -1) => {
      depth += by
    },
    text: () => {
      endIfBegun()
      return lines
        .join('\n')
        .replace(/\n{4,}/gu, '\n\n\n')
        .trim()
    },
  }
}
