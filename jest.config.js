/** @type {import('jest').Config} */
export default {
  testEnvironment: 'node',
  extensionsToTreatAsEsm: ['.ts'],
  testMatch: ['<rootDir>/test/**/*.test.ts'],
  moduleNameMapper: { '^(\\.{1,2}/.*)\\.js$': '$1' },
  transform: {
    '^.+\\.ts$': [
      '@swc/jest',
      { jsc: { target: 'es2022', parser: { syntax: 'typescript' } }, module: { type: 'es6' }, sourceMaps: 'inline' },
    ],
  },
  globalSetup: '<rootDir>/test/support/global-setup.mjs',
  globalTeardown: '<rootDir>/test/support/global-teardown.mjs',
  // Of a small machine's processors none is left to itself; its suites wait for servers and browsers half of the time.
  maxWorkers: '100%',
  // Only what hangs is to end by it: a machine that does much else is slow at times.
  testTimeout: 90_000,
  workerIdleMemoryLimit: '900MB',
  // What runs in a browser is tested in one, where this does not count.
  collectCoverageFrom: ['src/**/*.ts', '!src/dashboard/**', '!src/channels/webchat/widget/**'],
  coverageProvider: 'v8',
  coverageReporters: ['text-summary', 'lcovonly'],
  coverageThreshold: { global: { lines: 70 } },
}
