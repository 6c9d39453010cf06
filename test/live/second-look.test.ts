import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { Type } from 'typebox';

import { decodeReview } from '../../src/admission/decode.ts';
import type { Outcome } from '../../src/admission/reply.ts';
import { makeSecondLook, type SecondLook } from '../../src/cluster/second-look.ts';
import type { AdmissionRequest } from '../../src/kube/admission-review.ts';
import type { JsonObject } from '../../src/kube/json.ts';
import { NEWEST_VERSION } from '../../src/policy/cluster-view.ts';
import { ALLOWED } from '../../src/policy/decide.ts';
import { defineRule } from '../../src/policy/rule.ts';
import { clusterRoleBindingOf } from '../../src/rbac/bindings.ts';
import { clusterRoleOf } from '../../src/rbac/cluster-role.ts';
import { deltaOfBinding, deltaOfRole } from '../../src/rbac/delta.ts';
import { GrantsIndex } from '../../src/rbac/grants-index.ts';
import { OverlayView } from '../../src/rbac/overlay.ts';
import { clusterRole, clusterRoleBinding, upsert } from '../rbac/objects.ts';
import { type FakeClock, makeClock } from '../support/fake-clock.ts';
import { rulesetOf, TODAY } from '../support/rulesets.ts';
import { makeReview, type Write } from '../support/validate-review.ts';

/** Refuses whatever adds a grant to somebody. */
const ANY_GRANT = defineRule({
  meta: {
    id: 'any-grant',
    title: 'Nobody may be granted anything',
    severity: 'low',
    profile: 'baseline',
    targets: ['clusterroles', 'clusterrolebindings'],
    judges: 'object',
    comparesItself: true,
    reads: ['rbac-index'],
    rationale: 'A test needs a rule.',
    remediation: 'Take the grant away.',
    references: [],
    controls: [],
    messages: { granted: { level: 'violation', text: 'grants something' } },
  },
  params: Type.Object({}),
  *check(object, { view: { grants }, oldObject }) {
    const isRole = object['kind'] === 'ClusterRole';
    const before = oldObject;
    const delta = isRole
      ? deltaOfRole(before && clusterRoleOf(before), clusterRoleOf(object), grants)
      : deltaOfBinding(before && clusterRoleBindingOf(before), clusterRoleBindingOf(object), grants);
    if (delta.length > 0) yield { messageId: 'granted', path: '' };
  },
});

const JANE = [{ kind: 'User', name: 'jane' }];
const ROLE = clusterRole('r', [{ apiGroups: [''], resources: ['nodes/proxy'], verbs: ['get'] }]);
const BINDING = clusterRoleBinding('b', 'r', JANE);
const SETTLE = 2_000;
const FORGET = 60_000;

interface Looking {
  readonly look: SecondLook;
  readonly clock: FakeClock;
  readonly missed: readonly string[];
  readonly givenUp: readonly string[];
  /** Puts an object into the cache, and tells of it. */
  readonly persist: (object: JsonObject) => void;
  /** Admits a write as if nothing had been found. */
  readonly admit: (write: Write, outcome?: Partial<Outcome>) => void;
  /** Lets the time pass that a look takes to come. */
  readonly settle: () => Promise<void>;
  readonly setCurrent: (isCurrent: boolean) => void;
}

function makeLook(spec: JsonObject = {}): Looking {
  const clock = makeClock();
  const index = new GrantsIndex();
  const ruleset = rulesetOf(spec, [ANY_GRANT]);
  const [missed, givenUp]: [string[], string[]] = [[], []];
  let isCurrent = true;
  const told = (request: AdmissionRequest): string => `${request.operation} ${request.kind} ${request.name}`;
  const look = makeSecondLook({
    ruleset: () => ruleset,
    today: () => TODAY,
    clock,
    view: () => ({
      version: NEWEST_VERSION,
      grants: new OverlayView(index, { isCurrent }),
      namespaceLabels: () => 'not found',
    }),
    onMissed: (request, outcome) => missed.push(`${told(request)}: ${outcome.answered[0]?.finding.rule.id}`),
    onGivenUp: (request) => givenUp.push(told(request)),
  });
  return {
    look,
    clock,
    missed,
    givenUp,
    persist(object) {
      upsert(index, object);
      const { name } = object['metadata'] as { name: string };
      look.seen(object['kind'] === 'ClusterRole' ? 'clusterroles' : 'clusterrolebindings', name);
    },
    admit(write, outcome = {}) {
      const request = decodeReview(JSON.stringify(makeReview(write)));
      look.expect(request, { decision: ALLOWED, answered: [], errors: [], excepted: 0, ...outcome });
    },
    async settle() {
      clock.advance(SETTLE);
      // The judging itself waits for nothing but itself.
      await new Promise(setImmediate);
    },
    setCurrent(now) {
      isCurrent = now;
    },
  };
}

