import { posix } from 'node:path';

import { init, parse, type Import } from 'es-module-lexer';
import { transformSync } from 'esbuild';

// The import arrows of the product and what its pure part may not touch, as tables and one function over a module's
// text.

/** The layers of `src`, lowest first: a module imports from its own folder and from lower layers only. */
export const LAYERS: readonly (readonly string[])[] = [
  ['kube'],
  ['rbac'],
  ['policy'],
  ['inject'],
  ['rules'],
  ['admission'],
  ['report'],
  ['manifests'],
  ['config', 'cluster', 'tls'],
  ['server', 'audit'],
  ['cli'],
  ['main'],
];

/** The folders that know neither clock nor environment and need no mock in a test. */
const PURE: ReadonlySet<string> = new Set(['kube', 'rbac', 'policy', 'inject', 'rules', 'admission', 'report']);

/** The packages that a pure folder may run; everything else, `node:*` included, it knows by type at most. */
const PURE_PACKAGES: ReadonlySet<string> = new Set(['ajv', 'fast-json-patch', 'typebox', 'yaml']);

/** Packages that belong to some folders alone. */
const HOMES: Readonly<Record<string, readonly string[]>> = {
  '@kubernetes/client-node': ['cluster'],
  '@peculiar/x509': ['tls'],
  ajv: ['policy'],
  commander: ['cli'],
  'fast-json-patch': ['inject'],
  fastify: ['server'],
  pino: ['cli'],
};

/** What no pure module may ask for: the time, chance, and the process it runs in. */
const AMBIENT: readonly (readonly [RegExp, string])[] = [
  [/\bDate\.now\b/, 'reads the clock (Date.now)'],
  [/\bnew Date\(\s*\)|\bnew Date\b(?!\()/, 'reads the clock (new Date())'],
  [/\bperformance\.now\b/, 'reads the clock (performance.now)'],
  [/\bMath\.random\b/, 'throws dice (Math.random)'],
  [/\bset(?:Timeout|Interval|Immediate)\b/, 'sets a timer'],
  [/\bprocess\./, 'knows the process it runs in'],
  [/\bfetch\(/, 'calls over the network'],
];

await init();

/** What is wrong with the module at `file` (`src/kube/json.ts`): one sentence a wrong arrow or a forbidden thing. */
export function wrongsOf(file: string, source: string): string[] {
  const folder = folderOf(file);
  if (layerOf(folder) < 0) return [`${file} is in no layer`];
  const imports = importsOf(source);
  return [
    ...imports.flatMap((each) => arrowWrongs(file, folder, each.specifier)),
    ...imports.filter(({ isType }) => !isType).flatMap((each) => packageWrongs(file, folder, each.specifier)),
    ...codeWrongs(file, folder, source),
  ];
}

interface ImportOf {
  readonly specifier: string;
  /** True for an import that only the compiler sees. */
  readonly isType: boolean;
}

function importsOf(source: string): ImportOf[] {
  const [imports] = parse(source);
  return imports.flatMap((found) =>
    typeof found.specifier === 'string' ? [{ specifier: found.specifier, isType: isTypeOnly(found) }] : [],
  );
}

function isTypeOnly(found: Import): boolean {
  return found.type === 'dynamic' ? found.probablyTypeOnly : found.typeOnly;
}

/** `kube` for src/kube/json.ts, `main` for src/main.ts and src/launch.mjs. */
function folderOf(file: string): string {
  const [, folder = '', ...rest] = file.split('/');
  return rest.length === 0 ? 'main' : folder;
}

function layerOf(folder: string): number {
  return LAYERS.findIndex((layer) => layer.includes(folder));
}

function arrowWrongs(file: string, folder: string, specifier: string): string[] {
  if (!specifier.startsWith('.')) return [];
  const target = posix.join(posix.dirname(file), specifier);
  if (!target.startsWith('src/')) return isData(target) ? [] : [`${file} imports ${target}, which is not in src`];
  const other = folderOf(target);
  if (other === folder) return isRuleOfRule(file, target) ? [`${file} imports another rule, ${target}`] : [];
  if (layerOf(other) < layerOf(folder) && layerOf(other) >= 0) return [];
  return [`${file} imports ${target}, but ${folder} may not know ${other}`];
}

function isData(target: string): boolean {
  return target === 'package.json' || target.startsWith('policies/');
}

function isRuleOfRule(file: string, target: string): boolean {
  return file.startsWith('src/rules/') && file !== 'src/rules/index.ts' && target !== file;
}

function packageWrongs(file: string, folder: string, specifier: string): string[] {
  if (specifier.startsWith('.')) return [];
  const name = packageOf(specifier);
  const homes = Object.hasOwn(HOMES, name) ? HOMES[name] : undefined;
  if (homes !== undefined && !homes.includes(folder)) {
    return [`${file} imports ${name}, which only ${homes.join(' and ')} may do`];
  }
  if (!PURE.has(folder) || PURE_PACKAGES.has(name)) return [];
  return [`${file} imports ${name}, but ${folder} is pure`];
}

/** The package of a specifier: `typebox` for `typebox/value`; a built-in module is its own. */
function packageOf(specifier: string): string {
  if (specifier.startsWith('node:')) return specifier;
  return specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/');
}

function codeWrongs(file: string, folder: string, source: string): string[] {
  const code = withoutComments(source);
  const ambient = PURE.has(folder) ? AMBIENT.filter(([pattern]) => pattern.test(code)) : [];
  const exits = folder !== 'main' && /\bprocess\.(?:exit|exitCode|abort|reallyExit)\b/.test(code);
  return [
    ...ambient.map(([, wrong]) => `${file} ${wrong}, but ${folder} is pure`),
    ...(exits ? [`${file} decides how the process ends, which only main does`] : []),
  ];
}

function withoutComments(source: string): string {
  return transformSync(source, { loader: 'ts', target: 'esnext', legalComments: 'none' }).code;
}
