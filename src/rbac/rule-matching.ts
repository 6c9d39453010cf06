// Kubernetes' RuleAllows (plugin/pkg/auth/authorizer/rbac) and its helpers (pkg/apis/rbac/v1/evaluation_helpers.go).
import type { PolicyRule } from './policy-rule.ts';

/** A request for a resource; `subresource`, `name` and `namespace` may be ''. */
export interface ResourceRequest {
  readonly verb: string;
  readonly apiGroup: string;
  readonly resource: string;
  readonly subresource: string;
  readonly name: string;
  readonly namespace: string;
}

/** A request for a URL that is no resource: the verb is the lower-cased HTTP method, the path is decoded, not cleaned. */
export interface NonResourceRequest {
  readonly verb: string;
  readonly path: string;
}

/** What an authorizer is asked about (`authorizer.Attributes`), the user left out. */
export type RequestAttributes = ResourceRequest | NonResourceRequest;

/** True when one rule by itself allows the request. Names are compared as they are, case included. */
export function allowsRequest(rule: PolicyRule, request: RequestAttributes): boolean {
  if (!includes(rule.verbs, request.verb)) return false;
  return 'path' in request
    ? rule.nonResourceURLs.some((url) => coversPath(url, request.path))
    : allowsResource(rule, request);
}

function allowsResource(rule: PolicyRule, request: ResourceRequest): boolean {
  const { resource, subresource, name } = request;
  const wanted = subresource === '' ? resource : `${resource}/${subresource}`;
  const anyParent = subresource === '' ? wanted : `*/${subresource}`;
  return (
    includes(rule.apiGroups, request.apiGroup) &&
    (includes(rule.resources, wanted) || rule.resources.includes(anyParent)) &&
    (rule.resourceNames.length === 0 || rule.resourceNames.includes(name))
  );
}

function includes(list: readonly string[], wanted: string): boolean {
  return list.includes('*') || list.includes(wanted);
}

/** True when an entry of `nonResourceURLs` allows a path: only trailing stars are wildcards, and they match any rest. */
export function coversPath(url: string, path: string): boolean {
  return url === path || (url.endsWith('*') && path.startsWith(withoutTrailingStars(url)));
}

/** The entry without the stars at its end: what a path has to begin with. */
export function withoutTrailingStars(text: string): string {
  let end = text.length;
  while (end > 0 && text[end - 1] === '*') end -= 1;
  return text.slice(0, end);
}
