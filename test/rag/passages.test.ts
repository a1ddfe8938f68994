import { describe, expect, it } from '@jest/globals'
import { makePassages } from '../../src/rag/passages.js'
import { sentences } from '../../src/rag/sentences.js'
import { detectFormat, parseSource, titleOf } from '../../src/rag/sources/parse.js'

const MARKDOWN = `---
draft: false
---
# Parcels

Every parcel has a *number*.
It stands on the [label](https://example.org).

## Send one

To send a parcel:

1. Print the label.
   - On A6 paper.
2. Bring it to the \`shop\`.

\`\`\`sh
npm run send
\`\`\`

| Setting | Default |
|---------|---------|
| \`PORT\`  | 3000    |

<script>alert('no')</script><b>Bold &amp; plain</b>
`

const HTML = `<!doctype html><html><head><title>Shop &amp; more</title><style>p{color:red}</style><script>var a = "evil()"</script></head>
<body><nav><a href="/">Home</a></nav><header>Banner</header>
<h1>Returns</h1><p onclick="steal()">Send it <b>back</b><br>within 14&nbsp;days.</p>
<h2>Steps</h2><ol><li>Pack it<ul><li>well</li></ul></li><li>Post it</li></ol>
<table><tr><th>Country</th><th>Days</th></tr><tr><td>Spain</td><td>14</td></tr></table>
<pre>npm start
  now</pre><img alt="A picture" src=x onerror=alert(1)><iframe src="//evil"></iframe></body></html>`

describe('Sources', () => {
  it('reads Markdown as sections of plain text', () => {
    expect(parseSource(MARKDOWN, 'markdown')).toEqual([
      {
        headings: ['Parcels'],
        blocks: [{ kind: 'prose', text: 'Every parcel has a number. It stands on the label.' }],
      },
      {
        headings: ['Parcels', 'Send one'],
        blocks: [
          { kind: 'prose', text: 'To send a parcel:' },
          { kind: 'list', text: '1. Print the label.\n   - On A6 paper.\n2. Bring it to the shop.' },
          { kind: 'code', text: 'npm run send' },
          { kind: 'table', text: 'Setting | Default\nPORT | 3000' },
          { kind: 'prose', text: 'Bold & plain' },
        ],
      },
    ])
  })

  it('reads a page without its scripts, styles and navigation', () => {
    const sections = parseSource(HTML, 'html')
    expect(sections).toEqual([
      {
        headings: ['Returns'],
        blocks: [
          { kind: 'prose', text: 'Send it back' },
          { kind: 'prose', text: 'within 14 days.' },
        ],
      },
      {
        headings: ['Returns', 'Steps'],
        blocks: [
          { kind: 'list', text: '1. Pack it\n   - well\n2. Post it' },
          { kind: 'table', text: 'Country | Days\nSpain | 14' },
          { kind: 'code', text: 'npm start\n  now' },
          { kind: 'prose', text: 'A picture' },
        ],
      },
    ])
    expect(JSON.stringify(sections)).not.toMatch(/evil|steal|alert|color|Banner|Home/u)
  })

  it('reads plain text by its paragraphs and lists, wrapped lines joined', () => {
    const text =
      'This line was broken by an editor because it had become too\nlong for the window.\n\nWe need:\n- a label\n- a box'
    expect(parseSource(text, 'text')[0]?.blocks).toEqual([
      { kind: 'prose', text: 'This line was broken by an editor because it had become too long for the window.' },
      { kind: 'prose', text: 'We need:' },
      { kind: 'list', text: '- a label\n- a box' },
    ])
  })

  it.each([
    ['# Title\n\nText with **bold** words.\n', '', 'markdown'],
    ['# One\n\nText.\n\n## Two\n\nText.', '', 'markdown'],
    ['<!DOCTYPE html><p>Hi</p>', '', 'html'],
    ['<p>One</p><p>Two</p>', '', 'html'],
    ['Just a text, 1 < 2 and # no heading.', '', 'text'],
    ['x = 1\n# a comment of a script\ny = 2', '', 'text'],
    ['Just a text', 'docs/a.md', 'markdown'],
  ])('takes %j (%s) for %s', (text, path, format) => {
    expect(detectFormat(text, path)).toBe(format)
  })

  it('takes the title that a source gives itself', () => {
    expect(titleOf(MARKDOWN, 'markdown')).toBe('Parcels')
    expect(titleOf(HTML, 'html')).toBe('Shop & more')
    expect(titleOf('No title here', 'text')).toBeUndefined()
  })

  it.each([
    ['', 'text', 'document_empty'],
    ['<script>only()</script>', 'html', 'document_empty'],
    ['***\n\n---', 'markdown', 'document_empty'],
    [`${'<div>'.repeat(50_000)}deep`, 'html', 'document_too_nested'],
    [`${'> '.repeat(20_000)}deep`, 'markdown', 'document_too_nested'],
  ] as const)('refuses %#: what cannot be read, by name', (text, format, code) => {
    expect(() => parseSource(text, format)).toThrow(expect.objectContaining({ code }))
  })

  it('keeps headings that have nothing under them when there is nothing else', () => {
    expect(parseSource('# One\n\n## Two', 'markdown')).toEqual([
      { headings: [], blocks: [{ kind: 'prose', text: 'One\nTwo' }] },
    ])
  })

  it('reads HTML that is nested 500 deep', () => {
    expect(parseSource(`${'<div>'.repeat(500)}deep`, 'html')[0]?.blocks).toEqual([{ kind: 'prose', text: 'deep' }])
  })
})

