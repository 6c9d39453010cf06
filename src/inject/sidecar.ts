import type { JsonObject } from '../kube/json.ts';
import type { InjectionPolicy } from '../policy/document.ts';
import type { ProxiedPort } from './record.ts';

// The container that is injected, in the flags of kube-rbac-proxy v0.15 to v0.22.

/** The name of the first proxy's container; further ones get a number. */
export const PROXY_NAME = 'kube-rbac-proxy';

/** Where Kubernetes mounts a ServiceAccount's token, and where a proxy looks for it. */
export const TOKEN_PATH = '/var/run/secrets/kubernetes.io/serviceaccount';

/** What kube-prometheus allows; TLS 1.3 has its own, which cannot be chosen. */
const CIPHER_SUITES = [
  'TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256',
  'TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256',
  'TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384',
  'TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384',
  'TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305',
  'TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305',
].join(',');

/** What one proxy is made of, besides what the policy says. */
export interface Sidecar {
  readonly proxied: ProxiedPort;
  readonly portName: string | undefined;
  readonly paths: readonly string[];
  readonly resources: JsonObject | undefined;
  readonly isNative: boolean;
  readonly isHostNetwork: boolean;
  /** The volume with the proxy's own token; without one Kubernetes mounts the pod's. */
  readonly tokenVolume: string | undefined;
}

/** The arguments of a proxy: TLS in front, one upstream, the metrics' paths and nothing else. */
export function proxyArguments(
  { port, proxyPort }: ProxiedPort,
  paths: readonly string[],
  { upstreamHost, audiences }: InjectionPolicy,
): readonly string[] {
  return [
    `--secure-listen-address=:${proxyPort}`,
    `--upstream=http://${hostOfUrl(upstreamHost)}:${port}/`,
    `--allow-paths=${paths.join(',')}`,
    // A proxy that shares its HTTP/2 server hangs when it shuts down: kube-rbac-proxy issue 450.
    '--http2-disable',
    '--tls-min-version=VersionTLS12',
    `--tls-cipher-suites=${CIPHER_SUITES}`,
    ...(audiences.length === 0 ? [] : [`--auth-token-audiences=${audiences.join(',')}`]),
  ];
}

function hostOfUrl(host: string): string {
  return host.includes(':') && !host.startsWith('[') ? `[${host}]` : host;
}

/** The container of a proxy; Pod Security admits it at its level `restricted`. */
export function proxyContainer(sidecar: Sidecar, policy: InjectionPolicy): JsonObject {
  const { proxied, paths, resources, isNative, tokenVolume: volume } = sidecar;
  return {
    name: proxied.container,
    image: policy.image,
    ...(isNative ? { restartPolicy: 'Always' } : {}),
    args: proxyArguments(proxied, paths, policy),
    ports: [containerPort(sidecar)],
    ...(resources === undefined ? {} : { resources }),
    securityContext: securityContext(policy),
    terminationMessagePolicy: 'FallbackToLogsOnError',
    imagePullPolicy: 'IfNotPresent',
    ...(volume === undefined ? {} : { volumeMounts: [{ name: volume, mountPath: TOKEN_PATH, readOnly: true }] }),
  };
}

function containerPort({ proxied: { proxyPort }, portName, isHostNetwork }: Sidecar): JsonObject {
  return {
    ...(portName === undefined ? {} : { name: portName }),
    containerPort: proxyPort,
    ...(isHostNetwork ? { hostPort: proxyPort } : {}),
    protocol: 'TCP',
  };
}

function securityContext({ runAsUser }: InjectionPolicy): JsonObject {
  return {
    allowPrivilegeEscalation: false,
    capabilities: { drop: ['ALL'] },
    readOnlyRootFilesystem: true,
    runAsNonRoot: true,
    ...(runAsUser === null ? {} : { runAsUser, runAsGroup: runAsUser }),
    seccompProfile: { type: 'RuntimeDefault' },
  };
}

/** A volume with what a ServiceAccount's token needs to be used, as Kubernetes itself mounts it. */
export function tokenVolume(name: string): JsonObject {
  return {
    name,
    projected: {
      defaultMode: 0o644,
      sources: [
        { serviceAccountToken: { path: 'token', expirationSeconds: 3607 } },
        { configMap: { name: 'kube-root-ca.crt', items: [{ key: 'ca.crt', path: 'ca.crt' }] } },
        {
          downwardAPI: {
            items: [{ path: 'namespace', fieldRef: { apiVersion: 'v1', fieldPath: 'metadata.namespace' } }],
          },
        },
      ],
    },
  };
}
