import { useEffect, useState } from 'react'

/** Rows drawn beyond the edges, so that a quick scroll finds them there. */
const BEYOND = 6

/**
 * Which rows of a long list of equal rows are drawn: those in view, and a few around them. Every row has the same height,
 * so that is a division and not a library's business.
 */
export const useRowsInView = ({ count, rowHeight }: { count: number; rowHeight: number }) => {
  const [box, setBox] = useState<HTMLElement | null>(null)
  const [seen, setSeen] = useState({ first: 0, last: 0 })
  useEffect(() => {
    if (!box) return
    const look = () => {
      const first = Math.floor(box.scrollTop / rowHeight)
      const last = Math.floor((box.scrollTop + box.clientHeight) / rowHeight)
      setSeen((before) => (before.first === first && before.last === last ? before : { first, last }))
    }
    const resized = new ResizeObserver(look)
    resized.observe(box)
    box.addEventListener('scroll', look, { passive: true })
    return () => {
      resized.disconnect()
      box.removeEventListener('scroll', look)
    }
  }, [box, rowHeight])
  const from = Math.max(0, Math.min(seen.first, count) - BEYOND)
  const to = Math.min(count, seen.last + 1 + BEYOND)
  return {
    /** Of what scrolls. */
    scroller: setBox,
    from,
    to,
    /** As far as is needed to see the whole row, and no further. */
    scrollTo: (index: number): void => {
      if (!box) return
      const top = index * rowHeight
      if (top < box.scrollTop) box.scrollTop = top
      else if (top + rowHeight > box.scrollTop + box.clientHeight) box.scrollTop = top + rowHeight - box.clientHeight
    },
  }
}
