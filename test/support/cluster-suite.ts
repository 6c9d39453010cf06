// How every file of test/cluster begins: with a control plane, or skipped by name with the command that would run it.
import { after, describe, test } from 'node:test';
import { type Cluster, openCluster, readDescription } from './cluster-access.ts';
import { type ControlPlane, type ControlPlaneOptions, startControlPlane } from './control-plane.ts';
import { endWithParent } from './orphan-watch.ts';
import { whyNoPrometheus } from './prometheus.ts';
import { runCommand } from './run-command.ts';
import { defaultLine, findToolchain, type OptionalProgram, type Toolchain } from './toolchain.ts';

/**
 * What a runner tells the cluster suites by an environment variable: the file that describes the control plane they
 * share; that they must run; or that this run leaves them to another.
 */
export const RUNNER_VARIABLES = {
  sharedCluster: 'SCRAPEGUARD_TEST_CLUSTER',
  suites: 'SCRAPEGUARD_TEST_CLUSTER_SUITES',
} as const;

/** Values of the variable `suites`; without it suites run if the toolchain is there, which under CI=true it must be. */
export type SuitesMode = 'required' | 'left-out';

/** The beginning of the reason for which a suite of the real kube-rbac-proxy is skipped. */
export const PROXY_SKIP_REASON = 'KUBE_RBAC_PROXY names no kube-rbac-proxy binary';

/** What a suite needs beyond an API server: programs of the toolchain, Go itself, the real kube-rbac-proxy, a Prometheus. */
export type SuiteNeeds = readonly (OptionalProgram | 'go' | 'kubeRbacProxy' | 'prometheus')[];

const COMMAND = 'npm run test:cluster';

/**
 * A suite on the control plane that all files of test/cluster share (with a namespace or more of its own from
 * `createNamespace`), or on one of this file alone when no runner started one. Await it at the top of the file.
 */
export async function clusterSuite(
  name: string,
  { needs = [] }: { readonly needs?: SuiteNeeds },
  define: (cluster: Cluster) => void,
): Promise<void> {
  const shared = process.env[RUNNER_VARIABLES.sharedCluster];
  endWithParent();
  await suite(
    name,
    needs,
    async () => {
      if (shared !== undefined) return { cluster: await openCluster(readDescription(shared)), stop: async () => {} };
      const own = await startControlPlane();
      return { cluster: own, stop: own.stop };
    },
    define,
  );
}

/** A suite on a control plane of its own, to change cluster-scoped objects and to restart things. For test/cluster/own. */
export async function ownClusterSuite(
  name: string,
  { needs = [], ...options }: ControlPlaneOptions & { readonly needs?: SuiteNeeds },
  define: (controlPlane: ControlPlane) => void,
): Promise<void> {
  await suite(
    name,
    needs,
    async () => {
      const own = await startControlPlane(options);
      return { cluster: own, stop: own.stop };
    },
    define,
  );
}

/** A suite that needs the toolchain, and starts what it needs by itself. For test/cluster/own. */
export async function toolchainSuite(
  name: string,
  { needs = [] }: { readonly needs?: SuiteNeeds },
  define: () => void,
): Promise<void> {
  const skip = await findSkipReason(needs);
  if (skip === undefined) describe(name, define);
  else test(name, { skip });
}

type Started<C extends Cluster> = { readonly cluster: C; readonly stop: () => Promise<void> };

async function suite<C extends Cluster>(
  name: string,
  needs: SuiteNeeds,
  start: () => Promise<Started<C>>,
  define: (cluster: C) => void,
): Promise<void> {
  const skip = await findSkipReason(needs);
  if (skip !== undefined) return void test(name, { skip });
  const { cluster, stop } = await start();
  describe(name, () => {
    define(cluster);
    // Hooks run in order: what the suite itself has set up is taken down while there is still a cluster.
    after(stop);
  });
}

/** Why the suite cannot run, or undefined. Throws an Error where a missing toolchain is no excuse. */
async function findSkipReason(needs: SuiteNeeds): Promise<string | undefined> {
  const mode = process.env[RUNNER_VARIABLES.suites];
  if (mode === 'left-out') return `left to ${COMMAND}`;
  const toolchain = await findToolchain(defaultLine());
  if (toolchain === undefined) {
    const isNeeded = mode === 'required' || process.env['CI'] === 'true';
    if (isNeeded) throw new Error(`There is no test toolchain; ${COMMAND} builds it.`);
    return `the test toolchain is not built; ${COMMAND} builds it and runs this`;
  }
  for (const need of needs) {
    const reason = await whyMissing(need, toolchain);
    if (reason !== undefined) return reason;
  }
  return undefined;
}

async function whyMissing(need: SuiteNeeds[number], toolchain: Toolchain): Promise<string | undefined> {
  if (need === 'kubeRbacProxy') return process.env['KUBE_RBAC_PROXY'] ? undefined : PROXY_SKIP_REASON;
  if (need === 'prometheus') return whyNoPrometheus(need);
  if (need === 'go') return (await runCommand('go', ['version']).catch(() => undefined)) ? undefined : 'there is no Go';
  return toolchain[need] === undefined ? `SCRAPEGUARD_TEST_ASSETS has no ${need}` : undefined;
}
