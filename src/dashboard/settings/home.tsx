import { IconLogout, IconUserCircle } from '@tabler/icons-react'
import { Link } from '@tanstack/react-router'
import { useT } from '../languages/index.js'
import { useMe } from '../server/queries.js'
import { placesOf, signOut } from '../ui/frame.js'
import { SettingsPage } from './page.js'

/** The way to everything else where there is no room for it at the side. */
export const SettingsHome = () => {
  const t = useT()
  const me = useMe().data
  const places = me ? placesOf(me).filter(({ to }) => to !== '/knowledge') : []
  return (
    <SettingsPage title={t('nav.settings')}>
      <ul className="rows card home">
        {places.map(({ to, title, icon: PlaceIcon }) => (
          <li key={to}>
            <Link to={to}>
              <PlaceIcon size={20} aria-hidden />
              {t(title)}
            </Link>
          </li>
        ))}
        <li>
          <Link to="/settings/profile">
            <IconUserCircle size={20} aria-hidden />
            {t('nav.profile')}
          </Link>
        </li>
        <li>
          <a
            href="/inbox"
            onClick={(event) => {
              event.preventDefault()
              void signOut()
            }}
          >
            <IconLogout size={20} aria-hidden />
            {t('nav.signOut')}
          </a>
        </li>
      </ul>
    </SettingsPage>
  )
}
