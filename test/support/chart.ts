// The chart as helm renders it, where there is a helm.
import { fileURLToPath } from 'node:url';

import { parseAllDocuments } from 'yaml';

import { asObject, asString, asStrings, asList, isObject, type JsonObject } from '../../src/kube/json.ts';
import { runCommand } from './run-command.ts';
import { defaultLine, findToolchain } from './toolchain.ts';

/** The folder of the chart. */
export const CHART = fileURLToPath(new URL('../../deploy/helm/scrapeguard', import.meta.url));

const helm = (await findToolchain(defaultLine()))?.helm;

/** What the option `skip` of a test takes: a reason where there is no helm. */
export const helmSkip: string | false =
  helm === undefined ? 'there is no helm in the test toolchain; npm run test:cluster builds it' : false;

/** Settings of a rendering; the namespace is the usual one unless told. */
export type Rendering = { readonly namespace?: string; readonly values?: JsonObject };

/** The text that `helm template` writes, or what it complains about. */
export type Rendered = { readonly text: string; readonly error: string };

const rendered = new Map<string, Promise<Rendered>>();

/** Renders the chart, the same settings once. */
export async function renderText({ namespace = 'scrapeguard-system', values = {} }: Rendering = {}): Promise<Rendered> {
  const key = JSON.stringify([namespace, values]);
  const known = rendered.get(key) ?? render(namespace, values);
  rendered.set(key, known);
  return known;
}

async function render(namespace: string, values: JsonObject): Promise<Rendered> {
  const args = ['template', 'scrapeguard', CHART, '--namespace', namespace, '--values', '-'];
  // A third of the work would be to collect garbage, of which there is not much.
  const env = { ...process.env, GOGC: 'off' };
  const { code, stdout, stderr } = await runCommand(helm ?? 'helm', args, { input: JSON.stringify(values), env });
  return code === 0 ? { text: stdout, error: '' } : { text: '', error: stderr };
}

/** The objects of the chart, in the order in which they are made. Throws an Error with helm's complaint. */
export async function renderChart(rendering: Rendering = {}): Promise<readonly JsonObject[]> {
  const { text, error } = await renderText(rendering);
  if (error !== '') throw new Error(error);
  return parseAllDocuments(text)
    .map((document): unknown => document.toJS())
    .filter(isObject);
}

/** The only object of a kind, or the one of a name. Throws an Error when there is none. */
export function objectOf(objects: readonly JsonObject[], kind: string, name = 'scrapeguard'): JsonObject {
  const found = objects.find((object) => object['kind'] === kind && asObject(object['metadata'])['name'] === name);
  if (found === undefined) throw new Error(`There is no ${kind} ${name}.`);
  return found;
}

/** The policy in the ConfigMap. */
export function policyTextOf(objects: readonly JsonObject[]): string {
  return asString(asObject(objectOf(objects, 'ConfigMap')['data'])['policy.yaml']) ?? '';
}

/** The pod template of the Deployment. */
export function podSpecOf(objects: readonly JsonObject[]): JsonObject {
  const { template } = asObject(objectOf(objects, 'Deployment')['spec']);
  return asObject(asObject(template)['spec']);
}

/** The server's command line, after the program. */
export function argumentsOf(objects: readonly JsonObject[]): readonly string[] {
  return asStrings(asObject(asList(podSpecOf(objects)['containers'])[0])['args']);
}
