// Brings a fresh clone to where it can run: installs packages and compiles, each only when something changed.
// Plain JavaScript without packages, because it runs before there are any.
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'

const root = path.resolve(import.meta.dirname, '..')
const installed = path.join(root, 'node_modules', '.installed')
const built = path.join(root, 'dist', '.built')

const OLDEST_NODE = [20, 19]

/** @param {{ quiet?: boolean }} [options] */
export const prepare = async ({ quiet = false } = {}) => {
  const say = (/** @type {string} */ line) => quiet || console.log(line)
  requireNode()

  const packages = hashOf([path.join(root, 'package.json'), path.join(root, 'package-lock.json')], process.version)
  if (read(installed) !== packages) {
    say('Installing packages (once, about a minute) …')
    // Not `npm ci`: it refuses a lockfile that lacks the optional packages of other platforms.
    run('npm', ['install', '--no-save', '--no-audit', '--no-fund', '--loglevel=error'], quiet)
    writeFileSync(installed, packages)
  }

  const sources = hashOf(
    [path.join(root, 'tsconfig.json'), path.join(root, 'tsconfig.build.json'), ...filesIn('src')],
    packages,
  )
  if (read(built) !== sources) {
    say('Building …')
    rmSync(path.join(root, 'dist'), { recursive: true, force: true })
    run(process.execPath, [path.join('node_modules', 'typescript', 'bin', 'tsc'), '-p', 'tsconfig.build.json'], quiet)
    mkdirSync(path.dirname(built), { recursive: true })
    writeFileSync(built, sources)
  }
}

const requireNode = () => {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
  const [oldestMajor = 0, oldestMinor = 0] = OLDEST_NODE
  if (major > oldestMajor || (major === oldestMajor && minor >= oldestMinor)) return
  console.error(`Node ${OLDEST_NODE.join('.')} or later is needed; this is ${process.versions.node}.`)
  process.exit(1)
}

/** @param {string} command @param {string[]} args @param {boolean} quiet */
const run = (command, args, quiet) => {
  const { status, stdout, error } = spawnSync(command, args, {
    cwd: root,
    stdio: quiet ? ['ignore', 'pipe', 'inherit'] : 'inherit',
    shell: process.platform === 'win32',
  })
  if (status === 0) return
  process.stderr.write(stdout ?? '')
  console.error(`${command} ${args[0]} failed${error ? `: ${error.message}` : ''}. Nothing was started.`)
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

/** @param {string} file */
const read = (file) => (existsSync(file) ? readFileSync(file, 'utf8') : null)

if (process.argv[1] === import.meta.filename) await prepare()
