import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { imageName, imageTag } from '../../src/kube/images.ts';

describe('an image reference', () => {
  const cases: readonly (readonly [string, string, string])[] = [
    ['kubelet', 'kubelet', ''],
    ['kubelet:v1', 'kubelet', 'v1'],
    ['registry.k8s.io/etcd:3.6.8-0', 'etcd', '3.6.8-0'],
    ['registry.example.com:5000/a/b/kubelet', 'kubelet', ''],
    ['registry.example.com:5000/a/b/kubelet:v1', 'kubelet', 'v1'],
    ['quay.io/brancz/kube-rbac-proxy:v0.22.1@sha256:0123', 'kube-rbac-proxy', 'v0.22.1'],
    ['kubelet@sha256:0123', 'kubelet', ''],
    ['', '', ''],
    ['/', '', ''],
  ];
  for (const [image, name, tag] of cases) {
    it(`"${image}" has the name "${name}" and the tag "${tag}"`, () => {
      assert.deepEqual([imageName(image), imageTag(image)], [name, tag]);
    });
  }
});
