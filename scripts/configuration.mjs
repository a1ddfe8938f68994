// Writes the README's configuration table and .env.example from the schema in src/config.ts. `npm run docs`.
import { readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import { z } from 'zod'

const root = path.resolve(import.meta.dirname, '..')
const OPEN = '<!-- configuration -->'
const CLOSE = '<!-- /configuration -->'

/** @param {z.ZodType} environment @returns {{ name: string, fallback: string, sentence: string }[]} */
const variables = (environment) => {
  const { properties = {} } = z.toJSONSchema(environment, { io: 'input', unrepresentable: 'any' })
  return Object.entries(properties).map(([name, property]) => {
    const { default: fallback = '', description = '' } = typeof property === 'object' ? property : {}
    return { name, fallback: String(fallback), sentence: description }
  })
}

/** @param {z.ZodType} environment @param {string} readme */
export const withTable = (environment, readme) => {
  const rows = variables(environment).map(
    ({ name, fallback, sentence }) => `| \`${name}\` | ${fallback ? `\`${fallback}\`` : ''} | ${sentence} |`,
  )
  const table = ['| variable | default | what it does |', '|---|---|---|', ...rows].join('\n')
  const before = readme.slice(0, readme.indexOf(OPEN) + OPEN.length)
  const after = readme.slice(readme.indexOf(CLOSE))
  return `${before}\n${table}\n${after}`
}

/** @param {z.ZodType} environment */
export const envExample = (environment) =>
  variables(environment)
    .map(({ name, fallback, sentence }) => `# ${sentence}\n# ${name}=${fallback}\n`)
    .join('\n')

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const { prepare } = await import('./prepare.mjs')
  await prepare({ quiet: true })
  const { environment } = await import('../dist/config.js')
  const readme = path.join(root, 'README.md')
  writeFileSync(readme, withTable(environment, readFileSync(readme, 'utf8')))
  writeFileSync(path.join(root, '.env.example'), envExample(environment))
}
