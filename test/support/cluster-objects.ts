// Small objects for suites on a control plane, and what the API server's answer to one says about our verdict.
import { asObject, asString, type JsonObject } from '../../src/kube/json.ts';
import { RULES } from '../../src/rules/index.ts';
import type { ApiResponse } from './api-request.ts';

/** Of a container: a violation of the baseline rule kubelet-read-only-port. */
export const EXPOSES: JsonObject = { ports: [{ containerPort: 10255 }] };

/** Of a container: a violation of the strict rule kubelet-read-only-port-client. */
export const ASKS: JsonObject = { args: ['--kubelet=http://10.0.0.1:10255/metrics'] };

/** A Pod of one container, with more of the container or of its spec if given. */
export function makePod(name: string, container: JsonObject = {}, spec: JsonObject = {}): JsonObject {
  return { apiVersion: 'v1', kind: 'Pod', metadata: { name }, spec: makePodSpec(container, spec) };
}

/** The spec of such a Pod, with the label that `makeDeployment` selects. */
export function makePodSpec(container: JsonObject = {}, spec: JsonObject = {}): JsonObject {
  return { ...spec, containers: [{ name: 'main', image: 'example.com/main:1', ...container }] };
}

/** A Deployment of one Pod. */
export function makeDeployment(name: string, container: JsonObject = {}): JsonObject {
  const labels = { app: name };
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name },
    spec: { selector: { matchLabels: labels }, template: { metadata: { labels }, spec: makePodSpec(container) } },
  };
}

/** A Service of one port. */
export function makeService(name: string, port: JsonObject, spec: JsonObject = {}): JsonObject {
  const selector = { app: name };
  return { apiVersion: 'v1', kind: 'Service', metadata: { name }, spec: { selector, ports: [port], ...spec } };
}

/**
 * An answer in our words: `allowed`, `warned RULE...`, `break-glass RULE...`, `denied ENTRY RULE` with the first part of
 * the entry's name, or, when the API server itself has refused, the status and its message.
 */
export function verdictOf({ status, body, warnings }: ApiResponse): string {
  if (status === 200 || status === 201) {
    const rules = rulesIn(warnings);
    const word = warnings.some((warning) => warning.startsWith(BREAK_GLASS)) ? 'break-glass' : 'warned';
    return rules.length === 0 ? 'allowed' : [word, ...rules].join(' ');
  }
  const message = messageIn(body);
  const [, entry, refusal = ''] = REFUSAL.exec(message) ?? [];
  const rule = /See https:\/\/scrapeguard\.io\/rules\/([a-z-]+)\./.exec(refusal)?.[1];
  if (status !== 403 || entry === undefined || rule === undefined) return `${status} ${message}`;
  return `denied ${entry} ${rule}`;
}

/** The rules that warnings of ours name first, each once; the API server's own warnings are left out. */
export function rulesIn(warnings: readonly string[]): readonly string[] {
  const told = warnings.map((warning) => warning.replace(BREAK_GLASS, ''));
  return RULES.map(({ meta }) => meta.id).filter((id) => told.some((warning) => warning.startsWith(`${id}: `)));
}

/** The message of a Status. */
export function messageIn(body: unknown): string {
  return asString(asObject(body)['message']) ?? '';
}

const BREAK_GLASS = 'break-glass: ';

const REFUSAL = /^admission webhook "([a-z-]+)\.validate\.scrapeguard\.io" denied the request: (.*)$/s;
