import { describe, expect, it } from '@jest/globals'
import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { z } from 'zod'
import { channelKinds } from '../../src/channels/index.js'

const ROOM = path.resolve(import.meta.dirname, '../../src/dashboard')
const LANGUAGES = ['en', 'pt-BR', 'es', 'ar'] as const

type Catalogue = Record<string, Record<string, string>>

const parts = readdirSync(path.join(ROOM, 'languages'), { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map(({ name }) => name)
const wordsIn = new Map<string, Catalogue>()
for (const part of parts)
  for (const language of LANGUAGES) {
    const file = (await import(`../../src/dashboard/languages/${part}/${language}.js`)) as { words: Catalogue }
    wordsIn.set(`${part}/${language}`, file.words)
  }
const english = (part: string): Catalogue => wordsIn.get(`${part}/en`) ?? {}
const partOf = new Map(parts.flatMap((part) => Object.keys(english(part)).map((section) => [section, part] as const)))
const PLURAL = /_(?:zero|one|two|few|many|other)$/
const keysOf = (words: Catalogue): string[] => [
  ...new Set(
    Object.entries(words).flatMap(([section, said]) =>
      Object.keys(said).map((name) => `${section}.${name.replace(PLURAL, '')}`),
    ),
  ),
]

/** A key as the pages write it: whole, or with a part that is known only at run time (`due.${clock}`). */
type Said = { file: string; key: string; open: boolean }

const files = readdirSync(ROOM, { recursive: true, withFileTypes: true })
  .map((entry) => path.relative(ROOM, path.join(entry.parentPath, entry.name)))
  .filter((file) => /\.tsx?$/.test(file) && !/^languages\/.*\//.test(file))
const source = new Map(
  files.map((file) => [
    file,
    readFileSync(path.join(ROOM, file), 'utf8').replace(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, ''),
  ]),
)
const said: Said[] = [...source].flatMap(([file, code]) =>
  [...code.matchAll(/(['`])([a-zA-Z]+)\.((?:[\w ]|\$\{[^}]+\})+)\1/g)]
    .filter(([, , section = '']) => partOf.has(section))
    .map(([, , section = '', name = '']) => {
      const [fixed = ''] = name.split('${')
      return { file, key: `${section}.${fixed}`, open: name.includes('${') }
    }),
)

const importsOf = (file: string): string[] =>
  [...(source.get(file) ?? '').matchAll(/(?:^import (?!type)[^'`]*?|^} )from '(\.[^']+)'|import\('(\.[^']+)'\)/gm)]
    .map((match) => path.join(path.dirname(file), match[1] ?? match[2] ?? '').replace(/\.js$/, ''))
    .flatMap((target) => files.filter((one) => one === `${target}.ts` || one === `${target}.tsx`))

/** A page as the routes name it: with the words that are fetched with it. */
const pages = [
  ...(source.get('routes.tsx') ?? '').matchAll(
    /lazyRouteComponent\(\s*(?:withWords\(\[([^\]]*)\], )?\(\) => import\('\.\/([^']+)\.js'\)/g,
  ),
].map(([, given = '', page = '']) => ({
  page: `${page}.tsx`,
  given: ['desk', ...[...given.matchAll(/'(\w+)'/g)].map(([, part = '']) => part)],
}))

/** What is fetched for it, at once or later, up to other pages. */
const reachedFrom = (file: string, seen = new Set<string>()): Set<string> => {
  seen.add(file)
  for (const target of importsOf(file))
    if (!seen.has(target) && !pages.some(({ page }) => page === target)) reachedFrom(target, seen)
  return seen
}

describe('the words of the dashboard', () => {
  it.each(LANGUAGES)('are all there in %s, with every form of a plural that the language has', (language) => {
    for (const part of parts) {
      const words = wordsIn.get(`${part}/${language}`) ?? {}
      expect([part, keysOf(words).sort()]).toEqual([part, keysOf(english(part)).sort()])
      for (const [section, one] of Object.entries(words))
        for (const name of Object.keys(one).filter((key) => key.endsWith('_other'))) {
          const forms = new Intl.PluralRules(language).resolvedOptions().pluralCategories
          const there = forms.filter((form) => `${name.slice(0, -'other'.length)}${form}` in one)
          expect([section, name, [...there].sort()]).toEqual([section, name, [...forms].sort()])
        }
    }
  })

  it.each(LANGUAGES)('keep in %s what is filled in', (language) => {
    const filled = (text = '') => [...text.matchAll(/\{\{(\w+)\}\}/g)].map(([, name]) => name).sort()
    const lost = parts.flatMap((part) =>
      Object.entries(wordsIn.get(`${part}/${language}`) ?? {}).flatMap(([section, one]) =>
        Object.entries(one)
          // "One more" says its number in words.
          .filter(([name]) => !/_(zero|one|two)$/.test(name))
          .filter(([name, text]) => {
            const there = english(part)[section] ?? {}
            return filled(text).join() !== filled(there[name] ?? there[name.replace(PLURAL, '_other')]).join()
          })
          .map(([name]) => `${part}/${section}.${name}`),
      ),
    )
    expect(lost).toEqual([])
  })

  it('stand in one part each', () => {
    const sections = parts.flatMap((part) => Object.keys(english(part)))
    expect(sections.filter((section, at) => sections.indexOf(section) !== at)).toEqual([])
  })

  it('are all said somewhere', () => {
    const fixed = new Set(said.filter(({ open }) => !open).map(({ key }) => key))
    const begun = [...new Set(said.filter(({ open }) => open).map(({ key }) => key))]
    const unused = parts
      .flatMap((part) => keysOf(english(part)))
      .filter((key) => !fixed.has(key) && !begun.some((start) => key.startsWith(start)))
    expect(unused).toEqual([])
  })

  it('come with the page that says them', () => {
    expect(pages.length).toBeGreaterThan(8)
    const missing = [...pages, { page: 'main.tsx', given: ['desk'] }].flatMap(({ page, given }) => {
      const reached = reachedFrom(page)
      return said
        .filter(({ file, key }) => reached.has(file) && !given.includes(partOf.get(key.split('.')[0] ?? '') ?? ''))
        .map(({ file, key }) => `${page}: ${key} in ${file}`)
    })
    expect([...new Set(missing)]).toEqual([])
  })

  it('have a name and a hint for every setting of every channel that says something about it, and one meaning each', () => {
    type Schema = { properties?: Record<string, Schema>; anyOf?: Schema[]; description?: string }
    const described = (schema: Schema): [string, string | undefined][] =>
      Object.entries(schema.properties ?? {}).flatMap(([name, field]) => [
        [name, field.description] as [string, string | undefined],
        ...described(field),
        ...(field.anyOf ?? []).flatMap(described),
      ])
    const { setting = {}, settingHint = {}, channelKind = {} } = english('channels')
    const meanings = new Map<string, string>()
    for (const definition of Object.values(channelKinds)) {
      expect(Object.keys(channelKind)).toContain(definition.label)
      for (const [name, description] of described(
        z.toJSONSchema(definition.settings, { io: 'input', unrepresentable: 'any' }) as Schema,
      )) {
        // A language is called by its own name.
        if (!/^[a-z]{2}$/.test(name)) expect(Object.keys(setting)).toContain(name)
        if (!description) continue
        expect(Object.keys(settingHint)).toContain(name)
        expect([name, meanings.get(name) ?? description]).toEqual([name, description])
        meanings.set(name, description)
      }
    }
  })
})
