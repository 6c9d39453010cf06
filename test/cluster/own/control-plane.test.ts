import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { it } from 'node:test';
import { asList, asObject } from '../../../src/kube/json.ts';
import { ownClusterSuite } from '../../support/cluster-suite.ts';
import { startControlPlane } from '../../support/control-plane.ts';
import { waitUntilGone } from '../../support/processes.ts';

await ownClusterSuite('a control plane of its own', { controllers: false }, (controlPlane) => {
  it('keeps its state when the API server is restarted with other options', async () => {
    const namespace = await controlPlane.createNamespace({ kept: 'yes' });
    const before = controlPlane.pids();
    await controlPlane.stopApiServer();
    await assert.rejects(controlPlane.request('/readyz'), /ECONNREFUSED/);
    await controlPlane.startApiServer({
      flags: { 'runtime-config': 'batch/v1=false' },
      featureGates: { LoggingAlphaOptions: true },
      env: { GOMAXPROCS: '3' },
    });
    const found = asObject((await controlPlane.request(`/api/v1/namespaces/${namespace}`)).body);
    assert.equal(asObject(asObject(found['metadata'])['labels'])['kept'], 'yes');
    const after = controlPlane.pids();
    assert.equal(before.filter((pid) => after.includes(pid)).length, 1, 'etcd goes on, the API server is another');
    assert.equal((await controlPlane.request('/apis/batch/v1')).status, 404);
    const metrics = String((await controlPlane.request('/metrics')).body);
    assert.match(metrics, /^kubernetes_feature_enabled\{name="LoggingAlphaOptions",stage="ALPHA"\} 1$/m);
    assert.match(metrics, /^go_sched_gomaxprocs_threads 3$/m);
  });

  it('makes nothing from a Deployment without the controller manager', async () => {
    const pods = asObject((await controlPlane.request('/api/v1/pods')).body);
    assert.deepEqual(asList(pods['items']), []);
    assert.equal(controlPlane.pids().length, 2);
  });

  it('leaves nothing behind when it is stopped', async () => {
    const second = await startControlPlane({ controllers: false });
    assert.notEqual(second.url, controlPlane.url);
    const pids = second.pids();
    await second.stop();
    await waitUntilGone(pids);
    assert.equal(existsSync(second.directory), false);
  });

  it('says what the API server said when it cannot start', async () => {
    const failing = startControlPlane({ controllers: false, apiserver: { flags: { 'no-such-flag': 'x' } } });
    await assert.rejects(failing, /unknown flag: --no-such-flag/);
  });
});
