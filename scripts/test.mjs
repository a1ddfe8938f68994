// `npm test`: set up what is missing, then run jest with whatever arguments were given.
import { spawnSync } from 'node:child_process'
import path from 'node:path'
import { prepare } from './prepare.mjs'

await prepare()
const jest = path.join(import.meta.dirname, '..', 'node_modules', 'jest', 'bin', 'jest.js')
const { status } = spawnSync(
  process.execPath,
  ['--experimental-vm-modules', '--no-warnings', jest, ...process.argv.slice(2)],
  { stdio: 'inherit', cwd: path.join(import.meta.dirname, '..') },
)
process.exit(status ?? 1)
