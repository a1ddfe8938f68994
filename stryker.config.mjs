import { tmpdir } from 'node:os'
import { join } from 'node:path'
import jestConfig from './jest.config.js'

// What the tests of the service levels are worth: every line of `src/sla` is changed in every small way, and a test must
// go red. Those tests are pure, so the embedded store that the others need is not started.
const { globalSetup: _start, globalTeardown: _stop, ...pure } = jestConfig

// A mutant is met by every example and by this many random cases of each property.
process.env['PROPERTY_RUNS'] ??= '25'

export default {
  mutate: ['src/sla/**/*.ts'],
  ignorePatterns: [
    '**',
    '!src/sla/**',
    '!test/sla/**',
    '!test/support/first-counterexample.ts',
    '!package.json',
    '!tsconfig.json',
  ],
  testRunner: 'jest',
  testRunnerNodeArgs: ['--experimental-vm-modules', '--no-warnings'],
  jest: {
    config: {
      ...pure,
      testMatch: ['<rootDir>/test/sla/**/*.test.ts'],
      setupFiles: ['<rootDir>/test/support/first-counterexample.ts'],
      testEnvironment: join(import.meta.dirname, 'test/support/first-failure.cjs'),
    },
  },
  coverageAnalysis: 'perTest',
  concurrency: 2,
  tempDirName: join(tmpdir(), 'stryker-helpdesk'),
  reporters: ['clear-text', 'progress-append-only'],
  thresholds: { high: 95, low: 90, break: 85 },
}
