import react from '@vitejs/plugin-react'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { gzipSync } from 'node:zlib'
import { defineConfig, type Plugin } from 'vite'

const OUT = path.resolve(import.meta.dirname, '../../dist/public/dashboard')

/** Compressed once here instead of at each request: the server sends the twin to whoever takes gzip. */
const compressed = (): Plugin => ({
  name: 'compressed',
  closeBundle: () => {
    const assets = path.join(OUT, 'assets')
    for (const name of readdirSync(assets)) {
      if (!/\.(js|css|svg)$/.test(name)) continue
      writeFileSync(path.join(assets, `${name}.gz`), gzipSync(readFileSync(path.join(assets, name)), { level: 9 }))
    }
  },
})

/** What every page needs goes together: many small files compress worse than one, and are asked for one by one. */
const FIRST = {
  name: 'first',
  test: new RegExp(
    [
      /node_modules\/(react|react-dom|scheduler|i18next|react-i18next|clsx|use-sync-external-store)\//,
      /node_modules\/(@tanstack|socket\.io|engine\.io|@socket\.io)/,
      /dashboard\/(server|ui\/(clock|commands|face|menu|states|tell|time)|languages\/(desk\/en|index))/,
      /dashboard\/inbox\/(news|follow|outbox|drafts)/,
    ]
      .map(({ source }) => source)
      .join('|'),
  ),
}

export default defineConfig({
  root: import.meta.dirname,
  base: '/',
  plugins: [react(), compressed()],
  build: {
    outDir: OUT,
    emptyOutDir: true,
    target: 'es2022',
    // Nothing is inlined: the content security policy lets a page load our files and nothing else.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
    chunkSizeWarningLimit: 700,
    rollupOptions: { output: { codeSplitting: { groups: [FIRST] } } },
  },
})
