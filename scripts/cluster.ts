// `npm run cluster`: for a person. A real control plane with the webhook registered, until Ctrl-C; the toolchain is
// built first if need be.
import { accessSync, constants } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Cluster } from '../test/support/cluster-access.ts';
import { startControlPlane } from '../test/support/control-plane.ts';
import { defaultLine, ensureToolchain } from '../test/support/toolchain.ts';
import { startWebhook, type Webhook } from '../test/support/webhook.ts';
import { abortOnSignals } from './run-tests.ts';

/** What is worth typing, and what then happens. */
const TOUR: readonly { readonly command: string; readonly expected: string }[] = [
  {
    command: 'kubectl run kubelet --image=nginx --port=10255',
    expected: "It is refused: the pod would declare the kubelet's read-only port.",
  },
  {
    command: 'kubectl create deployment web --image=nginx --port=10255; sleep 2; kubectl describe replicasets',
    expected: 'There is a warning; the Deployment is made, and the events at the end say why it gets no pods.',
  },
  {
    command:
      'kubectl label namespace default scrapeguard.io/enforce=off; sleep 2; kubectl run kubelet --image=nginx --port=10255',
    expected: 'Now the pod is made, with a warning. There is no node, so it stays Pending.',
  },
];

/** Longer than anybody leaves it running, and as long as a timer can be. */
const FOREVER_MS = 2 ** 31 - 1;

await ensureToolchain(defaultLine());
// Not before: a build is ended by the end of this process.
const signal = abortOnSignals();
process.stderr.write('Starting Kubernetes and the webhook.\n');
const controlPlane = await startControlPlane();
try {
  const webhook = await startWebhook(controlPlane, { namespaces: 'every', args: ['--drain-seconds', '0'] });
  if (!signal.aborted) process.stdout.write(describeCluster(controlPlane, webhook));
  await sleep(FOREVER_MS, undefined, { signal }).catch(() => undefined);
  await webhook.stop();
} finally {
  await controlPlane.stop();
}
// It was asked to end, and did.
process.exitCode = 0;

function describeCluster({ line, adminKubeconfig, toolchain }: Cluster, { servers }: Webhook): string {
  const path = isOnPath('kubectl') ? [] : [`export PATH="$PATH${delimiter}${dirname(toolchain.kubectl)}"`];
  return [
    '',
    `Kubernetes ${line} is there, with the webhook registered for the whole cluster. In another terminal:`,
    '',
    ...[`export KUBECONFIG="${adminKubeconfig}"`, ...path].map((text) => `  ${text}`),
    '',
    'Three commands worth typing:',
    '',
    ...TOUR.flatMap(({ command, expected }) => [`  ${command}`, `      ${expected}`]),
    '',
    `The log of the server: ${servers.map(({ logFile }) => logFile).join(', ')}`,
    'Ctrl-C ends everything and removes its files.',
    '',
  ].join('\n');
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
