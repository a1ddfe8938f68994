import type { ReactNode } from 'react'
import { useT } from '../languages/index.js'
import { useMay, type Permission } from '../server/queries.js'
import { Blank } from '../ui/states.js'
import './settings.css'

type Props = { title: string; text?: string; needs?: Permission; action?: ReactNode; children: ReactNode }

/** A page of settings. A right that was lost while it was open is said, and what it showed goes. */
export const SettingsPage = ({ title, text, needs = 'company:read', action, children }: Props) => {
  const t = useT()
  const may = useMay(needs)
  return (
    <main className="page">
      <div>
        <header className="page-head">
          <div>
            <h1>{title}</h1>
            {text && <p>{text}</p>}
          </div>
          {may && action}
        </header>
        {may ? children : <Blank title={t('lost.noRight')}>{t('lost.noRightText')}</Blank>}
      </div>
    </main>
  )
}
