import { asList, asObject, isObject, type JsonObject } from '../kube/json.ts';
import { parseQuantity } from '../kube/quantity.ts';
import type { InjectionPolicy } from '../policy/document.ts';
import { SETTINGS, readSetting, type AnnotationSetting } from './annotations.ts';
import type { Warning } from './reasons.ts';

/** The resources of a proxy, undefined when the pod leaves room for none, and what to tell about them. */
export interface ProxyResources {
  readonly resources: JsonObject | undefined;
  readonly warnings: readonly Warning[];
}

const RESOURCES = ['cpu', 'memory'] as const;

type ResourceName = (typeof RESOURCES)[number];

/** How much of one resource a proxy asks for, and how much it may have. */
interface Bounds {
  readonly request: string;
  readonly limit: string;
}

const ANNOTATED = {
  cpu: { request: SETTINGS.cpuRequest, limit: SETTINGS.cpuLimit },
  memory: { request: SETTINGS.memoryRequest, limit: SETTINGS.memoryLimit },
} as const;

/**
 * The resources that a number of proxies get in a pod: the annotations' over the policy's; requests equal limits where
 * that keeps the pod Guaranteed; and none of a resource that the pod's own budget has no room for.
 */
export function proxyResources(
  spec: JsonObject,
  annotations: JsonObject,
  policy: InjectionPolicy,
  proxies: number,
): ProxyResources {
  const warnings: Warning[] = [];
  const requests: Record<string, string> = {};
  const limits: Record<string, string> = {};
  const isEqual = isGuaranteed(spec);
  for (const name of RESOURCES) {
    const { request, limit } = boundsOf(name, annotations, policy, warnings);
    const bounds = { request: isEqual ? limit : request, limit };
    if (isObject(spec['resources']) && !hasRoom(spec, name, bounds, proxies)) continue;
    requests[name] = bounds.request;
    limits[name] = bounds.limit;
  }
  const isEmpty = Object.keys(requests).length === 0;
  return { resources: isEmpty ? undefined : { requests, limits }, warnings };
}

function boundsOf(name: ResourceName, annotations: JsonObject, policy: InjectionPolicy, warnings: Warning[]): Bounds {
  const { requests, limits } = policy.resources;
  const written = {
    request: annotated(annotations, ANNOTATED[name].request, warnings),
    limit: annotated(annotations, ANNOTATED[name].limit, warnings),
  };
  const bounds = { request: written.request ?? requests[name], limit: written.limit ?? limits[name] };
  if (written.request === undefined && written.limit === undefined) return bounds;
  if (!isMore(bounds.request, bounds.limit)) return bounds;
  if (written.request === undefined) return { request: bounds.limit, limit: bounds.limit };
  if (written.limit !== undefined) warnings.push({ code: 'request-over-limit', value: bounds.request, key: name });
  return { request: bounds.request, limit: bounds.request };
}

function annotated(
  annotations: JsonObject,
  setting: AnnotationSetting<string>,
  warnings: Warning[],
): string | undefined {
  const reading = readSetting(annotations, setting);
  if (reading.kind === 'invalid') warnings.push({ code: 'invalid-resource', value: reading.text, key: setting.key });
  return reading.kind === 'value' ? reading.value : undefined;
}

function isMore(one: string, other: string): boolean {
  return (parseQuantity(one) ?? 0n) > (parseQuantity(other) ?? 0n);
}

/** True when every container's requests equal its limits, so that Kubernetes puts the pod into its best class. */
function isGuaranteed(spec: JsonObject): boolean {
  if (spec['resources'] !== undefined && spec['resources'] !== null) return false;
  return asList(spec['containers']).every(isFixed) && asList(spec['initContainers']).every(isFixed);
}

function isFixed(container: unknown): boolean {
  const resources = asObject(asObject(container)['resources']);
  return RESOURCES.every((name) => hasFixed(resources, name));
}

function hasFixed(resources: JsonObject, name: ResourceName): boolean {
  const limit = asObject(resources['limits'])[name];
  if (limit === undefined || limit === null) return false;
  const request = asObject(resources['requests'])[name] ?? limit;
  const amount = parseQuantity(limit);
  return amount !== undefined && amount > 0n && (request === limit || parseQuantity(request) === amount);
}

/**
 * True when what the containers of a pod ask for stays within what the pod itself has in `spec.resources`, if it has
 * (k8s.io/kubernetes pkg/apis/core/validation: the sum of requests may not exceed the pod's, nor any limit the pod's).
 */
function hasRoom(spec: JsonObject, name: ResourceName, { request, limit }: Bounds, proxies: number): boolean {
  const { requests, limits } = asObject(spec['resources']);
  const podLimit = parseQuantity(asObject(limits)[name]);
  const podRequest = parseQuantity(asObject(requests)[name]) ?? podLimit;
  if (podLimit !== undefined && (parseQuantity(limit) ?? 0n) > podLimit) return false;
  if (podRequest === undefined) return true;
  return askedFor(spec, name) + BigInt(proxies) * (parseQuantity(request) ?? 0n) <= podRequest;
}

/** What all containers that run beside each other ask for; where only a limit is written, it is asked for. */
function askedFor(spec: JsonObject, name: ResourceName): bigint {
  const sidecars = asList(spec['initContainers']).filter((item) => asObject(item)['restartPolicy'] === 'Always');
  let sum = 0n;
  for (const container of [...asList(spec['containers']), ...sidecars]) {
    const { requests, limits } = asObject(asObject(container)['resources']);
    sum += parseQuantity(asObject(requests)[name] ?? asObject(limits)[name]) ?? 0n;
  }
  return sum;
}
