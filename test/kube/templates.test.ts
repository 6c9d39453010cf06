import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import * as fc from 'fast-check';

import { valueAt } from '../../src/kube/pointer.ts';
import { isTemplateKind, TEMPLATE_KINDS, templatesOf, type TemplateKind } from '../../src/kube/templates.ts';

const SPEC = { containers: [{ name: 'app' }] };
const TEMPLATE = { metadata: { labels: { app: 'a' }, annotations: { b: 'c' } }, spec: SPEC };

describe('templatesOf', () => {
  const cases: readonly (readonly [string, string, object, string])[] = [
    ['apps/v1', 'Deployment', { spec: { template: TEMPLATE } }, '/spec/template'],
    ['apps/v1', 'StatefulSet', { spec: { template: TEMPLATE } }, '/spec/template'],
    ['apps/v1', 'DaemonSet', { spec: { template: TEMPLATE } }, '/spec/template'],
    ['apps/v1', 'ReplicaSet', { spec: { template: TEMPLATE } }, '/spec/template'],
    ['extensions/v1beta1', 'Deployment', { spec: { template: TEMPLATE } }, '/spec/template'],
    ['v1', 'ReplicationController', { spec: { template: TEMPLATE } }, '/spec/template'],
    ['v1', 'PodTemplate', { template: TEMPLATE }, '/template'],
    ['batch/v1', 'Job', { spec: { template: TEMPLATE } }, '/spec/template'],
    [
      'batch/v1beta1',
      'CronJob',
      { spec: { jobTemplate: { spec: { template: TEMPLATE } } } },
      '/spec/jobTemplate/spec/template',
    ],
    ['argoproj.io/v1alpha1', 'Rollout', { spec: { template: TEMPLATE } }, '/spec/template'],
  ];
  for (const [apiVersion, kind, rest, path] of cases) {
    it(`takes the template of a ${kind} of ${apiVersion}`, () => {
      const object = { apiVersion, kind, metadata: { name: 'owner', namespace: 'ns' }, ...rest };
      const expected = {
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: { generateName: 'owner-', namespace: 'ns', labels: { app: 'a' }, annotations: { b: 'c' } },
        spec: SPEC,
      };
      assert.deepEqual(templatesOf(object, TEMPLATE_KINDS), [{ pod: expected, path }]);
      assert.equal(isTemplateKind(object, TEMPLATE_KINDS), true);
    });
  }

  it('takes none of another kind or group, and none that is no object', () => {
    for (const object of [
      { apiVersion: 'v1', kind: 'Pod', spec: { template: TEMPLATE } },
      { apiVersion: 'other/v1', kind: 'Deployment', spec: { template: TEMPLATE } },
      { apiVersion: 'apps/v1', kind: 'Deployment', spec: { template: 'x' } },
      { apiVersion: 'apps/v1', kind: 'Deployment' },
      { apiVersion: 'apps/v1', kind: 'Deployment', __proto__: null, spec: [] },
      {},
    ]) {
      assert.deepEqual(templatesOf(object, TEMPLATE_KINDS), []);
    }
  });

  it('reads a template without metadata or spec as an empty one', () => {
    const [template] = templatesOf(
      { apiVersion: 'apps/v1', kind: 'Deployment', spec: { template: {} } },
      TEMPLATE_KINDS,
    );
    assert.deepEqual(template?.pod['spec'], {});
  });

  const many: readonly TemplateKind[] = [{ group: 'tekton.dev', resource: 'tasks', kind: 'Task', path: '/spec/*/pod' }];

  it('takes every template where a token is a star: of a list, and of a map', () => {
    const task = (spec: unknown): object => ({ apiVersion: 'tekton.dev/v1', kind: 'Task', spec });
    const paths = (spec: unknown): string[] => templatesOf({ ...task(spec) }, many).map(({ path }) => path);
    assert.deepEqual(paths([{ pod: TEMPLATE }, {}, { pod: TEMPLATE }]), ['/spec/0/pod', '/spec/2/pod']);
    assert.deepEqual(paths({ 'a/b': { pod: TEMPLATE }, c: null }), ['/spec/a~1b/pod']);
    assert.deepEqual(paths('x'), []);
  });

  it('gives paths that lead back to the template', () => {
    const step = fc.record({ pod: fc.oneof(fc.constant(TEMPLATE), fc.anything()) });
    const spec = fc.oneof(fc.array(step), fc.dictionary(fc.string(), step), fc.anything());
    fc.assert(
      fc.property(spec, (value) => {
        const object = { apiVersion: 'tekton.dev/v1', kind: 'Task', spec: value };
        for (const { path, pod } of templatesOf(object, many)) {
          assert.equal(typeof valueAt(object, path), 'object');
          assert.equal(pod['kind'], 'Pod');
        }
      }),
    );
  });
});
