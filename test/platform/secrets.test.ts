import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { makeSecrets } from '../../src/platform/secrets.js'

const secrets = makeSecrets('a secret of the tests, longer than thirty-two characters')

describe('what is sealed', () => {
  it('can be read again, and never looks the same twice', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const [one, two] = [secrets.seal('a', text), secrets.seal('a', text)]
        expect(one).not.toBe(two)
        expect(secrets.unseal('a', one)).toBe(Buffer.from(text, 'utf8').toString('utf8'))
      }),
    )
  })

  it('cannot be read under another key, for another purpose, or when anything in it was changed', () => {
    const sealed = secrets.seal('a', 'the secret')
    const elsewhere = makeSecrets('the secret of another installation, as long')
    const turned = `${sealed.startsWith('A') ? 'B' : 'A'}${sealed.slice(1)}`
    expect(() => elsewhere.unseal('a', sealed)).toThrow(/SECRET_KEY/)
    expect(() => secrets.unseal('b', sealed)).toThrow(/SECRET_KEY/)
    for (const damaged of [turned, sealed.slice(0, -2), sealed.slice(0, 10), ''])
      expect(() => secrets.unseal('a', damaged)).toThrow(/SECRET_KEY/)
  })
})
