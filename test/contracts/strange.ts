/** What a provider never sends, a stranger does: any sample with something else in place of each of its pieces. */

const turned = '\u202Eevil\u2066\u200F'
const deep = (levels: number): unknown => {
  let value: unknown = 'the bottom'
  for (let level = 0; level < levels; level += 1) value = level % 2 === 0 ? [value] : { message: value }
  return value
}

const MISSING = Symbol('missing')
const STRANGE: readonly unknown[] = [
  MISSING,
  null,
  true,
  7,
  Number.NaN,
  -1e308,
  '',
  '\uD800',
  turned,
  'x'.repeat(100_000),
  [],
  {},
  [null, 7, turned],
  { __proto__: null, constructor: 'x', length: 1e9, toString: 7 },
  deep(2_000),
]

const isTree = (value: unknown): value is Record<string, unknown> | unknown[] =>
  typeof value === 'object' && value !== null && !(value instanceof Uint8Array)

const replaced = (value: Record<string, unknown> | unknown[], key: string, by: unknown): unknown => {
  if (Array.isArray(value)) {
    const index = Number(key)
    return by === MISSING ? value.toSpliced(index, 1) : value.with(index, by)
  }
  const { [key]: _before, ...rest } = value
  return by === MISSING ? rest : { ...rest, [key]: by }
}

/** Once for each place and each strange value. */
const strangeTrees = function* (value: unknown): Generator<unknown> {
  if (!isTree(value)) return
  for (const [key, inner] of Object.entries(value)) {
    for (const strange of STRANGE) yield replaced(value, key, strange)
    for (const changed of strangeTrees(inner)) yield replaced(value, key, changed)
  }
}

const LONG = Buffer.alloc(100_000, 'x')

/** Bytes that mean something by their lines, as a mail's do. */
const strangeBytes = function* (bytes: Buffer): Generator<Buffer> {
  const lines = bytes.toString('latin1').split('\n')
  const joined = (parts: string[]) => Buffer.from(parts.join('\n'), 'latin1')
  for (const [index, line] of lines.entries()) {
    const name = line.slice(0, line.indexOf(':') + 1)
    const other = (value: string) => joined(lines.with(index, `${name} ${Buffer.from(value).toString('latin1')}\r`))
    yield joined(lines.toSpliced(index, 1))
    yield joined(lines.toSpliced(index, 0, line, line))
    yield other(turned)
    yield other('=?utf-8?b?4oCuZXZpbA==?= <\u0000>')
    yield Buffer.concat([joined(lines.slice(0, index)), LONG, joined(lines.slice(index))])
  }
  for (let part = 0; part < 16; part += 1) yield bytes.subarray(0, Math.floor((bytes.length * part) / 16))
  yield Buffer.concat([bytes, bytes])
  yield Buffer.from(bytes).reverse()
}

export const strangeKindsOf = (sample: unknown): Generator<unknown> =>
  Buffer.isBuffer(sample) ? strangeBytes(sample) : strangeTrees(sample)

/** So many of them, from all places alike: the same ones in every run. */
export const someOf = (all: Iterable<unknown>, most: number): unknown[] => {
  const list = [...all]
  const step = Math.max(1, Math.floor(list.length / most))
  return list.filter((_, index) => index % step === 0).slice(0, most)
}
