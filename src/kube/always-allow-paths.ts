/**
 * True for an entry of --authorization-always-allow-paths that lets everyone read /metrics or something below: the
 * leading slash may be missing, and a star at the end stands for any ending (k8s.io/apiserver pkg/authorization/path).
 */
export function alwaysAllowsMetrics(entry: string): boolean {
  const path = entry.replace(/^\//, '');
  if (path.startsWith('metrics/')) return true;
  return path.endsWith('*') ? 'metrics'.startsWith(path.slice(0, -1)) : path === 'metrics';
}
