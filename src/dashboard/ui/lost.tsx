import { Button } from '@mantine/core'
import { IconMapOff } from '@tabler/icons-react'
import { Link } from '@tanstack/react-router'
import { useT } from '../languages/index.js'
import { Blank } from './states.js'

export const NotFound = () => {
  const t = useT()
  return (
    <main className="page">
      <Blank
        heading="h1"
        icon={<IconMapOff aria-hidden />}
        title={t('lost.notFound')}
        action={<Link to="/inbox">{t('lost.toInbox')}</Link>}
      />
    </main>
  )
}

/** A fault of the page itself, or a part of it that could not be fetched: a newer version may have taken its place. */
export const Lost = () => {
  const t = useT()
  return (
    <main className="page">
      <Blank
        heading="h1"
        title={t('lost.broken')}
        action={
          <Button size="xs" onClick={() => location.reload()}>
            {t('lost.reload')}
          </Button>
        }
      >
        {t('lost.brokenText')}
      </Blank>
    </main>
  )
}
