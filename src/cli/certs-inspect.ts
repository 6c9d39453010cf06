import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';

import { connect } from '../cluster/api-client.ts';
import { asString } from '../kube/json.ts';
import { inspect, type Inspection, type Subject, type Text } from '../tls/inspect.ts';
import { PART_NAMES } from '../tls/source.ts';
import { certificateStore, type SecretName } from './certificate-store.ts';
import { inspectionText } from './certs-text.ts';
import { Failure } from './failure.ts';
import type { Io } from './io.ts';

/** What to look at besides a path, and what to hold it against. */
export interface InspectOptions {
  readonly kubeconfig?: string;
  readonly secret: SecretName;
  readonly name: readonly string[];
  readonly within: number;
  readonly output: 'text' | 'json';
}

const REQUEST_MS = 10_000;

/** Prints what was found and returns the exit code: 1 when anything is wrong. Rejects with a Failure when nothing can be read. */
export async function inspectCertificates(path: string, options: InspectOptions, io: Io): Promise<number> {
  const { kubeconfig, secret, name, within, output } = options;
  const subject = kubeconfig === undefined ? await readPath(path) : await readCluster(kubeconfig, secret);
  const found: Inspection = inspect(subject, { at: io.now(), withinDays: within, names: name });
  io.stdout.write(output === 'json' ? `${JSON.stringify(found, undefined, 2)}\n` : inspectionText(found));
  return found.problems.length === 0 ? 0 : 1;
}

async function readPath(path: string): Promise<Subject> {
  const info = await stat(path).catch((error: unknown) => {
    throw new Failure(`${path} cannot be read: ${error instanceof Error ? error.message : String(error)}`, error);
  });
  if (!info.isDirectory()) return { cert: await readText(path, path), trust: [] };
  const cert = await readText(join(path, PART_NAMES.cert), PART_NAMES.cert);
  const key = await readText(join(path, PART_NAMES.key), PART_NAMES.key);
  const ca = await readText(join(path, PART_NAMES.ca), PART_NAMES.ca).catch(() => undefined);
  return { cert, key, trust: ca === undefined || ca.text.trim() === '' ? [] : [ca] };
}

async function readText(file: string, name: string): Promise<Text> {
  try {
    return { name, text: await readFile(file, 'utf8') };
  } catch (error) {
    throw new Failure(`${file} cannot be read: ${error instanceof Error ? error.message : String(error)}`, error);
  }
}

async function readCluster(kubeconfig: string, secret: SecretName): Promise<Subject> {
  try {
    const client = await connect({ kubeconfig });
    const store = certificateStore(client, { ...secret, creator: 'inspect' });
    const signal = AbortSignal.timeout(REQUEST_MS);
    try {
      const found = await store.readSecret(signal);
      if (found === undefined) throw new Failure(`There is no Secret ${secret.namespace}/${secret.name}.`);
      const { cert, key } = found.parts;
      const trust = (await store.readTrust(signal)).flatMap(({ object, bundles }) =>
        bundles.map((text, index) => ({ name: `caBundle ${index} of the ${asString(object['kind'])}`, text })),
      );
      return { cert: { name: PART_NAMES.cert, text: cert }, key: { name: PART_NAMES.key, text: key }, trust };
    } finally {
      await client.close();
    }
  } catch (error) {
    if (error instanceof Failure) throw error;
    throw new Failure(`The cluster of ${kubeconfig}: ${error instanceof Error ? error.message : String(error)}`, error);
  }
}
