import type { FastifyInstance } from 'fastify';

import { mayReach, reviewToken } from '../cluster/access-reviews.ts';
import type { ApiClient } from '../cluster/api-client.ts';
import { makeGate } from '../server/gate.ts';
import { buildMetricsServer } from '../server/metrics-app.ts';
import type { CertificateSource } from '../tls/source.ts';
import { expiresAt } from '../tls/validity.ts';
import type { Meters } from './meters.ts';
import type { OpenView } from './serve-view.ts';
import { VERSION } from './version.ts';

/** What our own metrics are shown with. */
export interface MetricsParts {
  readonly meters: Meters;
  readonly certificates: CertificateSource;
  readonly client: ApiClient;
}

/** The server of our own metrics, not listening yet: for whoever the API server lets get `/metrics`. */
export function metricsServer({ meters, certificates, client }: MetricsParts): FastifyInstance {
  const gate = makeGate({
    authenticate: (token, signal) => reviewToken(client, token, signal),
    authorize: (viewer, verb, signal) => mayReach(client, viewer, { path: '/metrics', verb }, signal),
    clock: () => performance.now(),
  });
  return buildMetricsServer({ certificates, gate, render: meters.render, contentType: meters.contentType });
}

/** Has the gauges read what is the case when somebody asks, and certificates counted as they come. */
export function observe(
  meters: Meters,
  { certificates, view, inFlight }: { certificates: CertificateSource; view: OpenView; inFlight: () => number },
): void {
  meters.observe('scrapeguard_build_info', () => [{ labels: { version: VERSION }, value: 1 }]);
  meters.observe('scrapeguard_requests_in_flight', () => [{ value: inFlight() }]);
  meters.observe('scrapeguard_certificate_expiry_timestamp_seconds', () => [
    { value: expiresAt(certificates.current.cert).getTime() / 1000 },
  ]);
  certificates.onChange(() => meters.count('scrapeguard_certificate_reloads_total'));
  const caches = (): (readonly [string, { isSynced: boolean; age: number }])[] => Object.entries(view.caches());
  meters.observe('scrapeguard_cache_synced', () =>
    caches().map(([resource, { isSynced }]) => ({ labels: { resource }, value: isSynced ? 1 : 0 })),
  );
  meters.observe('scrapeguard_cache_age_seconds', () =>
    caches().map(([resource, { age }]) => ({ labels: { resource }, value: age / 1000 })),
  );
}
