import { asObject, asString, type JsonObject } from '../kube/json.ts';
import type { ApiClient } from './api-client.ts';
import { createObject, readObject, replaceObject } from './named-object.ts';

/** One Lease and who wants it. Whole seconds; the clock `elapsed` counts milliseconds and is never set. */
export interface LeaseOptions {
  readonly namespace: string;
  readonly name: string;
  /** Unlike that of every other replica, and of an earlier process of this one. */
  readonly identity: string;
  readonly seconds: number;
  readonly now: () => Date;
  readonly elapsed: () => number;
}

/** A Lease of coordination.k8s.io that one replica holds at a time. */
export interface Lease {
  /** Takes or renews it; false when another has it. Renew it more often than every third of its duration. */
  readonly hold: (signal: AbortSignal) => Promise<boolean>;
  /** Whether it can still be counted on: true for two thirds of its duration after it was held. */
  readonly isHeld: () => boolean;
  /** Lets another have it at once. */
  readonly release: (signal: AbortSignal) => Promise<void>;
}

/** The longest that another holder's own duration is believed, in seconds. */
const LONGEST_SECONDS = 60;

/**
 * A Lease as client-go's leader election has it: another's is over when it has not changed for its duration, measured
 * from when we saw it change, by our clock; what the other's clock says does not matter.
 */
export function makeLease(client: ApiClient, options: LeaseOptions): Lease {
  const { namespace, name, identity, seconds, now, elapsed } = options;
  const path = `/apis/coordination.k8s.io/v1/namespaces/${namespace}/leases/${name}`;
  let observed: { readonly spec: string; readonly at: number } | undefined;
  let heldSince: number | undefined;

  const isOver = (spec: JsonObject, at: number): boolean => {
    const content = JSON.stringify(spec);
    if (observed?.spec !== content) observed = { spec: content, at };
    return at - observed.at >= durationOf(spec, seconds) * 1000;
  };

  const tryToHold = async (at: number, signal: AbortSignal): Promise<boolean> => {
    const found = await readObject(client, path, signal);
    const time = microTime(now());
    const mine = { holderIdentity: identity, leaseDurationSeconds: seconds, renewTime: time };
    if (found === undefined) {
      const spec = { ...mine, acquireTime: time, leaseTransitions: 0 };
      const object = { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata: { name, namespace }, spec };
      return createObject(client, path, { object, creator: identity, signal });
    }
    const spec = asObject(found['spec']);
    const holder = asString(spec['holderIdentity']) ?? '';
    if (holder === identity) return replaceObject(client, path, { object: withSpec(found, mine), signal });
    if (holder !== '' && !isOver(spec, at)) return false;
    const taken = { ...mine, acquireTime: time, leaseTransitions: countOf(spec['leaseTransitions']) + 1 };
    return replaceObject(client, path, { object: withSpec(found, taken), signal });
  };

  return {
    async hold(signal) {
      // From before it was written: the others count from after.
      const at = elapsed();
      const isOurs = await tryToHold(at, signal);
      heldSince = isOurs ? at : undefined;
      return isOurs;
    },
    isHeld: () => heldSince !== undefined && elapsed() - heldSince < (seconds * 1000 * 2) / 3,
    async release(signal) {
      heldSince = undefined;
      const found = await readObject(client, path, signal);
      if (found === undefined || asObject(found['spec'])['holderIdentity'] !== identity) return;
      const spec = { holderIdentity: '', leaseDurationSeconds: 1, renewTime: microTime(now()) };
      await replaceObject(client, path, { object: withSpec(found, spec), signal });
    },
  };
}

function withSpec(lease: JsonObject, spec: JsonObject): JsonObject {
  return { ...lease, spec: { ...asObject(lease['spec']), ...spec } };
}

/** The holder's own duration where it names a sensible one. */
function durationOf({ leaseDurationSeconds }: JsonObject, own: number): number {
  const theirs = typeof leaseDurationSeconds === 'number' ? leaseDurationSeconds : own;
  return Math.min(Math.max(theirs, 1), LONGEST_SECONDS);
}

function countOf(transitions: unknown): number {
  return typeof transitions === 'number' ? transitions : 0;
}

/** A `metav1.MicroTime`, which has exactly six digits after the point. */
function microTime(time: Date): string {
  return time.toISOString().replace('Z', '000Z');
}
