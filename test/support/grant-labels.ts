// What the labels of the corpus say of grants, in the words of our rules: the default policy expects nobody but
// Kubernetes' own subjects, so an effective grant of /metrics or nodes/proxy is refused, and nothing else is.
import { asList, asObject, type JsonObject } from '../../src/kube/json.ts';

/** Subjects of Kubernetes' own that published bundles bind, and what they are expected to have of the two. */
const OWN: Readonly<Record<string, readonly string[]>> = {
  'Group system:masters': ['/metrics', 'nodes/proxy'],
  'Group kubeadm:cluster-admins': ['/metrics', 'nodes/proxy'],
  'Group system:monitoring': ['/metrics'],
  'User kube-apiserver-kubelet-client': ['nodes/proxy'],
};

/** The rules by which a line of `grants.jsonl` says that its object must be refused, in their order. */
export function rulesOfLabel(label: JsonObject): string[] {
  if (label['verdict'] !== 'grant') return [];
  const subjects = asList(label['subjects']).map(asObject);
  const isRefused = (capability: string): boolean =>
    asList(asObject(label['grants'])[capability]).some((rule) => asObject(rule)['effective'] !== false) &&
    subjects.some(({ kind, name }) => OWN[`${String(kind)} ${String(name)}`]?.includes(capability) !== true);
  return [
    ...(isRefused('/metrics') ? ['metrics-grant'] : []),
    ...(isRefused('nodes/proxy') ? ['nodes-proxy-grant'] : []),
  ];
}

/** The first two folders of a file: what belongs together. */
export function bundleOf(file: string): string {
  return file.split('/', 2).join('/');
}
