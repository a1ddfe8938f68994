import { describe, expect, it } from '@jest/globals'
import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { channelKinds } from '../src/channels/index.js'

const SRC = path.resolve(import.meta.dirname, '../src')

type Import = { file: string; target: string; typeOnly: boolean }

const files = readdirSync(SRC, { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile() && /\.tsx?$/.test(entry.name) && !entry.name.endsWith('.d.ts'))
  .map((entry) => path.relative(SRC, path.join(entry.parentPath, entry.name)))

const importsOf = (file: string): Import[] => {
  const text = readFileSync(path.join(SRC, file), 'utf8')
  const found = text.matchAll(
    /^(?:import|export)\s+(type\s)?[^'"]*?from\s+'([^']+)'|import\('([^']+)'\)|^import '([^']+)'/gm,
  )
  return [...found].map((match) => {
    const given = match[2] ?? match[3] ?? match[4] ?? ''
    const target = given.startsWith('.')
      ? path.normalize(path.join(path.dirname(file), given)).replace(/\.js$/, '')
      : given
    return { file, target, typeOnly: Boolean(match[1]) }
  })
}

const imports = files.flatMap(importsOf)
const isOurs = ({ target }: Import) => files.includes(`${target}.ts`) || files.includes(`${target}.tsx`)
const named = ({ file, target }: Import) => `${file} imports ${target}`

/** Who may import whom. A room is a folder; a channel is a room of its own. */
const ROOMS: Record<string, { room: RegExp; may: RegExp }> = {
  platform: { room: /^platform\//, may: /^platform\// },
  sla: { room: /^sla\//, may: /^sla\// },
  'embedded-mongo': { room: /^embedded-mongo\//, may: /^embedded-mongo\// },
  companies: { room: /^companies\//, may: /^(companies|sla|platform)\// },
  conversations: { room: /^conversations\//, may: /^(conversations|sla|companies|platform)\// },
  rag: { room: /^rag\//, may: /^(rag|platform)\// },
  'channels/*': { room: /^channels\/[^/]+\//, may: /^(channels\/channel$|conversations\/message$|platform\/)/ },
  channels: { room: /^channels\/[^/]+\.ts$/, may: /^(channels|conversations\/message$|platform)/ },
  dashboard: { room: /^dashboard\//, may: /^dashboard\/|^api\/contract(\/|$)/ },
  api: { room: /^api\//, may: /^(api|companies|conversations|rag|sla|platform)\/|^channels\/channel$/ },
}

describe('the import rules', () => {
  it.each(Object.entries(ROOMS))('%s keeps to its neighbours', (_name, { room, may }) => {
    const own = (file: string, target: string) => {
      const folder = /^channels\/[^/]+\//.exec(file)?.[0]
      return folder !== undefined && target.startsWith(folder)
    }
    const trespasses = imports.filter(
      (entry) => room.test(entry.file) && isOurs(entry) && !may.test(entry.target) && !own(entry.file, entry.target),
    )
    expect(trespasses.map(named)).toEqual([])
  })

  it('no room imports what composes it', () => {
    const roots = ['main', 'production', 'compose', 'jobs', 'models', 'checks']
    const inside = imports.filter((entry) => entry.file.includes('/') && roots.includes(entry.target))
    expect(inside.map(named)).toEqual([])
  })

  it('every room is named in the rules', () => {
    const rooms = files.filter(
      (file) => file.includes('/') && !Object.values(ROOMS).some(({ room }) => room.test(file)),
    )
    expect(rooms).toEqual([])
  })

  it.each([
    ['mongodb and bson', /^(mongodb|bson)$/, /(\.mongo\.ts|^platform\/mongo\.ts|^embedded-mongo\/.*)$/],
    ['LangChain and OpenAI', /^(langchain|@langchain\/|openai)/, /^rag\/model[^/]*\.ts$/],
    ['better-auth', /^(better-auth|@better-auth\/)/, /^companies\/sign-in\.mongo\.ts$/],
    ['agenda', /^(agenda|@agendajs\/)/, /^platform\/queue\.mongo\.ts$/],
    ['express', /^express$/, /^api\//],
    ['Mantine and React', /^(@mantine\/|react$|react-dom|@tanstack\/)/, /^dashboard\//],
    ['the environment', /^(node:)?process$/, /^$/],
  ])('%s enter by one door', (_name, library, door) => {
    const strays = imports.filter((entry) => library.test(entry.target) && !door.test(entry.file))
    expect(strays.map(named)).toEqual([])
  })

  it('browsers get the contract as types: none of its code', () => {
    const inBrowsers = imports.filter(({ file, target }) => /^dashboard\//.test(file) && target.startsWith('api/'))
    expect(inBrowsers.length).toBeGreaterThan(0)
    expect(inBrowsers.filter(({ typeOnly }) => !typeOnly).map(named)).toEqual([])
  })

  it('no channel is named outside the channels', () => {
    const names = readdirSync(path.join(SRC, 'channels'), { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map((entry) => entry.name)
      // People have an email address whatever they write through.
      .filter((name) => name !== 'email')
    const outside = files.filter((file) => !file.startsWith('channels/') && file !== 'compose.ts')
    const naming = outside.filter((file) => {
      const code = readFileSync(path.join(SRC, file), 'utf8').replace(/\/\*[\s\S]*?\*\/|\/\/.*/g, '')
      return names.some((name) => code.includes(name))
    })
    expect(naming).toEqual([])
  })
})

describe('what every implementation of a port keeps', () => {
  it('every kind of channel keeps the contract of channels', () => {
    const folder = path.resolve(import.meta.dirname, 'channels')
    const suites = readdirSync(folder)
      .filter((name) => name.endsWith('-contract.test.ts'))
      .map((name) => readFileSync(path.join(folder, name), 'utf8'))
    const joined = suites.flatMap((text) => /keepsTheChannelContract\(\{\s*kind: '([^']+)'/.exec(text)?.[1] ?? [])
    expect(joined.sort()).toEqual(Object.keys(channelKinds).sort())
  })
})
