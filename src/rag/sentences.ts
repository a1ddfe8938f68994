/** A stretch of text, `end` exclusive. */
export type Span = { start: number; end: number }

const segmenter = new Intl.Segmenter('en', { granularity: 'sentence' })

/** After these a full stop ends no sentence (lower case, without the stop). */
const ABBREVIATIONS = new Set(
  `e.g i.e etc vs cf ca approx no nr fig sec ch vol pp p mr mrs ms dr prof st jr sr inc ltd co corp dept est gen col sgt capt rev
  hon u.s u.k a.m p.m jan feb mar apr jun jul aug sep sept oct nov dec z.b d.h u.a bzw usw ggf evtl vgl abs art bd sog s.o s.u
  inkl zzgl mio mrd hr fr str sra sres dra ud uds ej p.ej aprox núm pág av ee.uu a.c d.c mme mlle sig ecc es ex tel min max`.split(
    /\s+/u,
  ),
)

const ORDINAL_FOLLOWERS = /^(?:Jan|Feb|Mär|Apr|Mai|Jun|Jul|Aug|Sep|Okt|Nov|Dez|Jahrhundert|Jh|Auflage|Platz)/u

/**
 * Sentences of running text, without the white space around them. The segmenter's own rules (UAX 29) end one after "e.g." and
 * "Dr."; those are joined again, and so is whatever goes on in lower case. A line break always ends one.
 */
export const sentences = (text: string): Span[] => {
  const spans: Span[] = []
  for (const { segment, index } of segments(text)) {
    const trimmed = segment.trim()
    if (!trimmed) continue
    const start = index + segment.indexOf(trimmed)
    const end = start + trimmed.length
    const last = spans.at(-1)
    if (last && !text.slice(last.end, start).includes('\n') && goesOn(text.slice(last.start, last.end), trimmed)) {
      last.end = end
    } else {
      spans.push({ start, end })
    }
  }
  return spans
}

/** The segmenter's time grows with the square of the text: it gets stretches, cut where a sentence probably ends. */
const STRETCH = 4_000

function* segments(text: string): Generator<{ segment: string; index: number }> {
  for (let from = 0; from < text.length; ) {
    const window = text.slice(from, from + STRETCH)
    const lastEnd =
      window.length < STRETCH
        ? -1
        : Math.max(window.lastIndexOf('. '), window.lastIndexOf('\n'), window.lastIndexOf('。'))
    const stretch = lastEnd < 0 ? window : window.slice(0, lastEnd + 1)
    for (const { segment, index } of segmenter.segment(stretch)) yield { segment, index: from + index }
    from += stretch.length
  }
}

const goesOn = (before: string, after: string): boolean => {
  if (/^[\p{Ll},;)\]–—-]/u.test(after)) return !/[.!?。！？]["'”’»)\]]+$/u.test(before) || /^[,;)\]]/u.test(after)
  const lastWord = /(\S+)\.$/u.exec(before)?.[1]?.replace(/^["'“„«([]+/u, '')
  if (!lastWord) return false
  // "J. Smith" is an initial, "12. Mai" an ordinal.
  if (/^\p{Lu}$/u.test(lastWord)) return true
  if (/^\d{1,2}$/u.test(lastWord)) return ORDINAL_FOLLOWERS.test(after)
  return ABBREVIATIONS.has(lastWord.toLowerCase())
}
