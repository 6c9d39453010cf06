import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';

import jsonPatch from 'fast-json-patch';

import { homeOf } from '../../src/admission/judge.ts';
import { asObject, type JsonObject } from '../../src/kube/json.ts';
import { refOf, type ObjectRef } from '../../src/kube/object.ts';
import { TEMPLATE_KINDS, templatesOf, type TemplateKind } from '../../src/kube/templates.ts';
import { readManifests } from '../../src/manifests/manifests.ts';
import { RULES } from '../../src/rules/index.ts';
import { checkGoldens } from '../support/golden.ts';
import { mutateWrite, policyOf } from '../support/validate-review.ts';
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
      return runCli(['inject', ...policy, ...options], { cwd: folder });
    };

    it('writes the text, the patch and what it has to say', async () => {
      const yaml = await inject('in.yaml');
      const patch = await inject('in.yaml', '-o', 'patch');
      const { stdout } = await inject('in.yaml', '--companions');
      assert.equal(yaml.code, 0);
      assert.ok(stdout.startsWith(yaml.stdout));
      const companions = stdout.slice(yaml.stdout.length);
      const made = {
        'out.yaml': yaml.stdout,
        'patch.json': patch.stdout,
        'stderr.txt': yaml.stderr,
        ...(companions === '' ? {} : { 'companions.yaml': companions }),
      };
      checkGoldens(folder, made, ['in.yaml', 'policy.yaml']);
    });

    it('says the same in every format', async () => {
      const objects = objectsIn((await inject('in.yaml')).stdout);
      assert.deepEqual(objectsIn((await inject('in.yaml', '-o', 'json')).stdout), objects);
      const before = objectsIn(readFileSync(join(folder, 'in.yaml'), 'utf8'));
      assert.deepEqual(patched(before, (await inject('in.yaml', '-o', 'patch')).stdout), objects);
    });

    it('is what the webhook makes of the pods', async () => {
      const spec =
        policy.length === 0 ? {} : asObject(objectsIn(readFileSync(join(folder, 'policy.yaml'), 'utf8'))[0]?.['spec']);
      const { templateKinds } = policyOf(RULES, spec);
      const kinds = [...TEMPLATE_KINDS, ...templateKinds];
      const clusterObjects = objectsIn(readFileSync(join(folder, 'in.yaml'), 'utf8'));
      const expected = objectsIn(readFileSync(join(folder, 'out.yaml'), 'utf8'));
      for (const [at, object] of clusterObjects.entries()) {
        const after = podsOf(expected[at] ?? {}, kinds);
        for (const [number, pod] of podsOf(object, kinds).entries()) {
          const { mutated } = await mutateWrite({ object: pod, namespace: homeOf(object) }, { spec, clusterObjects });
          assert.deepEqual(mutated, after[number]);
        }
      }
    });

    it('finds nothing left to do in what it wrote', async () => {
      const once = readFileSync(join(folder, 'out.yaml'), 'utf8');
      const { stdout } = await runCli(['inject', ...policy, '-'], { cwd: folder, stdin: once });
      assert.equal(stdout, once);
    });
  });
}

function objectsIn(text: string): readonly JsonObject[] {
  const { manifests, errors } = readManifests('text', text);
  assert.deepEqual(errors, []);
  return manifests.map(({ object }) => object);
}

/** The pods of an object as a controller sends them to the API server. */
function podsOf(object: JsonObject, kinds: readonly TemplateKind[]): readonly JsonObject[] {
  const pods = object['kind'] === 'Pod' ? [object] : templatesOf(object, kinds).map(({ pod }) => pod);
  return pods.map((pod) => asObject(JSON.parse(JSON.stringify(pod))));
}

/** The objects after the patches that name them. */
function patched(objects: readonly JsonObject[], patches: string): readonly JsonObject[] {
  const changes: readonly { object: ObjectRef; patch: readonly jsonPatch.Operation[] }[] = JSON.parse(patches);
  return objects.map((object) => {
    const { kind, name } = refOf(object);
    const change = changes.find((each) => each.object.name === name && each.object.kind === kind);
    return change ? jsonPatch.applyPatch(structuredClone(object), [...change.patch], true).newDocument : object;
  });
}