describe('a second look', () => {
  it('finds what a role and a binding give together that were admitted at the same time', async () => {
    const { admit, persist, settle, missed, clock } = makeLook();
    admit({ object: ROLE });
    admit({ object: BINDING });
    persist(ROLE);
    persist(BINDING);
    await settle();
    assert.deepEqual(missed, ['CREATE ClusterRole r: any-grant', 'CREATE ClusterRoleBinding b: any-grant']);
    assert.deepEqual(clock.waiting(), []);
  });

  it('finds it although the other cache is a little behind', async () => {
    const { admit, persist, settle, missed, clock } = makeLook();
    admit({ object: BINDING });
    persist(BINDING);
    clock.advance(SETTLE - 1);
    persist(ROLE);
    await settle();
    assert.deepEqual(missed, ['CREATE ClusterRoleBinding b: any-grant']);
  });

  it('says nothing of what gives nothing, nor of what was there before', async () => {
    const { admit, persist, settle, missed } = makeLook();
    persist(ROLE);
    persist(BINDING);
    admit({ object: { ...ROLE, x: 1 }, oldObject: ROLE });
    admit({ object: { ...BINDING, x: 1 }, oldObject: BINDING });
    admit({ object: clusterRole('other', []) });
    for (const object of [ROLE, BINDING, clusterRole('other', [])]) persist(object);
    await settle();
    assert.deepEqual(missed, []);
  });

  it('says nothing where the rule is not enforced', async () => {
    const { admit, persist, settle, missed } = makeLook({ maximumMode: 'warn' });
    admit({ object: ROLE });
    persist(BINDING);
    persist(ROLE);
    await settle();
    assert.deepEqual(missed, []);
  });

  const NOT_EXPECTED: readonly { name: string; write: Write & JsonObject; outcome?: Partial<Outcome> }[] = [
    { name: 'a dry run', write: { object: ROLE, dryRun: true } },
    {
      name: 'a write that was refused',
      write: { object: ROLE },
      outcome: { decision: { ...ALLOWED, allowed: false } },
    },
    { name: 'an exempt writer', write: { object: ROLE }, outcome: { exemption: 'apiserver' } },
    { name: 'another resource', write: { object: { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'r' } } } },
  ];
  for (const { name, write, outcome } of NOT_EXPECTED) {
    it(`is not made of ${name}`, () => {
      const { admit, clock } = makeLook();
      admit(write, outcome);
      assert.deepEqual(clock.waiting(), []);
    });
  }

  it('forgets a write that was never made', async () => {
    const { admit, persist, settle, missed, givenUp, clock } = makeLook();
    admit({ object: ROLE });
    clock.advance(FORGET);
    assert.deepEqual(clock.waiting(), []);
    persist(BINDING);
    persist(ROLE);
    await settle();
    assert.deepEqual([missed, givenUp], [[], []]);
  });

  it('waits for caches that are stale, and gives up after a minute', async () => {
    const { admit, persist, settle, setCurrent, missed, givenUp, clock } = makeLook();
    admit({ object: ROLE });
    persist(BINDING);
    persist(ROLE);
    setCurrent(false);
    await settle();
    assert.deepEqual(missed, []);
    setCurrent(true);
    await settle();
    assert.deepEqual(missed, ['CREATE ClusterRole r: any-grant']);
    admit({ object: ROLE });
    persist(ROLE);
    setCurrent(false);
    clock.advance(FORGET + SETTLE);
    await settle();
    assert.deepEqual(givenUp, ['CREATE ClusterRole r']);
    assert.deepEqual(clock.waiting(), []);
  });

  it('lets 500 writes wait, and says which one it gives up for one more', () => {
    const { admit, givenUp, clock } = makeLook();
    for (let index = 0; index <= 500; index += 1) admit({ object: clusterRole(`r${index}`, []) });
    assert.deepEqual(givenUp, ['CREATE ClusterRole r0']);
    assert.equal(clock.waiting().length, 500);
  });

  it('leaves nothing behind when it is stopped', async () => {
    const { look, admit, persist, settle, missed, clock } = makeLook();
    admit({ object: ROLE });
    admit({ object: BINDING });
    persist(ROLE);
    look.stop();
    assert.deepEqual(clock.waiting(), []);
    persist(BINDING);
    await settle();
    assert.deepEqual(missed, []);
  });
});
