// What it costs to follow a large cluster's roles and bindings, and to decide on a role that reaches a thousand of them.

import { rmSync, writeFileSync } from 'node:fs';
import { get } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { decodeReview } from '../src/admission/decode.ts';
import { validate } from '../src/admission/validate.ts';
import { watchEventOf } from '../src/cluster/watch-event.ts';
import { readPolicy } from '../src/config/policy-file.ts';
import { asList, asObject, type JsonObject } from '../src/kube/json.ts';
import { NEWEST_VERSION } from '../src/policy/cluster-view.ts';
import { makeRuleset } from '../src/policy/ruleset.ts';
import { GrantsIndex } from '../src/rbac/grants-index.ts';
import { RULES } from '../src/rules/index.ts';
import { startChild } from './children.ts';
import { BINDINGS, CHAIN, clusterRoleNumber, COLLECTIONS, pageText } from './large-cluster.ts';
import { quantile, residentMebibytes } from './load.ts';

const PAGE = 500;
const MEMORY_BAR = 260;
const HANDLER_BAR_MS = 50;
const DECISION_BAR_MS = 1;
const IDLE_MS = 20_000;
/** The clock of a thread's CPU is coarse: so many decisions are measured together. */
const BATCH = 25;
const BATCHES = 15;
const NEVER = AbortSignal.any([]);

/** The rows of memory, of the longest page and event, and of the decision. `bundle` is the bundle's command line. */
export async function grantsRows(bundle: readonly string[], freePort: () => Promise<number>): Promise<string[][]> {
  const { index, longestPage } = fillIndex();
  return [
    await memoryRow(bundle, freePort),
    ['CPU of the longest page of a list', `${longestPage.toFixed(1)} ms`, `< ${HANDLER_BAR_MS} ms`],
    ['CPU of an event of 1.7 MB', `${largeEvent(index).toFixed(1)} ms`, `< ${HANDLER_BAR_MS} ms`],
    await decisionRow(index),
  ];
}

/** The server as it is installed, with everything listed and after twenty idle seconds. */
async function memoryRow(bundle: readonly string[], freePort: () => Promise<number>): Promise<string[]> {
  const [listPort, port] = [await freePort(), await freePort()];
  const kubeconfig = join(tmpdir(), `scrapeguard-bench-${process.pid}`);
  writeFileSync(kubeconfig, kubeconfigFor(listPort), { mode: 0o600 });
  const lists = startChild(['bench/list-server.ts', String(listPort)]);
  await sleep(1_000);
  const args = [...bundle, String(port), '--metrics-port', '0', '--kubeconfig', kubeconfig];
  const server = startChild(args);
  try {
    await untilReady(port);
    await sleep(IDLE_MS);
    const memory = residentMebibytes(server.pid ?? 0);
    const name = `memory, ${COLLECTIONS['clusterroles']?.count} ClusterRoles and ${BINDINGS} ClusterRoleBindings, idle`;
    return [name, `${memory.toFixed(0)} MiB`, `<= ${MEMORY_BAR} MiB`];
  } finally {
    server.kill();
    lists.kill();
    rmSync(kubeconfig);
  }
}

async function untilReady(port: number): Promise<void> {
  for (let attempt = 0; attempt < 1_200; attempt += 1) {
    if ((await statusOf(port)) === 200) return;
    await sleep(50);
  }
  throw new Error('the server did not become ready');
}

function statusOf(port: number): Promise<number | undefined> {
  return new Promise((resolve) => {
    const options = { host: '127.0.0.1', port, path: '/readyz', rejectUnauthorized: false, agent: false };
    get(options, (response) => {
      response.resume();
      resolve(response.statusCode);
    }).on('error', () => resolve(undefined));
  });
}

function kubeconfigFor(port: number): string {
  return JSON.stringify({
    clusters: [{ name: 'bench', cluster: { server: `http://127.0.0.1:${port}`, 'insecure-skip-tls-verify': true } }],
    users: [{ name: 'bench', user: { token: 'bench' } }],
    contexts: [{ name: 'bench', context: { cluster: 'bench', user: 'bench' } }],
    'current-context': 'bench',
  });
}

