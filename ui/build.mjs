// Builds the page: node build.mjs [DIR]. The same sources give the same bytes on every machine.
import { build } from 'esbuild'
import { copyFile, mkdir, readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const here = dirname(fileURLToPath(import.meta.url))
const out = process.argv[2] ?? join(here, '../internal/app/web/assets/dist')
await mkdir(out, { recursive: true })
const license = await readFile(join(here, 'node_modules/preact/LICENSE'), 'utf8')
await build({
  absWorkingDir: here,
  entryPoints: { app: 'src/main.tsx' },
  outdir: out,
  bundle: true,
  minify: true,
  format: 'esm',
  target: 'es2022',
  jsx: 'automatic',
  jsxImportSource: 'preact',
  banner: { js: `/*! This file contains Preact.\n\n${license.trim()}\n*/` },
  legalComments: 'inline',
  charset: 'utf8',
  logLevel: 'warning',
})
for (const name of ['index.html', 'icon.svg']) await copyFile(join(here, 'src', name), join(out, name))
