import { describe, expect, it } from '@jest/globals'
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { envExample, withTable } from '../scripts/configuration.mjs'
import { ConfigError, environment, readConfig } from '../src/config.js'

const file = (name: string) => readFileSync(path.resolve(import.meta.dirname, '..', name), 'utf8')

describe('the configuration', () => {
  it('has defaults for everything', () => {
    expect(readConfig({})).toMatchObject({ PORT: 3000, HOST: '127.0.0.1', DATA_DIR: './data' })
  })

  it.each([
    ['a port that is none', { PORT: 'http' }, /^PORT: /],
    ['a port out of range', { PORT: '70000' }, /^PORT: /],
    ['an address that is no URL', { PUBLIC_URL: 'support.example.com' }, /^PUBLIC_URL: /],
    ['a database of another kind', { MONGODB_URI: 'postgres://localhost' }, /^MONGODB_URI: /],
    ['MongoDB without a secret', { MONGODB_URI: 'mongodb://localhost' }, /^SECRET_KEY: is required/],
    ['production without a secret', { NODE_ENV: 'production' }, /^SECRET_KEY: is required/],
    ['a short secret', { SECRET_KEY: 'short' }, /^SECRET_KEY: /],
    ['an owner without a password', { HELPDESK_ADMIN_EMAIL: 'a@example.com' }, /^HELPDESK_ADMIN_PASSWORD: /],
    ['a model without a key', { OPENAI_MODEL: 'gpt-4.1-mini' }, /^OPENAI_API_KEY: is required/],
    ['embeddings without a key', { OPENAI_EMBEDDING_MODEL: 'text-embedding-3-small' }, /^OPENAI_API_KEY: is required/],
    [
      'a check of what no model writes',
      { OPENAI_ENTAILMENT_MODEL: 'm', OPENAI_API_KEY: 'k' },
      /^OPENAI_ENTAILMENT_MODEL: /,
    ],
    ['a model at no address', { OPENAI_BASE_URL: 'localhost:11434/v1' }, /^OPENAI_BASE_URL: /],
    ['a password in an address', { OPENAI_BASE_URL: 'http://me:pass@localhost/v1' }, /^OPENAI_BASE_URL: /],
    ['a key with a line break', { OPENAI_API_KEY: 'sk-1\nX-Other: 2' }, /^OPENAI_API_KEY: /],
    ['half a price', { OPENAI_INPUT_PRICE: '0.4' }, /^OPENAI_OUTPUT_PRICE: /],
    ['a price that is none', { OPENAI_INPUT_PRICE: 'cheap', OPENAI_OUTPUT_PRICE: '1' }, /^OPENAI_INPUT_PRICE: /],
    ['a first token that never comes', { OPENAI_FIRST_TOKEN_MS: '60000' }, /^OPENAI_FIRST_TOKEN_MS: /],
    ['an unknown log level', { LOG_LEVEL: 'loud' }, /^LOG_LEVEL: /],
  ])('refuses %s by name', (_what, env, message) => {
    const attempt = () => readConfig(env)
    expect(attempt).toThrow(ConfigError)
    expect(attempt).toThrow(message)
  })

  it('asks a server of your own without a key', () => {
    const config = readConfig({
      OPENAI_BASE_URL: 'http://127.0.0.1:11434/v1',
      OPENAI_MODEL: 'llama',
      OPENAI_API_KEY: '',
    })
    expect(config.OPENAI_MODEL).toBe('llama')
    expect(config.OPENAI_API_KEY).toBeUndefined()
  })

  it('takes an empty variable for an unset one', () => {
    expect(readConfig({ PORT: '', PUBLIC_URL: '' }).PORT).toBe(3000)
  })

  it('is described in the README and .env.example as it is (npm run docs)', () => {
    expect(file('README.md')).toBe(withTable(environment, file('README.md')))
    expect(file('.env.example')).toBe(envExample(environment))
  })
})
