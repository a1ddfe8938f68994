import { Fragment, useEffect, useId, useRef, useState, type KeyboardEvent, type ReactNode } from 'react'
import './menu.css'

export type MenuItem = { text: string; icon?: ReactNode; run: () => void } | { heading: string }

type Props = {
  /** What the button shows; `label` says it where that is no text. */
  children: ReactNode
  label?: string
  className: string
  items: readonly MenuItem[]
  placement?: 'below' | 'above'
}

/** A menu button by the pattern of the ARIA guide: arrows move, Escape and Tab close, the focus goes back to where it was. */
export const Menu = ({ children, label, className, items, placement = 'below' }: Props) => {
  const [open, setOpen] = useState(false)
  const id = useId()
  const whole = useRef<HTMLDivElement>(null)
  const button = useRef<HTMLButtonElement>(null)

  useEffect(() => {
    if (!open) return
    itemsIn(whole.current)[0]?.focus()
    const onPointerDown = ({ target }: PointerEvent) => {
      if (!whole.current?.contains(target as Node)) setOpen(false)
    }
    document.addEventListener('pointerdown', onPointerDown)
    return () => document.removeEventListener('pointerdown', onPointerDown)
  }, [open])

  const close = () => {
    setOpen(false)
    button.current?.focus()
  }
  const onKeyDown = (event: KeyboardEvent) => {
    const all = itemsIn(whole.current)
    const at = all.indexOf(document.activeElement as HTMLElement)
    switch (event.key) {
      case 'ArrowDown':
        all[(at + 1) % all.length]?.focus()
        break
      case 'ArrowUp':
        all[(at - 1 + all.length) % all.length]?.focus()
        break
      case 'Home':
        all[0]?.focus()
        break
      case 'End':
        all.at(-1)?.focus()
        break
      case 'Escape':
        close()
        break
      case 'Tab':
        setOpen(false)
        return
      default:
        return
    }
    event.preventDefault()
    event.stopPropagation()
  }

  return (
    <div className="menu" ref={whole}>
      <button
        ref={button}
        type="button"
        className={className}
        aria-haspopup="menu"
        aria-expanded={open}
        aria-controls={open ? id : undefined}
        aria-label={label}
        onClick={() => setOpen(!open)}
        onKeyDown={(event) => {
          if (event.key !== 'ArrowDown' && event.key !== 'ArrowUp') return
          event.preventDefault()
          setOpen(true)
        }}
      >
        {children}
      </button>
      {open && (
        <div id={id} role="menu" className={`menu-list ${placement}`} onKeyDown={onKeyDown}>
          {items.map((item) =>
            'heading' in item ? (
              <Fragment key={item.heading}>
                <div className="menu-heading" role="presentation">
                  {item.heading}
                </div>
              </Fragment>
            ) : (
              <button
                key={item.text}
                type="button"
                role="menuitem"
                tabIndex={-1}
                onClick={() => {
                  close()
                  item.run()
                }}
              >
                {item.icon}
                {item.text}
              </button>
            ),
          )}
        </div>
      )}
    </div>
  )
}

const itemsIn = (element: HTMLElement | null): HTMLElement[] => [
  ...(element?.querySelectorAll<HTMLElement>('[role=menuitem]') ?? []),
]
