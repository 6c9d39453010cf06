// `npm run build`: the whole product in dist, which needs Node and nothing else; dist/scrapeguard.mjs starts it.
import { rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

import { bundle } from './bundle.ts';

const folder = fileURLToPath(new URL('../dist', import.meta.url));
rmSync(folder, { recursive: true, force: true });
const { start, modules, bytes } = await bundle(folder);
process.stdout.write(`${start} and ${modules - 1} modules beside it: ${Math.round(bytes / 1024)} KiB\n`);
