import { DirectionProvider, localStorageColorSchemeManager, MantineProvider, useDirection } from '@mantine/core'
import { lazy, Suspense, useEffect, useState, type ReactNode } from 'react'
import { directionOf, useLanguage } from '../languages/index.js'
import { theme } from './look.js'
import { whenTold } from './tell.js'

const Notifications = lazy(() => import('./told.js').then((module) => ({ default: module.Told })))

const colorScheme = localStorageColorSchemeManager({ key: 'helpdesk.theme' })

const FollowLanguage = () => {
  const language = useLanguage()
  const { setDirection } = useDirection()
  useEffect(() => {
    document.documentElement.lang = language
    setDirection(directionOf(language))
  }, [language, setDirection])
  return null
}

const WhatIsTold = () => {
  const [shown, setShown] = useState(false)
  useEffect(() => whenTold(() => setShown(true)), [])
  return (
    shown && (
      <Suspense>
        <Notifications />
      </Suspense>
    )
  )
}

/** Mantine in our own clothes. Its variables stand in tokens.css, so it writes no style element of its own. */
export const Look = ({ children }: { children: ReactNode }) => (
  <DirectionProvider initialDirection={document.documentElement.dir === 'rtl' ? 'rtl' : 'ltr'} detectDirection={false}>
    <MantineProvider
      theme={theme}
      defaultColorScheme="auto"
      colorSchemeManager={colorScheme}
      withCssVariables={false}
      withGlobalClasses={false}
    >
      <FollowLanguage />
      {children}
      <WhatIsTold />
    </MantineProvider>
  </DirectionProvider>
)
