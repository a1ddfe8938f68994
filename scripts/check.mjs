// `npm run check`: everything that must be green, in one go; the cheap questions first.
import { spawnSync } from 'node:child_process'
import path from 'node:path'
import { frontEnds, prepare } from './prepare.mjs'

await prepare()
const root = path.resolve(import.meta.dirname, '..')
const steps = /** @type {[string, string[]][]} */ ([
  ['types', ['typescript/bin/tsc', '--noEmit']],
  // Each front end has its own world of types: a page has no process, a server has no document.
  ...frontEnds().map(({ name, folder }) => [`types of the ${name}`, ['typescript/bin/tsc', '--noEmit', '-p', folder]]),
  ['types of the browser tests', ['typescript/bin/tsc', '--noEmit', '-p', 'test/browser']],
  ['format', ['prettier/bin/prettier.cjs', '--check', '.']],
  ['unused code', ['knip/bin/knip.js']],
  ['lint', ['eslint/bin/eslint.js', '.']],
])
if (!process.argv.includes('--without-tests')) steps.push(['tests', ['jest/bin/jest.js', '--coverage']])

for (const [name, [tool = '', ...args]] of steps) {
  console.log(`\n— ${name}`)
  const flags = tool.startsWith('jest') ? ['--experimental-vm-modules', '--no-warnings'] : []
  const { status } = spawnSync(process.execPath, [...flags, path.join('node_modules', tool), ...args], {
    cwd: root,
    stdio: 'inherit',
  })
  if (status !== 0) {
    console.error(`\n${name}: not green`)
    process.exit(1)
  }
}
console.log('\nAll green.')
