import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { build } from 'esbuild';

import { bundledLicenses } from './bundled-licenses.ts';

const ROOT = new URL('../', import.meta.url);

// CommonJS among the dependencies calls `require`, which an ES module does not have.
const BANNER = `#!/usr/bin/env node
import { createRequire as __createRequire } from 'node:module';
const require = __createRequire(import.meta.url);`;

/** What was written: the file that starts the product, and all modules together. */
export interface Bundle {
  readonly start: string;
  readonly modules: number;
  readonly bytes: number;
}

/**
 * Writes the whole product into a folder, with the licences of everything in it: `scrapeguard.mjs`, which needs Node and
 * the modules beside it and nothing else. What is there already stays.
 */
export async function bundle(folder: string): Promise<Bundle> {
  const { metafile } = await build({
    absWorkingDir: fileURLToPath(ROOT),
    entryPoints: [{ in: 'src/launch.mjs', out: 'scrapeguard' }],
    outdir: folder,
    outExtension: { '.js': '.mjs' },
    // What is imported on demand gets a file of its own: the Kubernetes client is two thirds of the whole, and reading
    // it costs 100 ms and 30 MB that only a server in a cluster should pay.
    splitting: true,
    chunkNames: 'scrapeguard-[hash]',
    // CommonJS that is imported on demand would have no named exports.
    mainFields: ['module', 'main'],
    // Fastify's compilers of JSON Schemas, a fifth of what a server would read at its start: see src/server/no-schemas.ts.
    external: ['@fastify/ajv-compiler', '@fastify/fast-json-stringify-compiler'],
    bundle: true,
    // Names stay, so that an error that a user reports names functions, not letters. To shorten them and set the names
    // anew as the program runs would cost each request a tenth, for every closure that it makes.
    minifyWhitespace: true,
    minifySyntax: true,
    platform: 'node',
    target: 'node24',
    format: 'esm',
    // The whole licences are in a file of their own.
    legalComments: 'none',
    metafile: true,
    sourcemap: 'external',
    banner: { js: BANNER },
    logLevel: 'warning',
  });
  const start = join(folder, 'scrapeguard.mjs');
  chmodSync(start, 0o755);
  writeFileSync(join(folder, 'LICENSES.txt'), bundledLicenses(ROOT, Object.keys(metafile.inputs)));
  const modules = Object.entries(metafile.outputs).filter(([path]) => path.endsWith('.mjs'));
  return { start, modules: modules.length, bytes: modules.reduce((sum, [, { bytes }]) => sum + bytes, 0) };
}
