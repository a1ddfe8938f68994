/** A message's text as parts to be drawn. Nothing in it is ever taken for HTML. */

export type Span =
  | { kind: 'text'; text: string }
  | { kind: 'strong'; text: string }
  | { kind: 'code'; text: string }
  | { kind: 'link'; text: string; href: string }
  /** `[n]`: rests on the n-th citation. */
  | { kind: 'mark'; citation: number }

export type Block =
  | { kind: 'paragraph'; spans: Span[] }
  | { kind: 'list'; ordered: boolean; start: number; items: Span[][] }
  | { kind: 'code'; text: string }

const INLINE = /`([^`\n]+)`|\*\*([^*\n]+)\*\*|\[(\d{1,2})\]|(https?:\/\/[^\s<>"'`]+)/g
const ITEM = /^\s*(?:[-*•]|(\d{1,3})[.)])\s+(.*)$/

/** `citations` is how many there are: a mark beyond them is text. */
export const blocksOf = (text: string, citations: number): Block[] => {
  const blocks: Block[] = []
  const lines = text.split('\n')
  for (let at = 0; at < lines.length; ) {
    const line = lines[at] ?? ''
    if (/^\s*```/.test(line)) {
      const end = lines.findIndex((other, index) => index > at && /^\s*```/.test(other))
      const last = end < 0 ? lines.length : end
      blocks.push({ kind: 'code', text: lines.slice(at + 1, last).join('\n') })
      // What stands behind the fence, such as the mark of its source, is not lost.
      const behind = (lines[last] ?? '').replace(/^\s*```/, '').trim()
      if (behind) blocks.push({ kind: 'paragraph', spans: spansOf(behind, citations) })
      at = last + 1
    } else if (ITEM.test(line)) {
      const items: Span[][] = []
      const first = ITEM.exec(line)?.[1]
      for (let item = ITEM.exec(line); item && Boolean(item[1]) === Boolean(first); item = ITEM.exec(lines[at] ?? '')) {
        items.push(spansOf(item[2] ?? '', citations))
        at += 1
      }
      blocks.push({ kind: 'list', ordered: first !== undefined, start: Number(first ?? 1), items })
    } else if (line.trim() === '') {
      at += 1
    } else {
      const from = at
      while (at < lines.length && lines[at]?.trim() && !ITEM.test(lines[at] ?? '') && !/^\s*```/.test(lines[at] ?? ''))
        at += 1
      blocks.push({ kind: 'paragraph', spans: spansOf(lines.slice(from, at).join('\n'), citations) })
    }
  }
  return blocks
}

const spansOf = (text: string, citations: number): Span[] => {
  const spans: Span[] = []
  let from = 0
  for (const match of text.matchAll(INLINE)) {
    const [whole, code, strong, mark, link] = match
    const span = spanOf({ code, strong, mark, link }, citations)
    if (!span) continue
    const end = match.index + (span.kind === 'link' ? span.text.length : whole.length)
    if (match.index > from) spans.push({ kind: 'text', text: text.slice(from, match.index) })
    spans.push(span)
    from = end
  }
  if (from < text.length) spans.push({ kind: 'text', text: text.slice(from) })
  return spans
}

type Found = Record<'code' | 'strong' | 'mark' | 'link', string | undefined>

const spanOf = ({ code, strong, mark, link }: Found, citations: number): Span | null => {
  if (code) return { kind: 'code', text: code }
  if (strong) return { kind: 'strong', text: strong }
  if (mark) return Number(mark) >= 1 && Number(mark) <= citations ? { kind: 'mark', citation: Number(mark) - 1 } : null
  // The sentence's own end is not part of an address.
  const address = (link ?? '').replace(/[.,;:!?)\]}»”’]+$/, '')
  return URL.canParse(address) ? { kind: 'link', text: address, href: address } : null
}
