// Brings a fresh clone to where it can run: installs packages and compiles, each only when something changed.
// Plain JavaScript without packages, because it runs before there are any.
import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'

const root = path.resolve(import.meta.dirname, '..')
const installed = path.join(root, 'node_modules', '.installed')
const dist = path.join(root, 'dist')

const OLDEST_NODE = [20, 19]

/** @param {{ quiet?: boolean }} [options] */
export const prepare = async ({ quiet = false } = {}) => {
  const say = (/** @type {string} */ line) => quiet || console.log(line)
  requireNode()

  const packages = hashOf([path.join(root, 'package.json'), path.join(root, 'package-lock.json')], process.version)
  if (read(installed) !== packages) {
    say('Installing packages (once, about a minute) …')
    // Not `npm ci`: it refuses a lockfile that lacks the optional packages of other platforms.
    await run('npm', ['install', '--no-save', '--no-audit', '--no-fund', '--loglevel=error'], quiet)
    writeFileSync(installed, packages)
  }

  const parts = [serverPart, ...frontEnds()].filter(({ built, sources }) => read(built) !== sources(packages))
  if (parts.length === 0) return
  say('Building …')
  await Promise.all(parts.map((part) => build(part, packages, quiet)))
}

/**
 * A part of the product that is built on its own, when its own sources changed.
 * @typedef {{ built: string, sources: (packages: string) => string, clear: () => void, command: string[] }} Part
 */

/** @type {Part} */
const serverPart = {
  built: path.join(root, 'dist', '.built'),
  sources: (packages) =>
    hashOf(
      [...['tsconfig.json', 'tsconfig.build.json'].map((name) => path.join(root, name)), ...serverFiles()],
      packages,
    ),
  // All but what the other parts made.
  clear: () => {
    for (const name of existsSync(dist) ? readdirSync(dist) : [])
      if (name !== 'public') rmSync(path.join(dist, name), { recursive: true, force: true })
  },
  command: [path.join('node_modules', 'typescript', 'bin', 'tsc'), '-p', 'tsconfig.build.json'],
}

/** What is built for browsers, each from its own folder with its own Vite configuration, which also empties its output. */
export const frontEnds = () =>
  [
    { name: 'dashboard', folder: 'src/dashboard' },
    { name: 'widget', folder: 'src/channels/webchat/widget' },
  ]
    .filter(({ folder }) => existsSync(path.join(root, folder, 'vite.config.ts')))
    .map(({ name, folder }) => ({
      name,
      folder,
      built: path.join(dist, 'public', `.${name}`),
      // They share the API's contract with the server, as types: only a change of their own files changes what runs.
      sources: (/** @type {string} */ packages) => hashOf(filesIn(folder), packages),
      clear: () => {},
      command: [
        path.join('node_modules', 'vite', 'bin', 'vite.js'),
        ...['build', '--logLevel', 'warn', '--config', path.join(folder, 'vite.config.ts')],
      ],
    }))

/** @param {Part} part @param {string} packages @param {boolean} quiet */
const build = async ({ built, sources, clear, command }, packages, quiet) => {
  const made = sources(packages)
  clear()
  await run(process.execPath, command, quiet)
  mkdirSync(path.dirname(built), { recursive: true })
  writeFileSync(built, made)
}

const requireNode = () => {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
  const [oldestMajor = 0, oldestMinor = 0] = OLDEST_NODE
  if (major > oldestMajor || (major === oldestMajor && minor >= oldestMinor)) return
  console.error(`Node ${OLDEST_NODE.join('.')} or later is needed; this is ${process.versions.node}.`)
  process.exit(1)
}

/** @param {string} command @param {string[]} args @param {boolean} quiet */
const run = async (command, args, quiet) => {
  const child = spawn(command, args, {
    cwd: root,
    stdio: quiet ? ['ignore', 'pipe', 'inherit'] : 'inherit',
    shell: process.platform === 'win32',
  })
  let said = ''
  child.stdout?.on('data', (/** @type {Buffer} */ chunk) => (said += chunk.toString()))
  const fault = await new Promise((resolve) => {
    child.once('error', (error) => resolve(`: ${error.message}`))
    child.once('close', (status) => resolve(status === 0 ? null : ''))
  })
  if (fault === null) return
  process.stderr.write(said)
  console.error(`${command} ${args[0]} failed${fault}. Nothing was started.`)
  process.exit(1)
}

/** @param {string[]} files @param {string} seed */
const hashOf = (files, seed) => {
  const hash = createHash('sha256').update(seed)
  for (const file of files)
    if (existsSync(file)) hash.update(file.slice(root.length)).update('\0').update(readFileSync(file))
  return hash.digest('hex')
}

/** @param {string} folder */
const filesIn = (folder) =>
  readdirSync(path.join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.join(entry.parentPath, entry.name))
    .sort()

const serverFiles = () => filesIn('src').filter((file) => !frontEnds().some(({ folder }) => within(file, folder)))

/** @param {string} file @param {string} folder */
const within = (file, folder) => !path.relative(path.join(root, folder), file).startsWith('..')

/** @param {string} file */
const read = (file) => (existsSync(file) ? readFileSync(file, 'utf8') : null)

if (process.argv[1] === import.meta.filename) await prepare()
