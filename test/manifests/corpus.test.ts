import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Manifest } from '../../src/manifests/manifests.ts';
import { corpusSkip, readCorpusFiles, readLabels } from '../support/corpus.ts';

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
  test(`${file}: refused by other JavaScript parsers, read here with a warning`, { skip: corpusSkip }, async () => {
    const [read] = await readCorpusFiles([file]);
    assert.ok(read);
    const { manifests, errors, warnings } = read.reading;
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
  const readings = (await readCorpusFiles()).map(({ reading }) => reading);
  assert.deepEqual(
    readings.flatMap(({ errors }) => errors),
    [],
  );
  assert.deepEqual(
    readings.flatMap(({ warnings }) => warnings.map(({ file }) => file)),
    REFUSED_ELSEWHERE.map(([file]) => file),
  );
  const byFile = Map.groupBy(
    readings.flatMap(({ manifests }) => manifests),
    ({ file }) => file,
  );
  const documents = (found: readonly Manifest[] = []): number => new Set(found.map(({ document }) => document)).size;
  const index = readLabels('index.jsonl').map(({ file, docs }) => [file, docs]);
  assert.ok(index.length > 1000);
  assert.deepEqual(
    index.map(([file]) => [file, documents(byFile.get(String(file)))]),
    index,
  );
});
