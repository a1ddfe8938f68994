// From `npm start` on a built clone to the ready line, and the memory of the server at rest.
import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { createInterface } from 'node:readline'

const root = path.resolve(import.meta.dirname, '../..')
const RUNS = 5
const REST_MS = 10_000

/** @param {string} dataDir @param {boolean} rest */
const start = async (dataDir, rest) => {
  const startedAt = performance.now()
  const child = spawn('npm', ['start'], {
    cwd: root,
    detached: true,
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, PORT: '0', DATA_DIR: dataDir, LOG_LEVEL: 'error' },
  })
  const lines = createInterface({ input: child.stdout })
  await new Promise((resolve) => lines.on('line', (line) => line.startsWith('Helpdesk ready') && resolve(null)))
  const readyMs = Math.round(performance.now() - startedAt)
  const rssMb = rest ? await pause(REST_MS).then(() => serverMemory(child.pid ?? 0)) : 0
  process.kill(-(child.pid ?? 0), 'SIGTERM')
  await new Promise((resolve) => child.once('exit', resolve))
  return { readyMs, rssMb }
}

/** Resident memory of the server, which is the largest process of the group that npm leads. @param {number} group */
const serverMemory = (group) => {
  const sizes = processesOf(group).map((pid) => {
    const kilobytes = /VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]
    return Math.round(Number(kilobytes ?? 0) / 1024)
  })
  return Math.max(...sizes)
}

/** @param {number} pid @returns {number[]} */
const processesOf = (pid) => {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8')
    .trim()
    .split(' ')
    .filter(Boolean)
    .map(Number)
  return [pid, ...children.flatMap(processesOf)]
}

/** @param {number} ms */
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms))

export const startup = async () => {
  const dataDir = mkdtempSync(path.join(tmpdir(), 'helpdesk-bench-'))
  const first = await start(dataDir, false)
  const runs = []
  for (let run = 0; run < RUNS; run += 1) runs.push(await start(dataDir, run === 0))
  rmSync(dataDir, { recursive: true, force: true })
  const times = runs.map(({ readyMs }) => readyMs).sort((a, b) => a - b)
  return {
    bench: 'startup',
    firstStartMs: first.readyMs,
    readyMedianMs: times[Math.floor(RUNS / 2)],
    readyWorstMs: times.at(-1),
    rssAtRestMb: runs[0]?.rssMb,
  }
}
