// `npm run manifests` renders the chart into deploy/manifests, one file a mode. It needs helm, which
// `npm run test:cluster` builds.
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';

import { CHART_MODES } from './chart-files.ts';
import { manifestPath, plainManifest } from './plain-manifests.ts';

for (const mode of CHART_MODES) {
  const file = fileURLToPath(new URL(`../${manifestPath(mode)}`, import.meta.url));
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, await plainManifest(mode));
}