function fillIndex(): { readonly index: GrantsIndex; readonly longestPage: number } {
  const index = new GrantsIndex();
  let longestPage = 0;
  for (const [collection, upsert] of [
    ['clusterroles', (object: JsonObject) => index.upsertClusterRole(object)],
    ['clusterrolebindings', (object: JsonObject) => index.upsertClusterRoleBinding(object)],
  ] as const) {
    for (let from = 0; from < (COLLECTIONS[collection]?.count ?? 0); from += PAGE) {
      const text = pageText(collection, from, PAGE);
      const start = process.threadCpuUsage();
      const page: unknown = JSON.parse(text);
      for (const item of asList(asObject(page)['items'])) upsert(asObject(item));
      longestPage = Math.max(longestPage, cpuSince(start));
    }
  }
  return { index, longestPage };
}

/** A role as large as an API server stores, with a rule for every few bytes. */
function largeEvent(index: GrantsIndex): number {
  const rules = Array.from({ length: 15_000 }, (_, rule) => ({
    apiGroups: [''],
    resources: ['nodes/proxy', `resource-${rule}`],
    resourceNames: [`name-${rule}`],
    verbs: ['get', 'list'],
  }));
  const object = { ...clusterRoleNumber(5_000), rules };
  const line = JSON.stringify({ type: 'MODIFIED', object });
  const costs = Array.from({ length: 7 }, () => {
    const start = process.threadCpuUsage();
    const event = watchEventOf(line, 'ClusterRole');
    if (event.type === 'upsert') index.upsertClusterRole(event.object);
    return cpuSince(start);
  });
  index.upsertClusterRole(clusterRoleNumber(5_000));
  return quantile(costs, 0.5);
}

/** A rule is added to the first role of the chain: a hundred roles, and a thousand bindings, get what it gives. */
async function decisionRow(index: GrantsIndex): Promise<string[]> {
  const { spec } = await readPolicy(undefined, RULES);
  const view = { version: NEWEST_VERSION, grants: index, namespaceLabels: () => 'not found' as const };
  const judge = { ruleset: makeRuleset(RULES, spec), viewFor: () => view, today: '2026-01-01' };
  const oldObject = clusterRoleNumber(0);
  const proxy = { apiGroups: [''], resources: ['nodes/proxy'], verbs: ['get'] };
  const object = { ...oldObject, rules: [...asList(oldObject['rules']), proxy] };
  const request = decodeReview(reviewOf(object, oldObject));
  const costs: number[] = [];
  let verdict = '';
  for (let batch = 0; batch < BATCHES; batch += 1) {
    const start = process.threadCpuUsage();
    for (let round = 0; round < BATCH; round += 1) {
      const { outcome } = await validate(request, judge, NEVER);
      verdict = outcome.decision.allowed ? 'allowed' : 'denied';
    }
    costs.push(cpuSince(start) / BATCH);
  }
  const name = `decision on a ClusterRole edit (${verdict}), ${BINDINGS} bindings, ${CHAIN} deep, 1000 affected, median`;
  return [name, `${quantile(costs.slice(2), 0.5).toFixed(2)} ms`, `<= ${DECISION_BAR_MS} ms`];
}

function reviewOf(object: JsonObject, oldObject: JsonObject): string {
  const group = 'rbac.authorization.k8s.io';
  const request = {
    uid: '0b4c1a5e-6d1f-4c6a-9a53-2f0f2f1f9c11',
    kind: { group, version: 'v1', kind: 'ClusterRole' },
    resource: { group, version: 'v1', resource: 'clusterroles' },
    name: 'role-0',
    operation: 'UPDATE',
    userInfo: { username: 'kubernetes-admin', groups: ['kubeadm:cluster-admins', 'system:authenticated'] },
    object,
    oldObject,
  };
  return JSON.stringify({ apiVersion: 'admission.k8s.io/v1', kind: 'AdmissionReview', request });
}

/** Milliseconds of this thread, which a busy machine makes longer by its caches only. */
function cpuSince(start: NodeJS.CpuUsage): number {
  const { user, system } = process.threadCpuUsage(start);
  return (user + system) / 1000;
}
