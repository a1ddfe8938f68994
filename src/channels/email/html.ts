import sanitizeHtml from 'sanitize-html'

/**
 * A mail's HTML: cleaned once on the way in, so that no copy of it that is kept can run, load, submit or disguise anything, and once
 * more on the way out: by then the rules may be better than when it came.
 */

export type CleanHtml = {
  html: string
  /** Pictures that would have been fetched from somewhere: they are shown only when an agent asks for them. */
  remoteImages: number
  /** Pictures too small to be seen: they were dropped. */
  trackingPixels: number
}

/** Beyond this the rest is left out: nobody wrote it by hand. */
export const LONGEST_HTML = 512 * 1024
const MOST_TAGS = 60_000
const MOST_OPEN = 3_000

/**
 * The part of a page that may be read: parsers take a time for each tag that grows with those that are open. Tags that end
 * by themselves do not count.
 */
export const bounded = (html: string): string => {
  const page = html.slice(0, LONGEST_HTML)
  let tags = 0
  let open = 0
  for (const tag of page.matchAll(/<(\/?)([a-z][a-z0-9]*)/giu)) {
    tags += 1
    if (!ENDS_ITSELF.test(tag[2] ?? '')) open = Math.max(0, open + (tag[1] ? -1 : 1))
    if (tags > MOST_TAGS || open > MOST_OPEN) return page.slice(0, tag.index)
  }
  return page
}

const ENDS_ITSELF =
  /^(?:area|base|br|col|embed|hr|img|input|link|meta|param|source|track|wbr|p|li|td|th|tr|dd|dt|option)$/iu

/** A table in a table in a table is how newsletters are laid out; this is deeper than any of them. */
const DEEPEST = 100

const TEXT_TAGS = [
  ...[
    'a',
    'abbr',
    'address',
    'b',
    'bdi',
    'blockquote',
    'br',
    'caption',
    'center',
    'cite',
    'code',
    'col',
    'colgroup',
    'dd',
  ],
  ...[
    'del',
    'dfn',
    'div',
    'dl',
    'dt',
    'em',
    'figcaption',
    'figure',
    'font',
    'h1',
    'h2',
    'h3',
    'h4',
    'h5',
    'h6',
    'hr',
    'i',
  ],
  ...[
    'img',
    'ins',
    'kbd',
    'li',
    'mark',
    'ol',
    'p',
    'pre',
    'q',
    's',
    'samp',
    'small',
    'span',
    'strike',
    'strong',
    'sub',
  ],
  ...['sup', 'table', 'tbody', 'td', 'tfoot', 'th', 'thead', 'tr', 'tt', 'u', 'ul', 'var', 'wbr'],
]

export const UNREAD_TAGS = [
  'script',
  'style',
  'textarea',
  'option',
  'noscript',
  'title',
  'head',
  'template',
  'xmp',
  'noembed',
  'noframes',
  'svg',
  'math',
]

const COLOUR = [/^#[0-9a-f]{3,8}$/iu, /^rgb\(\s*\d{1,3}\s*,\s*\d{1,3}\s*,\s*\d{1,3}\s*\)$/iu, /^[a-z]{3,20}$/iu]
const LENGTH = [/^\d{1,3}(?:\.\d{1,2})?(?:px|pt|em|%)$/iu]

/** Nothing that moves, covers, hides or fetches: no position, no display, no url(). */
const STYLES = {
  '*': {
    color: COLOUR,
    'background-color': COLOUR,
    'font-weight': [/^(?:bold|normal|[1-9]00)$/iu],
    'font-style': [/^(?:italic|normal)$/iu],
    'text-decoration': [/^(?:underline|line-through|none)$/iu],
    'text-align': [/^(?:left|right|center|justify|start|end)$/iu],
    'padding-left': LENGTH,
    'margin-left': LENGTH,
  },
}

/** Of a picture that an agent may fetch later: its address, where a browser does not look for one. */
const REMOTE_IMAGE = 'data-remote-src'
/** Of a picture that came with the mail: its Content-ID. */
const INLINE_IMAGE = 'data-cid'

export const sanitiseHtml = (html: string): CleanHtml => clean(html, 'as_sent')

/** Of HTML that was cleaned before: what was said there of its pictures stays. */
export const sanitiseAgain = (kept: string): string => clean(kept, 'kept').html

const clean = (html: string, given: 'as_sent' | 'kept'): CleanHtml => {
  let remoteImages = 0
  let trackingPixels = 0
  const cleaned = sanitizeHtml(bounded(html), {
    allowedTags: TEXT_TAGS,
    nonTextTags: UNREAD_TAGS,
    allowedAttributes: {
      a: ['href', 'title', 'rel', 'target'],
      img: [REMOTE_IMAGE, INLINE_IMAGE, 'alt', 'title', 'width', 'height'],
      td: ['colspan', 'rowspan', 'align', 'valign'],
      th: ['colspan', 'rowspan', 'align', 'valign'],
      ol: ['start', 'type'],
      table: ['border', 'cellpadding', 'cellspacing', 'width'],
      font: ['color'],
      blockquote: ['type'],
      '*': ['style', 'dir', 'lang'],
    },
    allowedStyles: STYLES,
    allowedSchemes: ['http', 'https', 'mailto'],
    allowedSchemesAppliedToAttributes: ['href'],
    allowProtocolRelative: false,
    nestingLimit: DEEPEST,
    disallowedTagsMode: 'discard',
    enforceHtmlBoundary: false,
    transformTags: {
      a: (tagName, { href, title }) => ({
        tagName,
        attribs: {
          ...(href && { href: href.trim(), rel: 'noopener noreferrer nofollow', target: '_blank' }),
          ...(title && { title }),
        },
      }),
      img: (tagName, attribs) => {
        const source = (attribs.src ?? '').trim()
        const {
          src: _src,
          srcset: _srcset,
          style: _style,
          [REMOTE_IMAGE]: remote = '',
          [INLINE_IMAGE]: inline,
          ...kept
        } = attribs
        if (given === 'kept') {
          if (inline) return { tagName, attribs: { ...kept, [INLINE_IMAGE]: inline } }
          return { tagName, attribs: WEB.test(remote) ? { ...kept, [REMOTE_IMAGE]: remote } : kept }
        }
        if (/^cid:/iu.test(source)) return { tagName, attribs: { ...kept, [INLINE_IMAGE]: contentId(source.slice(4)) } }
        if (isTiny(attribs)) {
          trackingPixels += 1
          return { tagName: 'dropped', attribs: {} }
        }
        if (!WEB.test(source)) return { tagName, attribs: kept }
        remoteImages += 1
        return { tagName, attribs: { ...kept, [REMOTE_IMAGE]: source.slice(0, 2_000) } }
      },
    },
  })
  return { html: cleaned.trim(), remoteImages, trackingPixels }
}

const WEB = /^https?:\/\//iu

const contentId = (coded: string): string => {
  try {
    return decodeURIComponent(coded)
  } catch {
    return coded
  }
}

const isTiny = ({ width, height, style }: Record<string, string>): boolean => {
  const small = (size: string | undefined) => size !== undefined && /^\s*[0-3](?:\.\d+)?(?:px)?\s*$/iu.test(size)
  if (small(width) || small(height)) return true
  return /(?:^|[;\s])(?:max-)?(?:width|height)\s*:\s*[0-3](?:px)?\s*(?:!important)?\s*(?:;|$)|display\s*:\s*none|visibility\s*:\s*hidden|opacity\s*:\s*0(?:\.0+)?\s*(?:;|$)/iu.test(
    (style ?? '').slice(0, 1_000),
  )
}
