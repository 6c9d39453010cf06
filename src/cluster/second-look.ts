// Two writes at the same time can give together what neither gives alone: a role, and a binding to it. Admission sees
// neither beside the other. Each allowed write is judged once more when the caches have it.
import type { Outcome } from '../admission/reply.ts';
import { validate } from '../admission/validate.ts';
import type { AdmissionRequest } from '../kube/admission-review.ts';
import { asString } from '../kube/json.ts';
import { metadataOf } from '../kube/object.ts';
import { RESOURCES } from '../kube/resources.ts';
import type { ClusterView } from '../policy/cluster-view.ts';
import type { Ruleset } from '../policy/ruleset.ts';
import type { Clock } from './clock.ts';
import type { Listener } from './cluster-caches.ts';

/** What a second look is made with, and who hears what it found. */
export interface SecondLookParts {
  readonly ruleset: () => Ruleset;
  /** Today's date, UTC: `2027-03-31`. */
  readonly today: () => string;
  /** The cluster as the caches have it. */
  readonly view: () => ClusterView;
  readonly clock: Clock;
  /** Hears of a write that was allowed and would be refused by now. */
  readonly onMissed: (request: AdmissionRequest, outcome: Outcome) => void;
  /** Hears of a write that nobody will look at again: there were too many, or the caches were stale for too long. */
  readonly onGivenUp: (request: AdmissionRequest) => void;
}

/** Looks at allowed writes once more. */
export interface SecondLook {
  /** Takes note of what admission said of a request. */
  readonly expect: (request: AdmissionRequest, outcome: Outcome) => void;
  /** To be told of each object that a cache has taken in. */
  readonly seen: Listener;
  /** Forgets everything. */
  readonly stop: () => void;
}

/** How long the caches are given to see what was written beside an object, once they have seen the object. */
const SETTLE_MS = 2_000;

/** A write that no cache has seen by then was not made: something else has refused it, or it changed nothing. */
const FORGET_MS = 60_000;

/** More writes than this do not wait for their second look. */
const MOST_WAITING = 500;

/** A write that waits for its second look. */
interface Waiting {
  readonly key: string;
  readonly request: AdmissionRequest;
  readonly forgetAt: number;
  cancel: () => void;
}

/** Makes the second look of one server. */
export function makeSecondLook(parts: SecondLookParts): SecondLook {
  return new Looker(parts);
}

class Looker implements SecondLook {
  readonly #parts: SecondLookParts;
  readonly #waiting = new Set<Waiting>();
  /** What the caches have not seen yet, by its name. */
  readonly #unseen = new Map<string, readonly Waiting[]>();

  constructor(parts: SecondLookParts) {
    this.#parts = parts;
  }

  readonly expect = (request: AdmissionRequest, outcome: Outcome): void => {
    if (!isWorthwhile(request, outcome)) return;
    const { clock, onGivenUp } = this.#parts;
    const [oldest] = this.#waiting;
    if (this.#waiting.size >= MOST_WAITING && oldest !== undefined) {
      this.#forget(oldest);
      onGivenUp(oldest.request);
    }
    const key = keyOf(request.resource.resource, nameIn(request));
    const waiting: Waiting = { key, request, forgetAt: clock.now() + FORGET_MS, cancel: () => undefined };
    waiting.cancel = clock.after(FORGET_MS, () => this.#forget(waiting));
    this.#waiting.add(waiting);
    this.#unseen.set(key, [...(this.#unseen.get(key) ?? []), waiting]);
  };

  readonly seen: Listener = (followed, name) => {
    const key = keyOf(followed, name);
    const seen = this.#unseen.get(key);
    if (seen === undefined) return;
    this.#unseen.delete(key);
    for (const waiting of seen) this.#lookLater(waiting);
  };

  readonly stop = (): void => {
    for (const waiting of this.#waiting) this.#forget(waiting);
  };

  #lookLater(waiting: Waiting): void {
    waiting.cancel();
    waiting.cancel = this.#parts.clock.after(SETTLE_MS, () => void this.#look(waiting));
  }

  async #look(waiting: Waiting): Promise<void> {
    const { ruleset, today, view, clock, onMissed, onGivenUp } = this.#parts;
    const { request } = waiting;
    const seen = view();
    if (!seen.grants.isCurrent && clock.now() < waiting.forgetAt) return this.#lookLater(waiting);
    this.#forget(waiting);
    if (!seen.grants.isCurrent) return onGivenUp(request);
    const { outcome } = await validate(request, { ruleset: ruleset(), viewFor: () => seen, today: today() }, NEVER);
    if (outcome.answered.some(({ answer }) => answer === 'deny')) onMissed(request, outcome);
  }

  #forget(waiting: Waiting): void {
    waiting.cancel();
    this.#waiting.delete(waiting);
    const others = this.#unseen.get(waiting.key)?.filter((other) => other !== waiting) ?? [];
    if (others.length === 0) this.#unseen.delete(waiting.key);
    else this.#unseen.set(waiting.key, others);
  }
}

const NEVER = AbortSignal.any([]);

/** Whether a write was let through as harmless, and can become harmful by another one. */
function isWorthwhile({ resource, dryRun }: AdmissionRequest, { decision, exemption, answered }: Outcome): boolean {
  return (
    decision.allowed &&
    !dryRun &&
    exemption === undefined &&
    resource.group === RESOURCES.clusterroles.group &&
    (resource.resource === 'clusterroles' || resource.resource === 'clusterrolebindings') &&
    // Whoever broke the glass was told, and so was the log.
    !answered.some(({ answer }) => answer === 'break-glass')
  );
}

/** The name that the API server has given by the time that it asks. */
function nameIn({ object = {}, name }: AdmissionRequest): string {
  return asString(metadataOf(object)['name']) || name;
}

function keyOf(resource: string, name: string): string {
  return `${resource}/${name}`;
}
