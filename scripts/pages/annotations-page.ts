import { RECORDS, SETTINGS, type AnnotationFacts } from '../../src/inject/annotations.ts';
import { SKIP_REASONS, WARNINGS } from '../../src/inject/reasons.ts';
import { notice, page, prose, table } from './markdown.ts';

/** docs/annotations.md: what pods say about injection, what it writes on them, and why a pod may be left alone. */
export function annotationsPage(): string {
  return page(
    notice('src/inject/annotations.ts and src/inject/reasons.ts'),
    '# Annotations',
    'A pod whose metrics port is annotated gets a kube-rbac-proxy in front of it. `prometheus.io/scrape`, `prometheus.io/port`, `prometheus.io/path` and `prometheus.io/scheme` count in every spelling that Prometheus takes for the same.',
    '## What you write on a pod',
    factsTable(Object.values(SETTINGS)),
    '## What injection writes',
    '`prometheus.io/port` and `prometheus.io/scheme` send Prometheus to the first proxy. What they said before, and what was injected, stands in',
    factsTable(Object.values(RECORDS)),
    '## Why a pod is left alone',
    'A pod gets a proxy for each of its ports or none at all; the first of these that holds decides.',
    table(
      ['reason', 'what it says', 'warned about'],
      Object.entries(SKIP_REASONS).map(([reason, { text, needsAction }]) => [
        `\`${reason}\``,
        prose(withPlaceholder(text)),
        needsAction ? 'yes' : 'no',
      ]),
    ),
    '## What is told besides',
    table(
      ['warning', 'what it says'],
      Object.entries(WARNINGS).map(([code, text]) => [`\`${code}\``, prose(withPlaceholder(text))]),
    ),
  );
}

function factsTable(facts: readonly AnnotationFacts[]): string {
  return table(
    ['annotation', 'value', 'without it', 'what it does'],
    facts.map((each) => [`\`${each.key}\``, each.type, each.default, each.sentence]),
  );
}

function withPlaceholder(text: string): string {
  return text.replaceAll('{{value}}', '…').replaceAll('{{key}}', '…');
}
