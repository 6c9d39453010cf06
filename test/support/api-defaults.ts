// What the API server and its own admission plugins add to a pod: defaults, and the token of its ServiceAccount.

import { asList, asObject, type JsonObject } from '../../src/kube/json.ts';
import { CONTAINER_LISTS } from '../../src/kube/pods.ts';

const TOKEN_PATH = '/var/run/secrets/kubernetes.io/serviceaccount';
const TOKEN_VOLUME = 'kube-api-access-x7k2p';

/** A pod as the next webhook, or the validating one, gets to see it (k8s.io/kubernetes pkg/apis/core/v1/defaults.go). */
export function asDefaulted(pod: JsonObject): JsonObject {
  const spec = asObject(pod['spec']);
  const mountsToken = spec['automountServiceAccountToken'] !== false;
  const lists = CONTAINER_LISTS.filter((list) => Array.isArray(spec[list])).map((list) => [
    list,
    asList(spec[list]).map((container) => defaultedContainer(asObject(container), spec, mountsToken)),
  ]);
  const volumes = [...asList(spec['volumes']), ...(mountsToken ? [{ name: TOKEN_VOLUME, projected: {} }] : [])];
  return {
    ...pod,
    spec: {
      restartPolicy: 'Always',
      dnsPolicy: 'ClusterFirst',
      schedulerName: 'default-scheduler',
      serviceAccountName: 'default',
      ...spec,
      ...(volumes.length === 0 ? {} : { volumes }),
      ...Object.fromEntries(lists),
    },
  };
}

function defaultedContainer(container: JsonObject, spec: JsonObject, mountsToken: boolean): JsonObject {
  const ports = asList(container['ports']).map((item): JsonObject => {
    const port = asObject(item);
    const hostPort = spec['hostNetwork'] === true ? { hostPort: port['containerPort'] } : {};
    return Object.assign({ protocol: 'TCP' }, hostPort, port);
  });
  return {
    terminationMessagePath: '/dev/termination-log',
    terminationMessagePolicy: 'File',
    imagePullPolicy: 'IfNotPresent',
    resources: {},
    ...container,
    ...(ports.length === 0 ? {} : { ports }),
    ...withToken(container, mountsToken),
  };
}

/** The ServiceAccount plugin mounts the token wherever nothing is mounted in its place. */
function withToken(container: JsonObject, mountsToken: boolean): JsonObject {
  const mounts = asList(container['volumeMounts']);
  if (!mountsToken || mounts.some((mount) => asObject(mount)['mountPath'] === TOKEN_PATH)) return {};
  return { volumeMounts: [...mounts, { name: TOKEN_VOLUME, readOnly: true, mountPath: TOKEN_PATH }] };
}
