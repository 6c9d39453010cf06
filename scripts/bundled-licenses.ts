import { readdirSync, readFileSync } from 'node:fs';

import { asObject } from '../src/kube/json.ts';

/**
 * The licences of the packages in a bundle, each under the name, version and declared licence of its package; `inputs`
 * are the paths that were bundled, from the root of the repository.
 */
export function bundledLicenses(root: URL, inputs: readonly string[]): string {
  const packages = new Set(inputs.flatMap((input) => /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(input) ?? []));
  return [...packages]
    .sort()
    .map((folder) => licenseOf(new URL(`${folder}/`, root)))
    .join('\n');
}

function licenseOf(folder: URL): string {
  const manifest: unknown = JSON.parse(readFileSync(new URL('package.json', folder), 'utf8'));
  const { name, version, license } = asObject(manifest);
  const file = readdirSync(folder).find((each) => /^licen[cs]e/i.test(each));
  const text = file === undefined ? 'The package brings no text.' : readFileSync(new URL(file, folder), 'utf8').trim();
  return `# ${String(name)} ${String(version)}, ${String(license)}\n\n${text}\n`;
}
