import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { asObject, asString, type JsonObject } from '../../src/kube/json.ts';

/** What the API server writes down: every request's metadata and annotations, when it is answered. No health checks and leases. */
export const AUDIT_POLICY: JsonObject = {
  apiVersion: 'audit.k8s.io/v1',
  kind: 'Policy',
  omitStages: ['RequestReceived', 'ResponseStarted'],
  rules: [
    { level: 'None', nonResourceURLs: ['/readyz*', '/livez*', '/healthz*'] },
    { level: 'None', resources: [{ group: 'coordination.k8s.io', resources: ['leases'] }] },
    { level: 'Metadata' },
  ],
};

/** One line of the API server's audit log, the parts that tests look at. */
export type AuditEvent = {
  readonly verb: string;
  readonly uri: string;
  readonly user: string;
  readonly resource: string;
  readonly subresource: string;
  readonly namespace: string;
  readonly name: string;
  readonly status: number;
  readonly annotations: Readonly<Record<string, string>>;
};

/** The audit log's events in order. A line that is still being written is left out. */
export async function readAuditLog(file: string): Promise<readonly AuditEvent[]> {
  const content = await readFile(file, 'utf8');
  const whole = content.slice(0, content.lastIndexOf('\n') + 1);
  return whole
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => toEvent(JSON.parse(line)));
}

/**
 * The matching events, as soon as there is one. The log is written when a request is over, which may be a moment after
 * its answer is here. Throws an Error when there is none after ten seconds.
 */
export async function waitForAuditEvents(
  file: string,
  matches: (event: AuditEvent) => boolean,
): Promise<readonly AuditEvent[]> {
  for (let attempt = 0; attempt < 100; attempt += 1) {
    const found = (await readAuditLog(file)).filter((event) => matches(event));
    if (found.length > 0) return found;
    await sleep(100);
  }
  throw new Error('The audit log holds no such event after ten seconds.');
}

function toEvent(line: unknown): AuditEvent {
  const event = asObject(line);
  const target = asObject(event['objectRef']);
  const status = asObject(event['responseStatus'])['code'];
  return {
    verb: asString(event['verb']) ?? '',
    uri: asString(event['requestURI']) ?? '',
    user: asString(asObject(event['user'])['username']) ?? '',
    resource: asString(target['resource']) ?? '',
    subresource: asString(target['subresource']) ?? '',
    namespace: asString(target['namespace']) ?? '',
    name: asString(target['name']) ?? '',
    status: typeof status === 'number' ? status : 0,
    annotations: onlyStrings(asObject(event['annotations'])),
  };
}

function onlyStrings(object: JsonObject): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(object).map(([key, value]) => [key, asString(value) ?? '']));
}
