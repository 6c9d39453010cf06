import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { CAPABILITIES, capabilitiesIn, setOf } from '../../src/rbac/capabilities.ts';
import { nearMissesOf } from '../../src/rbac/near-misses.ts';
import { type PolicyRule, policyRulesOf } from '../../src/rbac/policy-rule.ts';
import { ruleGrantsOf } from '../../src/rbac/rule-grants.ts';
import { allowsRequest } from '../../src/rbac/rule-matching.ts';
import { policyRule } from './authorization-cases.ts';

const RBAC = 'rbac.authorization.k8s.io';
const AUTHENTICATION = 'authentication.k8s.io';
const OBJECTS = CAPABILITIES.filter((capability) => capability.includes('/')).join(' ');

/**
 * Verbs, then a URL or resources, `@group` unless it is the core group, `=name` for resourceNames. What it gives:
 * capabilities, `~` before what a wildcard gives, `[scopes]`; what it tries in vain: `?capability field`.
 */
const ROWS: readonly [rule: string, gives: string][] = [
  ['get nodes/proxy', 'nodes/proxy'],
  ['create nodes/proxy', 'nodes/proxy'],
  ['update nodes/proxy', 'nodes/proxy'],
  ['patch nodes/proxy', 'nodes/proxy'],
  ['delete nodes/proxy', 'nodes/proxy'],
  ['* nodes/proxy', 'nodes/proxy'],
  ['list,get nodes/proxy', 'nodes/proxy'],
  ['list,watch nodes/proxy', '?nodes/proxy verbs'],
  ['deletecollection nodes/proxy', '?nodes/proxy verbs'],
  ['GET nodes/proxy', '?nodes/proxy verbs'],
  ['connect nodes/proxy', '?nodes/proxy verbs'],
  ['proxy nodes', ''],
  ['* nodes', ''],
  ['get *', `~${OBJECTS}`],
  ['list,watch *', ''],
  ['* *', `~${OBJECTS} impersonate`],
  ['* * @*', `~${OBJECTS} escalate bind impersonate`],
  ['get */proxy', 'nodes/proxy pods/proxy services/proxy'],
  ['list */proxy', '?nodes/proxy verbs'],
  ['get */*', '?nodes/proxy resources'],
  ['get nodes/*', '?nodes/proxy resources'],
  ['get nodes*/proxy', '?nodes/proxy resources'],
  ['get nodes/prox*', '?nodes/proxy resources'],
  ['get nodes/met*', '?nodes/metrics resources'],
  ['get Nodes/proxy', '?nodes/proxy resources'],
  ['get NODES/STATS', '?nodes/stats resources'],
  ['get node/proxy', '?nodes/proxy resources'],
  ['get no/proxy', '?nodes/proxy resources'],
  ['get nodes/proxy/metrics', '?nodes/proxy resources'],
  ['get nodes/proxy/', '?nodes/proxy resources'],
  ['get nodes/proxy,nodes/*', 'nodes/proxy'],
  ['get nodes/proxy @core', '?nodes/proxy apiGroups'],
  ['get nodes/proxy @v1', '?nodes/proxy apiGroups'],
  ['list nodes/* @core', '?nodes/proxy verbs apiGroups resources'],
  ['get nodes/proxy @apps,', 'nodes/proxy'],
  ['get nodes/proxy @*', 'nodes/proxy'],
  ['get nodes/proxy @example.com', ''],
  ['get nodes @metrics.k8s.io', ''],
  ['get,list,watch * @custom.metrics.k8s.io', ''],
  ['get nodes/proxy =node2', 'nodes/proxy[node2]'],
  ['get nodes/proxy =node1:10255,http:node1:10255', 'nodes/proxy[node1:10255 http:node1:10255]'],
  ['get nodes/proxy =*', '?nodes/proxy resourceNames'],
  ['get nodes/proxy =', '?nodes/proxy resourceNames'],
  ['get nodes/proxy =*,node1', 'nodes/proxy[node1]'],
  ['get * =node1', `~${OBJECTS.replaceAll(' ', '[node1] ')}[node1]`],
  ['get nodes/metrics', 'nodes/metrics'],
  ['get nodes/stats,nodes/log', 'nodes/stats nodes/log'],
  ['get nodes/pods,nodes/healthz,nodes/configz', 'nodes/pods nodes/configz nodes/healthz'],
  ['create nodes/checkpoint', 'nodes/checkpoint'],
  ['get nodes/spec', 'nodes/spec'],
  ['get nodes/statusz', ''],
  ['get nodes/logs', ''],
  ['get */metrics', 'nodes/metrics'],
  ['get pods/proxy', 'pods/proxy'],
  ['get pods/*', ''],
  ['get pod/proxy', ''],
  ['list services/proxy', '?services/proxy verbs'],
  ['impersonate-on:serviceaccount:get nodes/proxy', 'nodes/proxy'],
  ['impersonate-on:serviceaccount:list nodes/proxy', '?nodes/proxy verbs'],
  ['impersonate-on:nobody:get nodes/proxy', '?nodes/proxy verbs'],
  [`escalate clusterroles @${RBAC}`, 'escalate'],
  [`escalate roles @${RBAC}`, ''],
  [`* clusterroles @${RBAC}`, 'escalate bind'],
  [`* * @${RBAC}`, '~escalate bind'],
  [`get,update clusterroles @${RBAC}`, ''],
  [`bind clusterroles @${RBAC} =cluster-admin`, 'bind[cluster-admin]'],
  [`bind clusterroles @${RBAC} =*`, 'bind[*]'],
  [`escalate clusterroles @${RBAC} =`, 'escalate[]'],
  ['impersonate users,groups', 'impersonate'],
  ['impersonate serviceaccounts', 'impersonate'],
  ['impersonate users =jane', 'impersonate[jane]'],
  [`impersonate userextras/scopes,uids @${AUTHENTICATION}`, ''],
  [`impersonate:serviceaccount serviceaccounts @${AUTHENTICATION}`, 'impersonate'],
  [`impersonate:associated-node nodes @${AUTHENTICATION}`, 'impersonate'],
  [`impersonate users @${AUTHENTICATION}`, ''],
  ['impersonate:user-info users', ''],
  ['get /metrics', 'metrics'],
  ['post /metrics', 'metrics'],
  ['create /metrics', 'metrics'],
  ['head /metrics', 'metrics'],
  ['delete /metrics', 'metrics'],
  ['put /metrics', 'metrics'],
  ['patch /metrics', 'metrics'],
  ['update /metrics', 'metrics'],
  ['options /metrics', 'metrics'],
  ['trace /metrics', 'metrics'],
  ['* /metrics', 'metrics'],
  ['impersonate-on:user-info:get /metrics', 'metrics'],
  ['list /metrics', '?metrics verbs'],
  ['GET /metrics', '?metrics verbs'],
  ['list *', ''],
  ['get /version,/metrics', 'metrics'],
  ['get URL:*', '~metrics'],
  ['get URL:**', '~metrics'],
  ['get /*', '~metrics'],
  ['get /**', '~metrics'],
  ['get /m*', 'metrics'],
  ['get /metrics*', 'metrics'],
  ['get /metrics**', 'metrics'],
  ['get /metrics/*', 'metrics[/metrics/*]'],
  ['get /metrics/**', 'metrics[/metrics/*]'],
  ['get /metrics/', 'metrics[/metrics/]'],
  ['get /metrics/cadvisor', 'metrics[/metrics/cadvisor]'],
  ['get /metrics/c*', 'metrics[/metrics/c*]'],
  ['get /metrics/cadvisor,/metrics', 'metrics'],
  ['get /metrics/cadvisor,/*', '~metrics metrics[/metrics/cadvisor]'],
  ['get URL:metrics', '?metrics nonResourceURLs'],
  ['get URL:metrics*', '?metrics nonResourceURLs'],
  ['get URL:*/metrics', '?metrics nonResourceURLs'],
  ['get /*/metrics', '?metrics nonResourceURLs'],
  ['get /Metrics', '?metrics nonResourceURLs'],
  ['get /METRICS*', '?metrics nonResourceURLs'],
  ['get //metrics', '?metrics nonResourceURLs'],
  ['get /./metrics', '?metrics nonResourceURLs'],
  ['get /%6Detrics', '?metrics nonResourceURLs'],
  ['get /metrics?x=1', '?metrics nonResourceURLs'],
  ['list /Metrics', '?metrics verbs nonResourceURLs'],
  ['get /*/*', ''],
  ['get /metricsfoo', ''],
  ['get /actuator/metrics', ''],
  ['get /healthz*', ''],
  ['get URL:', ''],
];

