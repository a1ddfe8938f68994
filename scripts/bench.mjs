// `npm run bench [-- name …]`: prints one JSON line per measurement. Machines differ: compare within one run only.
// `--corpus corpus.jsonl` is for `proof`: the texts that its sentences are made from.
import { cpus } from 'node:os'
import { parseArgs } from 'node:util'
import { prepare } from './prepare.mjs'

const {
  values: { corpus },
  positionals: wanted,
} = parseArgs({ options: { corpus: { type: 'string' } }, allowPositionals: true })

await prepare({ quiet: true })
const { acceptance } = await import('./bench/acceptance.mjs')
const { clocks } = await import('./bench/clocks.mjs')
const { answer } = await import('./bench/answer.mjs')
const { fanout } = await import('./bench/fanout.mjs')
const { ingest } = await import('./bench/ingest.mjs')
const { drafts } = await import('./bench/drafts.mjs')
const { email } = await import('./bench/email.mjs')
const { inbox } = await import('./bench/inbox.mjs')
const { killRounds } = await import('./bench/kill.mjs')
const { model } = await import('./bench/model.mjs')
const { outages } = await import('./bench/outages.mjs')
const { proof } = await import('./bench/proof.mjs')
const { search } = await import('./bench/search.mjs')
const { sla } = await import('./bench/sla.mjs')
const { startup } = await import('./bench/startup.mjs')
const { whatsapp } = await import('./bench/whatsapp.mjs')
const { widget } = await import('./bench/widget.mjs')
const { store } = await import('./bench/store.mjs')
const { killStoreRounds } = await import('./bench/store-kill.mjs')

/** @type {Record<string, () => Promise<object>>} */
const benches = {
  startup,
  acceptance,
  answer,
  ingest,
  inbox,
  email: () => email(),
  search,
  proof: () => proof({ corpus }),
  model,
  sla,
  clocks,
  drafts,
  fanout,
  outages,
  whatsapp,
  widget,
  store,
  'store-kill': async () => ({ bench: 'store-kill', ...(await killStoreRounds({ rounds: 100 })) }),
  kill: async () => ({ bench: 'kill', ...(await killRounds({ rounds: 20 })) }),
}

const unknown = wanted.filter((name) => !Object.hasOwn(benches, name))
if (unknown.length > 0) {
  console.error(`There is no bench ${unknown.join(', ')}; there are: ${Object.keys(benches).join(', ')}`)
  process.exit(2)
}
console.log(JSON.stringify({ node: process.version, cores: cpus().length, cpu: cpus()[0]?.model ?? '' }))
for (const [name, bench] of Object.entries(benches)) {
  if (wanted.length === 0 || wanted.includes(name)) console.log(JSON.stringify(await bench()))
}
process.exit(0)
