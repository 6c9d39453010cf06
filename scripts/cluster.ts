// `npm run cluster`: for a person. A real control plane with the webhook registered, until Ctrl-C; the toolchain is
// built first if need be.
import { accessSync, constants } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { delimiter, dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Cluster } from '../test/support/cluster-access.ts';
import { startControlPlane } from '../test/support/control-plane.ts';
import { defaultLine, ensureToolchain } from '../test/support/toolchain.ts';
import { startWebhook, type Webhook } from '../test/support/webhook.ts';
import { abortOnSignals } from './run-tests.ts';
import { describeTour } from './tour.ts';

/** The policy of the story: nothing is judged in a namespace that did not ask for it. */
const POLICY = new URL('../policies/namespace-opt-in.yaml', import.meta.url);

/** Longer than anybody leaves it running, and as long as a timer can be. */
const FOREVER_MS = 2 ** 31 - 1;

await ensureToolchain(defaultLine());
// Not before: a build is ended by the end of this process.
const signal = abortOnSignals();
process.stderr.write('Starting Kubernetes and the webhook.\n');
const controlPlane = await startControlPlane();
try {
  const webhook = await startWebhook(controlPlane, {
    namespaces: 'every',
    optIn: true,
    policy: await readFile(POLICY, 'utf8'),
    args: ['--drain-seconds', '0'],
  });
  if (!signal.aborted) process.stdout.write(describeCluster(controlPlane, webhook));
  await sleep(FOREVER_MS, undefined, { signal }).catch(() => undefined);
  await webhook.stop();
} finally {
  await controlPlane.stop();
}
// It was asked to end, and did.
process.exitCode = 0;

function describeCluster(cluster: Cluster, webhook: Webhook): string {
  return [
    '',
    `Kubernetes ${cluster.line} is there, with the webhook registered for namespaces that opt in. In another terminal:`,
    '',
    ...shellLines(cluster, webhook).map((text) => `  ${text}`),
    '',
    'A story in eight commands:',
    '',
    describeTour(),
    'Ctrl-C ends everything and removes its files.',
    '',
  ].join('\n');
}

/** What the commands of the story expect of their shell. */
function shellLines({ adminKubeconfig, toolchain }: Cluster, { servers, policyFile, certDir }: Webhook): string[] {
  const [server] = servers;
  return [
    `cd "${fileURLToPath(new URL('..', import.meta.url))}"`,
    `export KUBECONFIG="${adminKubeconfig}"`,
    ...(isOnPath('kubectl') ? [] : [`export PATH="$PATH${delimiter}${dirname(toolchain.kubectl)}"`]),
    `export POLICY="${policyFile}" LOG="${server?.logFile}"`,
    `export METRICS="https://127.0.0.1:${server?.metricsPort}" CA="${join(certDir, 'ca.crt')}"`,
  ];
}

function isOnPath(program: string): boolean {
  return (process.env['PATH'] ?? '').split(delimiter).some((folder) => isExecutable(join(folder, program)));
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