test('what a rule gives, and what it tries in vain', async (t) => {
  for (const [written, expected] of ROWS) {
    await t.test(written, () => assert.equal(described(ruleFrom(written)), expected));
  }
});

test('a rule without verbs, groups or resources gives nothing and tries nothing', () => {
  const whole = ruleFrom('get nodes/proxy');
  for (const field of ['verbs', 'apiGroups', 'resources'] as const) {
    assert.equal(described({ ...whole, [field]: [] }), '');
  }
});

test('a rule that mixes resources and URLs gives both, as the authorizer would have it', () => {
  const mixed = { ...ruleFrom('get nodes/stats'), nonResourceURLs: ['/metrics'] };
  assert.equal(described(mixed), 'nodes/stats metrics');
});

test('the table agrees with the authorizer: what it calls whole allows the request, what it calls nothing does not', () => {
  const rule = policyRule.map((raw) => policyRulesOf({ rules: [raw] })[0]);
  fc.assert(
    fc.property(rule, (given) => {
      if (given === undefined) return;
      const grants = ruleGrantsOf(given);
      const whole = grants.filter(({ scopes }) => scopes === undefined);
      const has = (list: typeof grants, bit: number): boolean =>
        list.some((grant) => ((grant.explicit | grant.wildcard) & bit) !== 0);
      const verbs = ['get', 'create', 'update', 'patch', 'delete'];
      const node = { apiGroup: '', resource: 'nodes', subresource: 'proxy', namespace: '' };
      const allows = (name: string): boolean => verbs.some((verb) => allowsRequest(given, { verb, name, ...node }));
      const onNodes = setOf('nodes/proxy');
      const isImpersonator = given.verbs.some((verb) => verb.startsWith('impersonate-on:'));
      if (has(whole, onNodes)) assert.ok(allows('any') || isImpersonator);
      if (!has(grants, onNodes)) assert.ok(!allows('node1') && !allows('any'));
      const opens = ['get', 'post', 'head', 'delete'].some((verb) => allowsRequest(given, { verb, path: '/metrics' }));
      if (opens) assert.ok(has(whole, setOf('metrics')));
      if (!has(whole, setOf('metrics'))) assert.ok(!opens);
    }),
    { numRuns: 2000 },
  );
});

