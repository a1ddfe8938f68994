import { describe, it } from '@jest/globals'
import type { Browser } from 'playwright-core'
import { findChromium, launchChromium } from '../../scripts/chromium.mjs'

/**
 * A real browser, where there is one: Debian's is installed when it is missing and this user may. Elsewhere what needs it
 * is skipped, and said so; on a build machine (CI=true) that is a failure, because nobody reads what was skipped there.
 */
const executable = findChromium()

const withoutBrowser = (name: string): void => {
  if (process.env.CI === 'true') {
    describe(name, () => {
      it('needs a browser', () => {
        throw new Error('There is no Chromium on this machine, and CI=true allows no skipping.')
      })
    })
    return
  }
  console.warn(`SKIPPED, for want of a browser: ${name}`)
  describe(name, () => it.todo('is not looked at here: there is no Chromium'))
}

export const describeInBrowser = (name: string, tests: () => void): void =>
  executable ? describe(name, tests) : withoutBrowser(name)

export const openBrowser = (): Promise<Browser> => launchChromium(executable ?? '')

/** What waits for `opened` waits until somebody opens it. */
export const gate = () => {
  let open = () => {}
  const opened = new Promise<void>((resolve) => {
    open = resolve
  })
  return { opened, open: () => open() }
}
