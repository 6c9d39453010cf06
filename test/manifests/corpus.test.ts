import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { readFiles } from '../../src/manifests/files.ts';
import { readManifests, type Manifest } from '../../src/manifests/manifests.ts';
import { corpusSkip, readLabels } from '../support/corpus.ts';

const CORPUS = fileURLToPath(new URL('../../../shared/corpus/', import.meta.url));

const TWICE = /^key "\w+" is given twice, the last one counts \(first in line \d+\)$/;

/** What other JavaScript parsers refuse: the file, the kinds in it, and the one warning. */
const REFUSED_ELSEWHERE: readonly (readonly [file: string, kinds: string, line: number, message: RegExp])[] = [
  ['azure-container-insights/scenarios/test__scenario__multiline__dotnet-win.yaml', 'Job ConfigMap', 20, TWICE],
  ['azure-container-insights/scenarios/test__scenario__multiline__golang-win.yaml', 'Job ConfigMap', 20, TWICE],
  ['azure-container-insights/scenarios/test__scenario__multiline__java-win.yaml', 'Job ConfigMap', 20, TWICE],
  ['azure-container-insights/scenarios/test__scenario__multiline__python-win.yaml', 'Job ConfigMap', 20, TWICE],
  ['cue-kubernetes-tutorial/infra-etcd/etcd.yaml', 'Service StatefulSet', 3, TWICE],
  ['kubernetes-examples/archived/openshift-origin__etcd-controller.yaml', 'Deployment', 12, TWICE],
  ['kubernetes-examples/archived/openshift-origin__etcd-discovery-controller.yaml', 'Deployment', 12, TWICE],
  ['kubernetes-examples/archived/openshift-origin__openshift-controller.yaml', 'Deployment', 12, TWICE],
  ['otel-operator/sm-exporters/08-assert.yaml', 'ServiceMonitor Job', 9, TWICE],
  [
    'sock-shop/monitoring/manifests-monitoring__23-grafana-import-dash-batch.yaml',
    'Job',
    25,
    /^the line is indented less/,
  ],
];

for (const [file, kinds, line, message] of REFUSED_ELSEWHERE) {
  test(`${file}: refused by other JavaScript parsers, read here with a warning`, { skip: corpusSkip }, () => {
    const { manifests, errors, warnings } = readManifests(file, readFileSync(`${CORPUS}${file}`, 'utf8'));
    assert.deepEqual(errors, []);
    assert.equal(manifests.map(({ object }) => object['kind']).join(' '), kinds);
    assert.deepEqual(
      warnings.map((warning) => warning.line),
      [line],
    );
    assert.match(warnings[0]?.message ?? '', message);
  });
}

test('every document of the corpus is read, and no other is warned about', { skip: corpusSkip }, async () => {
  const { manifests, errors, warnings } = await readFiles([CORPUS], (async function* () {})());
  assert.deepEqual(errors, []);
  assert.deepEqual(
    warnings.map(({ file }) => file.slice(CORPUS.length)),
    REFUSED_ELSEWHERE.map(([file]) => file),
  );
  const byFile = Map.groupBy(manifests, ({ file }) => file.slice(CORPUS.length));
  const documents = (found: readonly Manifest[] = []): number => new Set(found.map(({ document }) => document)).size;
  const index = readLabels('index.jsonl').map(({ file, docs }) => [file, docs]);
  assert.ok(index.length > 1000);
  assert.deepEqual(
    index.map(([file]) => [file, documents(byFile.get(String(file)))]),
    index,
  );
});