test('order and repetition of entries change nothing, and another entry never takes a capability away', () => {
  const rule = policyRule.map((raw) => policyRulesOf({ rules: [raw] })[0] ?? ruleFrom('get pods'));
  fc.assert(
    fc.property(rule, rule, (given, other) => {
      const shuffled = mapLists(given, (list) => [...list, ...list].toReversed());
      assert.deepEqual(summary(shuffled), summary(given));
      const wider = { ...given, resourceNames: [], verbs: [...given.verbs, ...other.verbs] };
      for (const capability of summary(given)) assert.ok(summary(wider).includes(capability));
    }),
    { numRuns: 500 },
  );
});

function summary(rule: PolicyRule): readonly string[] {
  const set = ruleGrantsOf(rule).reduce((all, { explicit, wildcard }) => all | explicit | wildcard, 0);
  return capabilitiesIn(set);
}

function mapLists(rule: PolicyRule, change: (list: readonly string[]) => readonly string[]): PolicyRule {
  return {
    verbs: change(rule.verbs),
    apiGroups: change(rule.apiGroups),
    resources: change(rule.resources),
    resourceNames: change(rule.resourceNames),
    nonResourceURLs: change(rule.nonResourceURLs),
  };
}

function ruleFrom(written: string): PolicyRule {
  const [verbs = '', what = '', ...options] = written.split(' ');
  const option = (mark: string): readonly string[] | undefined =>
    options
      .find((each) => each.startsWith(mark))
      ?.slice(1)
      .split(',');
  const isUrl = what.startsWith('/') || what.startsWith('URL:');
  return {
    verbs: verbs.split(','),
    apiGroups: isUrl ? [] : (option('@') ?? ['']),
    resources: isUrl ? [] : what.split(','),
    resourceNames: option('=') ?? [],
    nonResourceURLs: isUrl ? what.replace('URL:', '').split(',') : [],
  };
}

function described(rule: PolicyRule): string {
  const named = (set: number, mark: string, scopes: readonly string[] | undefined): string => {
    const limit = scopes === undefined ? '' : `[${scopes.join(' ')}]`;
    const names = capabilitiesIn(set).map((capability) => `${capability}${limit}`);
    return names.length === 0 ? '' : `${mark}${names.join(' ')}`;
  };
  const given = ruleGrantsOf(rule).flatMap(({ explicit, wildcard, scopes }) =>
    [named(explicit, '', scopes), named(wildcard, '~', scopes)].filter((text) => text !== ''),
  );
  const missed = nearMissesOf(rule).map(
    ({ capability, problems }) => `?${capability} ${problems.map(({ field }) => field).join(' ')}`,
  );
  return [...given, ...missed].join(' ');
}
