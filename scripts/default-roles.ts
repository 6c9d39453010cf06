// Writes src/rbac/default-roles: the roles and bindings that a kube-apiserver makes by itself, asked from a real one of
// each line in test/support/toolchain.ts. The newest line is written whole, an older one as its difference.
//   node scripts/default-roles.ts
import { writeFile } from 'node:fs/promises';
import { isDeepStrictEqual } from 'node:util';
import { asList, asObject, asString, type JsonObject, own } from '../src/kube/json.ts';
import { startControlPlane } from '../test/support/control-plane.ts';
import { KUBERNETES_LINES, type KubernetesLine } from '../test/support/toolchain.ts';

const FOLDER = new URL('../src/rbac/default-roles/', import.meta.url);
const KINDS = {
  clusterroles: 'ClusterRole',
  clusterrolebindings: 'ClusterRoleBinding',
  roles: 'Role',
  rolebindings: 'RoleBinding',
};
const SPEC_FIELDS = ['aggregationRule', 'rules', 'roleRef', 'subjects'];
const METADATA_FIELDS = ['namespace', 'name', 'labels'];

const [newest, ...older] = KUBERNETES_LINES;
const objects = await readDefaults(newest);
await write(newest, { objects });
for (const line of older) await write(line, difference(objects, await readDefaults(line)));

async function readDefaults(line: KubernetesLine): Promise<readonly JsonObject[]> {
  // Without controllers: aggregated roles keep what the API server gave them, which is nothing.
  const controlPlane = await startControlPlane({ line, controllers: false });
  try {
    const lists: (readonly JsonObject[])[] = [];
    for (const [plural, kind] of Object.entries(KINDS)) {
      const path = `/apis/rbac.authorization.k8s.io/v1/${plural}?labelSelector=kubernetes.io/bootstrapping%3Drbac-defaults`;
      const list = asObject((await controlPlane.request(path)).body);
      lists.push(asList(own(list, 'items')).map((item) => shorten(kind, asObject(item))));
    }
    return lists.flat();
  } finally {
    await controlPlane.stop();
  }
}

function shorten(kind: string, object: JsonObject): JsonObject {
  const metadata = pick(asObject(own(object, 'metadata')), METADATA_FIELDS);
  return { kind, metadata, ...pick(object, SPEC_FIELDS) };
}

function pick(object: JsonObject, fields: readonly string[]): JsonObject {
  return Object.fromEntries(
    fields.filter((field) => own(object, field) !== undefined).map((field) => [field, object[field]]),
  );
}

/** What has to be put in the place of, and left out of, some objects to get others. */
function difference(from: readonly JsonObject[], to: readonly JsonObject[]): JsonObject {
  const before = new Map(from.map((object) => [keyOf(object), object]));
  const after = new Set(to.map(keyOf));
  return {
    absent: [...before.keys()].filter((key) => !after.has(key)),
    objects: to.filter((object) => !isDeepStrictEqual(object, before.get(keyOf(object)))),
  };
}

function keyOf(object: JsonObject): string {
  const metadata = asObject(own(object, 'metadata'));
  const parts = [own(object, 'kind'), own(metadata, 'namespace'), own(metadata, 'name')].map(asString);
  return parts.filter((part) => part !== undefined).join(' ');
}

/** One object a line, so that a change of one is a change of one line. */
async function write(line: KubernetesLine, { absent, objects: list }: JsonObject): Promise<void> {
  const lines = asList(list)
    .map((object) => `    ${JSON.stringify(object)}`)
    .join(',\n');
  const gone = absent === undefined ? '' : `  "absent": ${JSON.stringify(absent)},\n`;
  await writeFile(new URL(`kubernetes-${line}.json`, FOLDER), `{\n${gone}  "objects": [\n${lines}\n  ]\n}\n`);
  process.stderr.write(`Kubernetes ${line}: ${asList(list).length} objects.\n`);
}