describe('Sentences', () => {
  it.each([
    ['It costs 3.50 EUR. It is new.', ['It costs 3.50 EUR.', 'It is new.']],
    ['Use a tool, e.g. A hammer. Then go.', ['Use a tool, e.g. A hammer.', 'Then go.']],
    ['Ask Dr. Smith or J. Doe. They know.', ['Ask Dr. Smith or J. Doe.', 'They know.']],
    ['Das gilt z.B. Montags am 12. Mai. Sonst nicht.', ['Das gilt z.B. Montags am 12. Mai.', 'Sonst nicht.']],
    ['They won with 24. The others lost.', ['They won with 24.', 'The others lost.']],
    ['今日は晴れです。明日は雨です。', ['今日は晴れです。', '明日は雨です。']],
    ['Really? Yes! "No." Fine.', ['Really?', 'Yes!', '"No."', 'Fine.']],
    ['One line\nAnother line', ['One line', 'Another line']],
  ])('%j', (text, expected) => {
    expect(sentences(text).map(({ start, end }) => text.slice(start, end))).toEqual(expected)
  })
})

describe('Passages', () => {
  const long = Array.from({ length: 60 }, (_, index) => `Sentence number ${index} has exactly eight plain words.`).join(
    ' ',
  )

  it('cuts a long section into equal parts, between sentences', () => {
    const passages = makePassages('doc_1', parseSource(long, 'text'))
    const words = passages.map(({ text }) => text.split(' ').length)
    expect(Math.max(...words)).toBeLessThanOrEqual(190)
    expect(Math.max(...words) - Math.min(...words)).toBeLessThan(20)
    expect(passages.every(({ text }) => text.endsWith('.'))).toBe(true)
    expect(passages.map(({ text }) => text).join(' ')).toBe(long)
  })

  it('knows where each block of its text stands', () => {
    for (const { text, blocks } of makePassages('doc_1', parseSource(MARKDOWN, 'markdown'))) {
      expect(blocks.map(({ start, end }) => text.slice(start, end)).join('\n\n')).toBe(text)
    }
  })

  it('keeps a sentence that leads in with what follows it', () => {
    const words = (count: number) => `${'word '.repeat(count)}end.`
    const text = `# A\n\n${words(100)}\n\n${words(50)} Do this:\n\n- ${words(100)}\n- ${words(20)}`
    const found = makePassages('doc_1', parseSource(text, 'markdown')).find((passage) =>
      passage.text.includes('Do this:'),
    )
    expect(found?.text).toMatch(/Do this:\n\n- word/u)
  })

  it('has the same ids for the same content, and other ids in another document', () => {
    const ids = (document: string, text: string) =>
      makePassages(document, parseSource(text, 'text')).map(({ id }) => id)
    expect(ids('doc_1', long)).toEqual(ids('doc_1', long))
    expect(ids('doc_1', long)).not.toEqual(ids('doc_2', long))
    expect(ids('doc_1', `${long}\n\nMore.`).slice(0, 1)).toEqual(ids('doc_1', `${long}\n\nMore.`).slice(0, 1))
    const twice = makePassages('doc_1', parseSource('# A\n\nSame.\n\n# A\n\nSame.', 'markdown'))
    expect(new Set(twice.map(({ id }) => id)).size).toBe(2)
  })

  it('stays quick on a text without sentences, lines or blanks', () => {
    for (const text of ['x'.repeat(200_000), 'word '.repeat(100_000), 'A sentence. '.repeat(30_000)]) {
      const passages = makePassages('doc_1', parseSource(text, 'text'))
      expect(Math.max(...passages.map((passage) => passage.text.length))).toBeLessThan(7_000)
    }
  }, 5_000)
})
