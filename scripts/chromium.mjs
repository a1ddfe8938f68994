// A browser for tests and pictures: Debian's Chromium where it is, or where this user may install it.
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { chromium } from 'playwright-core'

const PLACES = [
  '/usr/bin/chromium-headless-shell',
  '/usr/bin/chromium',
  '/usr/bin/google-chrome',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
]

const found = () => PLACES.find((place) => existsSync(place)) ?? null

/** The path of a browser, or `null` with a word about why there is none. */
export const findChromium = () => {
  const there = found()
  if (there) return there
  if (!existsSync('/usr/bin/apt-get') || process.getuid?.() !== 0) {
    console.warn('No Chromium here: on Debian, "apt-get install chromium-headless-shell" brings one.')
    return null
  }
  console.warn('Installing chromium-headless-shell …')
  const quiet = /** @type {const} */ ({ stdio: 'ignore', env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' } })
  spawnSync('apt-get', ['update', '-qq'], quiet)
  spawnSync('apt-get', ['-o', 'DPkg::Lock::Timeout=120', 'install', '-y', '-qq', 'chromium-headless-shell'], quiet)
  const installed = found()
  if (!installed) console.warn('chromium-headless-shell could not be installed.')
  return installed
}

/** A headless browser that talks to nobody but the pages it is sent to. @param {string} executablePath */
export const launchChromium = (executablePath) =>
  chromium.launch({
    executablePath,
    args: [
      ...(process.getuid?.() === 0 ? ['--no-sandbox'] : []),
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      '--disable-dev-shm-usage',
    ],
  })
