/** The names by which an API server, or whoever tries it out in the cluster, calls our Service in a namespace. */
export function serviceNames(namespace: string): readonly string[] {
  const service = `scrapeguard.${namespace}.svc`;
  return [service, `${service}.cluster.local`];
}
