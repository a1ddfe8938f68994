import { Button } from '@mantine/core'
import type { ReactNode } from 'react'
import { useFault, useT } from '../languages/index.js'

/** What stands where nothing is yet: what it is for, and the first thing to do. */
export const Blank = ({
  icon,
  title,
  children,
  action,
  heading: Heading = 'h2',
}: {
  icon?: ReactNode
  title: string
  children?: ReactNode
  action?: ReactNode
  /** `h1` where nothing else heads the page. */
  heading?: 'h1' | 'h2'
}) => (
  <div className="blank">
    {icon}
    <Heading>{title}</Heading>
    {children && <p>{children}</p>}
    {action}
  </div>
)

/** What could not be loaded, why, and the way on. */
export const Failed = ({ error, retry }: { error: unknown; retry: () => void }) => {
  const t = useT()
  const fault = useFault()
  return (
    <div className="blank" role="alert">
      <h2>{t('states.failed')}</h2>
      <p>{fault(error)}</p>
      <Button variant="default" size="xs" onClick={retry}>
        {t('states.retry')}
      </Button>
    </div>
  )
}

const WIDTHS = ['62%', '88%', '74%', '91%', '55%', '80%', '68%', '85%']

/** The shape of what is coming, so that nothing jumps when it is there. */
export const Coming = ({ lines = 4 }: { lines?: number }) => {
  const t = useT()
  return (
    <div className="ghost-lines stack" style={{ padding: 'var(--s-4)' }} role="status" aria-label={t('states.loading')}>
      {WIDTHS.slice(0, lines).map((width) => (
        <span key={width} style={{ width }} />
      ))}
    </div>
  )
}
