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
    ['an unknown log level', { LOG_LEVEL: 'loud' }, /^LOG_LEVEL: /],
  ])('refuses %s by name', (_what, env, message) => {
    const attempt = () => readConfig(env)
    expect(attempt).toThrow(ConfigError)
    expect(attempt).toThrow(message)
  })

  it('takes an empty variable for an unset one', () => {
    expect(readConfig({ PORT: '', PUBLIC_URL: '' }).PORT).toBe(3000)
  })

  it('is described in the README and .env.example as it is (npm run docs)', () => {
    expect(file('README.md')).toBe(withTable(environment, file('README.md')))
    expect(file('.env.example')).toBe(envExample(environment))
  })
})
