// `npm run simulate -- NAME …`: plays the outside world for one kind of channel. Each part is a file of scripts/simulate.
import { existsSync, readdirSync } from 'node:fs'
import path from 'node:path'

const folder = path.join(import.meta.dirname, 'simulate')
const [name = ''] = process.argv.splice(2, 1)
const file = path.join(folder, `${name}.mjs`)

if (!/^[a-z-]+$/.test(name) || !existsSync(file)) {
  const names = readdirSync(folder)
    .filter((each) => each.endsWith('.mjs'))
    .map((each) => each.slice(0, -'.mjs'.length))
  console.error(`Say what to simulate: npm run simulate -- ${names.join(' | ')} …`)
  process.exit(2)
}
await import(file)
