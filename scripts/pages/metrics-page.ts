import { METERS } from '../../src/cli/meter-table.ts';
import { notice, page, prose, table } from './markdown.ts';

/** docs/metrics.md: every metric that a server shows of itself, and to whom. */
export function metricsPage(): string {
  return page(
    notice('src/cli/meter-table.ts'),
    '# Our own metrics',
    'A server that sees a cluster live shows them over HTTPS on port 8443 (`--metrics-port`, 0 for none) at `/metrics`, to whoever the API server knows by a bearer token and lets `get` the URL `/metrics`: TokenReview and SubjectAccessReview, as a kube-rbac-proxy asks them. Its service account needs `create` on `tokenreviews` and `subjectaccessreviews`. Those of the process and of Node (`process_*`, `nodejs_*`) come beside them.',
    '[operations.md](operations.md#watch-it) tells how to let a Prometheus in, and what to do about each alert; there is a [dashboard](../deploy/grafana/scrapeguard.json), too.',
    table(
      ['metric', 'kind', 'labels', 'what it tells'],
      METERS.map(({ name, kind, labels, help }) => [
        `\`${name}\``,
        kind,
        labels.map((label) => `\`${label}\``).join(', '),
        prose(help),
      ]),
    ),
  );
}
