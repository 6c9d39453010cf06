import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import type { JsonObject } from '../../src/kube/json.ts';
import { makePod } from '../support/rule-tester.ts';
import { judgeAlone, rulesetOf } from '../support/rulesets.ts';
import { validateWrite } from '../support/validate-review.ts';

// Flags that open the metrics of a component, and what only looks like them, under the default policy: what the webhook
// answers to a pod that is started so.

type Answer = 'deny' | 'warn' | 'allow';

interface Vector {
  readonly name: string;
  /** The command line of the pod's container. */
  readonly command: string;
  readonly answer: Answer;
  /** The rule that speaks; none does where everything is allowed. */
  readonly rule?: string;
}

const KUBE_PROXY = 'kube-proxy-metrics-address';
const CONTROL_PLANE = 'control-plane-flags';
const KUBELET = 'kubelet-configuration';
const PROXY = 'kube-rbac-proxy-flags';

function vector(name: string, command: string, answer: Answer, rule?: string): Vector {
  return { name, command, answer, ...(rule === undefined ? {} : { rule }) };
}

const paths = (list: string): string => `kube-controller-manager --authorization-always-allow-paths=${list}`;
const proxy = (flag: string): string => `kube-rbac-proxy --upstream=http://127.0.0.1:9100/ ${flag}`;

const VECTORS: readonly Vector[] = [
  vector('X01', 'kube-proxy --metrics-bind-address=0.0.0.0:10249', 'warn', KUBE_PROXY),
  vector('X02', 'kube-proxy --metrics-bind-address=0.0.0.0', 'warn', KUBE_PROXY),
  vector('X04', 'kube-proxy --metrics-bind-address=127.0.0.1:10249', 'allow'),
  vector('X04', 'kube-proxy --metrics-bind-address=[::1]:10249', 'allow'),
  vector('X05', 'etcd --listen-metrics-urls=http://0.0.0.0:2381', 'deny', CONTROL_PLANE),
  vector('X07', 'etcd --listen-metrics-urls=https://10.0.0.4:2381,http://127.0.0.1:2381', 'allow'),
  vector('X08', 'etcd --client-cert-auth=false', 'deny', CONTROL_PLANE),
  vector('X10', paths('/healthz,/metrics'), 'deny', CONTROL_PLANE),
  vector('X11', paths('metrics'), 'deny', CONTROL_PLANE),
  vector('X11', paths('/m*'), 'deny', CONTROL_PLANE),
  vector('X11', paths('*'), 'deny', CONTROL_PLANE),
  vector('X13', 'kube-scheduler --port=0', 'allow'),
  vector('X14', 'kube-scheduler --bind-address=0.0.0.0', 'warn', CONTROL_PLANE),
  vector('X16', 'kubelet --anonymous-auth', 'deny', KUBELET),
  vector('X17', 'kubelet --anonymous-auth=False', 'allow'),
  vector('X19', proxy('--ignore-paths=/metrics'), 'deny', PROXY),
  vector('X19', proxy('--ignore-paths=/met*'), 'deny', PROXY),
  vector('X19', proxy('--ignore-paths=/*'), 'deny', PROXY),
  vector('X20', proxy('--insecure-listen-address=0.0.0.0:8080'), 'deny', PROXY),
  vector('peers', 'etcd --peer-client-cert-auth=false', 'deny', CONTROL_PLANE),
  vector('insecure', 'kube-controller-manager --port=10252 --address=0.0.0.0', 'deny', CONTROL_PLANE),
  vector('secure', 'kube-controller-manager --secure-port=10257 --authorization-kubeconfig=/cm.conf', 'allow'),
];

const podOf = (container: JsonObject): JsonObject => makePod({ container: { image: 'app:1', ...container } });

describe('a flag of a component', () => {
  for (const { name, command, answer, rule } of VECTORS) {
    it(`${name}: ${command} is answered with ${answer}`, async () => {
      const object = podOf({ command: command.split(' ') });
      const { response } = await validateWrite({ object });
      assert.equal(response.allowed, answer !== 'deny');
      assert.equal((response.warnings ?? []).length, answer === 'warn' ? 1 : 0);
      const text = [response.status?.message ?? '', ...(response.warnings ?? [])].join('\n');
      if (rule !== undefined) assert.match(text, new RegExp(`(?:/|^)${rule}[:.]`, 'm'));
    });

    it(`${name}: ${command} means the same in a shell, behind an init, in two fields`, async () => {
      const [program = '', ...flags] = command.split(' ');
      const ways = [
        { command: ['/bin/sh', '-ec'], args: [`mkdir -p /run && exec /usr/local/bin/${command}`] },
        { command: ['tini', '--', `/usr/bin/${program}`, ...flags] },
        { command: ['/usr/bin/env', 'A=1', program], args: flags },
      ];
      for (const container of ways) {
        const { response } = await validateWrite({ object: podOf(container) });
        assert.equal(response.allowed, answer !== 'deny', JSON.stringify(container));
      }
    });
  }

  it('is reported for a template in the mode that its pods would meet', () => {
    const template = { spec: { containers: [{ name: 'etcd', command: ['etcd', '--client-cert-auth=false'] }] } };
    const object = { apiVersion: 'apps/v1', kind: 'StatefulSet', metadata: { name: 'etcd' }, spec: { template } };
    const { findings } = judgeAlone(object, rulesetOf());
    assert.deepEqual(
      findings.map(({ mode, path }) => `${mode} ${path}`),
      ['enforce /spec/template/spec/containers/0/command/1'],
    );
  });
});
