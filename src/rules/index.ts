import type { Rule } from '../policy/rule.ts';
import controlPlaneFlags from './control-plane-flags.ts';
import indirectGrant from './indirect-grant.ts';
import danglingRoleReference from './dangling-role-reference.ts';
import ineffectiveMetricsRule from './ineffective-metrics-rule.ts';
import kubeProxyMetricsAddress from './kube-proxy-metrics-address.ts';
import kubeRbacProxyFlags from './kube-rbac-proxy-flags.ts';
import kubeletApiGrant from './kubelet-api-grant.ts';
import kubeletConfiguration from './kubelet-configuration.ts';
import kubeletReadOnlyPort from './kubelet-read-only-port.ts';
import kubeletReadOnlyPortClient from './kubelet-read-only-port-client.ts';
import metricsGrant from './metrics-grant.ts';
import nodesProxyGrant from './nodes-proxy-grant.ts';
import postureOptOut from './posture-opt-out.ts';
import unprotectedMetricsPort from './unprotected-metrics-port.ts';
import metricsProxyBypass from './metrics-proxy-bypass.ts';

/** Every rule, in the order of the documentation. */
export const RULES: readonly Rule[] = [
  kubeletReadOnlyPort,
  kubeletReadOnlyPortClient,
  kubeletConfiguration,
  controlPlaneFlags,
  kubeProxyMetricsAddress,
  kubeRbacProxyFlags,
  metricsGrant,
  nodesProxyGrant,
  kubeletApiGrant,
  indirectGrant,
  ineffectiveMetricsRule,
  danglingRoleReference,
  postureOptOut,
  unprotectedMetricsPort,
  metricsProxyBypass,
];
