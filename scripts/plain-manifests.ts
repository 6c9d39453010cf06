import { renderText } from '../test/support/chart.ts';
import type { CHART_MODES } from './chart-files.ts';

/** One of the three ways to run it. */
export type ChartMode = (typeof CHART_MODES)[number];

const NAMESPACE = 'scrapeguard-system';

/** What each manifest does, for its first lines. */
const ABOUT: Readonly<Record<ChartMode, string>> = {
  audit: 'Nothing is refused: findings are warnings and audit annotations.',
  'namespace-opt-in': 'Only namespaces with a label scrapeguard.io/enforce are judged, and RBAC outside namespaces.',
  'cluster-wide': 'What is certain is refused in every namespace, everything else is warned about.',
};

/** The path of a mode's manifest from the root of the repository. */
export function manifestPath(mode: ChartMode): string {
  return `deploy/manifests/${mode}.yaml`;
}

/** Everything of an installation in one file, for people without helm. Throws an Error where helm is missing. */
export async function plainManifest(mode: ChartMode): Promise<string> {
  const { text, error } = await renderText({ namespace: NAMESPACE, values: { mode } });
  if (error !== '') throw new Error(error);
  const objects = text
    .split(/^---\n/m)
    .map((object) => object.replace(/^# Source: .*\n/m, '').trim())
    .filter((object) => object !== '');
  return `${[`${headOf(mode)}\n${NAMESPACE_OBJECT}`, ...objects].join('\n---\n')}\n`;
}

function headOf(mode: ChartMode): string {
  return `# Made by \`npm run manifests\` from deploy/helm/scrapeguard: edit that instead.
# ${ABOUT[mode]}
#   kubectl apply -f ${manifestPath(mode)}`;
}

const NAMESPACE_OBJECT = `apiVersion: v1
kind: Namespace
metadata:
  name: ${NAMESPACE}
  labels:
    app.kubernetes.io/name: scrapeguard
    pod-security.kubernetes.io/enforce: restricted
    pod-security.kubernetes.io/warn: restricted
    pod-security.kubernetes.io/audit: restricted`;
