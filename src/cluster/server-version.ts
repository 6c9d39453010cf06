import { asString } from '../kube/json.ts';
import { type KubernetesVersion, NEWEST_VERSION } from '../policy/cluster-view.ts';
import type { ApiClient } from './api-client.ts';
import type { Clock } from './clock.ts';

/** A server is upgraded under our feet now and then; no sooner than this is it asked again. */
const BELIEVED_MS = 10 * 60_000;

/** How long the server has to say its version. */
const PATIENCE_MS = 10_000;

/** The minor version of the server, `36` or `36+` on the wire. Rejects when the server does not answer. */
export async function serverVersion(client: ApiClient, signal: AbortSignal): Promise<KubernetesVersion> {
  const { major, minor } = await client.request({ path: '/version', signal });
  return {
    major: leadingInteger(major) ?? NEWEST_VERSION.major,
    minor: leadingInteger(minor) ?? NEWEST_VERSION.minor,
  };
}

/**
 * The version as it was last read: whoever asks gets it at once, and has it read again when that is ten minutes ago.
 * What cannot be read stays as it was. Rejects when it cannot be read the first time.
 */
export async function followVersion(client: ApiClient, clock: Clock): Promise<() => KubernetesVersion> {
  let version = await serverVersion(client, AbortSignal.timeout(PATIENCE_MS));
  let askedAt = clock.now();
  const readAgain = async (): Promise<void> => {
    try {
      version = await serverVersion(client, AbortSignal.timeout(PATIENCE_MS));
    } catch {
      // An old version gives old advice, and nothing worse.
    }
  };
  return () => {
    if (clock.now() - askedAt > BELIEVED_MS) {
      askedAt = clock.now();
      void readAgain();
    }
    return version;
  };
}

function leadingInteger(text: unknown): number | undefined {
  const digits = /^[0-9]{1,4}/.exec(asString(text) ?? '')?.[0];
  return digits === undefined ? undefined : Number(digits);
}
