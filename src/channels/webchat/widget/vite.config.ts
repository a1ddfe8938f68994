import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { gzipSync } from 'node:zlib'
import { build, defineConfig, type Plugin } from 'vite'

const PUBLIC = path.resolve(import.meta.dirname, '../../../../dist/public')
const BODY = path.join(PUBLIC, 'widget')

/**
 * The loader is a classic script that any page can carry, and must know what the body's file is called: it is built last.
 * Everything is compressed here once instead of at each request.
 */
const loaderAndTwins = (): Plugin => ({
  name: 'loader-and-twins',
  writeBundle: async (_options, bundle) => {
    const body = Object.values(bundle).find((file) => file.type === 'chunk' && file.isEntry && file.name === 'body')
    if (!body) throw new Error('the body was not built')
    await build({
      configFile: false,
      root: import.meta.dirname,
      logLevel: 'warn',
      define: { __BODY__: JSON.stringify(`/widget/${body.fileName}`) },
      build: {
        outDir: PUBLIC,
        emptyOutDir: false,
        target: 'es2022',
        reportCompressedSize: false,
        lib: { entry: 'loader.ts', formats: ['iife'], name: 'HelpdeskLoader', fileName: () => 'widget.js' },
      },
    })
    for (const folder of [PUBLIC, BODY]) {
      for (const name of readdirSync(folder)) {
        if (!/\.(js|css|svg)$/.test(name)) continue
        writeFileSync(path.join(folder, `${name}.gz`), gzipSync(readFileSync(path.join(folder, name)), { level: 9 }))
      }
    }
  },
})

export default defineConfig({
  root: import.meta.dirname,
  plugins: [loaderAndTwins()],
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  build: {
    outDir: BODY,
    emptyOutDir: true,
    target: 'es2022',
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
    cssCodeSplit: true,
    rolldownOptions: {
      input: { body: path.join(import.meta.dirname, 'body.tsx'), demo: path.join(import.meta.dirname, 'demo.ts') },
      preserveEntrySignatures: 'strict',
      output: {
        entryFileNames: ({ name }) => (name === 'demo' ? 'demo.js' : '[name]-[hash].js'),
        chunkFileNames: '[name]-[hash].js',
        assetFileNames: '[name][extname]',
      },
    },
  },
})
