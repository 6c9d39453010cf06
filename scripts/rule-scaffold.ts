// What `npm run new-rule` writes: a small rule that works, to be made into the one that is meant.

/** Why an id cannot be that of a rule, or undefined when it can. */
export function idProblem(id: string, known: Iterable<string>): string | undefined {
  if (!/^[a-z][a-z0-9]*(?:-[a-z0-9]+)+$/.test(id)) {
    return `"${id}" is no id: write at least two lower-case words with a hyphen between them, like kubelet-read-only-port.`;
  }
  if (id.length > 63) return `"${id}" is too long: an id has at most 63 characters.`;
  return [...known].includes(id) ? `There is a rule called "${id}" already.` : undefined;
}

/** The files of a new rule by their paths from the root of the repository; generated pages are not among them. */
export function scaffold(id: string): ReadonlyMap<string, string> {
  const examples = `policies/${id}/examples`;
  return new Map([
    [`src/rules/${id}.ts`, ruleFile(id)],
    [`test/rules/${id}.test.ts`, testFile(id)],
    [
      `${examples}/denied/placeholder-image.yaml`,
      example('A pod that still runs the image of an example.', `${id}.invalid/app:1`),
    ],
    [
      `${examples}/allowed/real-image.yaml`,
      example('A pod that runs an image of a registry.', 'registry.k8s.io/pause:3.10'),
    ],
  ]);
}

/** The text of src/rules/index.ts with one more rule at the end of the list. */
export function withRule(index: string, id: string): string {
  const name = camelCase(id);
  const lines = index.split('\n');
  const lastImport = lines.findLastIndex((line) => line.startsWith('import '));
  const list = /(export const RULES: readonly Rule\[\] = \[)([^\]]*?),?\s*\];/;
  const imported = lines.toSpliced(lastImport + 1, 0, `import ${name} from './${id}.ts';`).join('\n');
  if (lastImport < 0 || !list.test(imported)) throw new Error('src/rules/index.ts holds no list of rules.');
  return imported.replace(
    list,
    (_, head: string, rules: string) => `${head}${rules}${rules.trim() ? ', ' : ''}${name}];`,
  );
}

function camelCase(id: string): string {
  return id.replaceAll(/-([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
}

function ruleFile(id: string): string {
  return `import { Type } from 'typebox';

import { asString } from '../kube/json.ts';
import { containersOf } from '../kube/pods.ts';
import { defineRule } from '../policy/rule.ts';

export default defineRule({
  meta: {
    id: '${id}',
    title: 'No container may run the image of an example',
    severity: 'low',
    profile: 'baseline',
    targets: ['pods', 'templates'],
    judges: 'pod',
    reads: [],
    rationale: 'No registry can have a name that ends in .invalid, so such an image was copied from an example.',
    remediation: 'Name the image that the container is meant to run.',
    references: ['https://www.rfc-editor.org/rfc/rfc2606'],
    controls: [],
    messages: {
      placeholderImage: {
        level: 'violation',
        text: 'container "{{container}}" runs the image {{image}}, which can come from no registry',
      },
    },
  },
  params: Type.Object({
    prefixes: Type.Array(Type.String({ minLength: 1 }), {
      default: ['${id}.invalid/'],
      description: 'How the names of such images begin.',
    }),
  }),
  *check(pod, { params }) {
    for (const { name, spec, path } of containersOf(pod)) {
      const image = asString(spec['image']);
      if (image === undefined || !params.prefixes.some((prefix) => image.startsWith(prefix))) continue;
      yield { messageId: 'placeholderImage', path: \`\${path}/image\`, data: { container: name, image } };
    }
  },
});
`;
}

function testFile(id: string): string {
  return `import rule from '../../src/rules/${id}.ts';
import { makePod, testRule } from '../support/rule-tester.ts';

testRule(rule, [
  {
    name: 'an image of an example is refused',
    object: makePod({ container: { image: '${id}.invalid/app:1' } }),
    findings: ['placeholderImage /spec/containers/0/image'],
  },
  {
    name: 'an init container is a container like any other',
    object: makePod({ spec: { initContainers: [{ name: 'first', image: '${id}.invalid/first' }] } }),
    findings: ['placeholderImage /spec/initContainers/0/image'],
  },
  {
    name: 'other prefixes can be named',
    object: makePod({ container: { image: 'example.test/app' } }),
    params: { prefixes: ['example.test/'] },
    findings: ['placeholderImage /spec/containers/0/image'],
  },
  { name: 'an image of a registry is allowed', object: makePod(), findings: [] },
  { name: 'an image that is no string is no concern', object: makePod({ container: { image: 1 } }), findings: [] },
]);
`;
}

function example(sentence: string, image: string): string {
  return `# ${sentence}
apiVersion: v1
kind: Pod
metadata:
  name: app
spec:
  containers:
  - name: app
    image: ${image}
`;
}
