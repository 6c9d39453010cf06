import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';

import jsonPatch from 'fast-json-patch';

import { readManifests } from '../../src/manifests/manifests.ts';
import { checkGoldens } from '../support/golden.ts';
import { runCli } from './run-cli.ts';

const CASES = fileURLToPath(new URL('../golden/inject', import.meta.url));

// A case is a folder with `in.yaml`; `policy.yaml` beside it is the policy where there is one. Everything else in the
// folder is made by UPDATE_GOLDEN=1.

for (const name of readdirSync(CASES)) {
  describe(`inject, in golden files: ${name}`, () => {
    const folder = join(CASES, name);
    const policy = readdirSync(folder).includes('policy.yaml') ? ['--policy', 'policy.yaml'] : [];
    const inject = async (...options: readonly string[]): Promise<Awaited<ReturnType<typeof runCli>>> => {
      // Paths in the output are as they were given.
      process.chdir(folder);
      return runCli(['inject', ...policy, ...options]);
    };

    it('writes the text, the patch and what it has to say', async () => {
      const yaml = await inject('in.yaml');
      const patch = await inject('in.yaml', '-o', 'patch');
      assert.equal(yaml.code, 0);
      const made = { 'out.yaml': yaml.stdout, 'patch.json': patch.stdout, 'stderr.txt': yaml.stderr };
      checkGoldens(folder, made, ['in.yaml', 'policy.yaml']);
    });

    it('says the same in every format', async () => {
      const objects = objectsIn((await inject('in.yaml')).stdout);
      assert.deepEqual(objectsIn((await inject('in.yaml', '-o', 'json')).stdout), objects);
      const before = objectsIn(readFileSync(join(folder, 'in.yaml'), 'utf8'));
      assert.deepEqual(patched(before, (await inject('in.yaml', '-o', 'patch')).stdout), objects);
    });

    it('finds nothing left to do in what it wrote', async () => {
      const once = readFileSync(join(folder, 'out.yaml'), 'utf8');
      process.chdir(folder);
      const { stdout } = await runCli(['inject', ...policy, '-'], { stdin: once });
      assert.equal(stdout, once);
    });
  });
}

function objectsIn(text: string): readonly object[] {
  const { manifests, errors } = readManifests('text', text);
  assert.deepEqual(errors, []);
  return manifests.map(({ object }) => object);
}

/** The objects after the patches that name them. */
function patched(objects: readonly object[], patches: string): readonly object[] {
  const changes: readonly { object: { kind: string; name: string }; patch: readonly jsonPatch.Operation[] }[] =
    JSON.parse(patches);
  return objects.map((object) => {
    const change = changes.find((each) => each.object.name === nameOf(object) && each.object.kind === kindOf(object));
    return change ? jsonPatch.applyPatch(structuredClone(object), [...change.patch], true).newDocument : object;
  });
}

function nameOf(object: object): unknown {
  return 'metadata' in object && typeof object.metadata === 'object' && object.metadata && 'name' in object.metadata
    ? object.metadata.name
    : undefined;
}

function kindOf(object: object): unknown {
  return 'kind' in object ? object.kind : undefined;
}
