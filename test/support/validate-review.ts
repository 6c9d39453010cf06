// A request as the API server sends it, answered with everything but the server itself.

import fastJsonPatch, { type Operation as PatchOperation } from 'fast-json-patch';

import { decodeReview } from '../../src/admission/decode.ts';
import type { Reply } from '../../src/admission/reply.ts';
import { mutate } from '../../src/admission/mutate.ts';
import { validate, type ViewFor } from '../../src/admission/validate.ts';
import type { AdmissionResponse, GroupVersionResource, Operation } from '../../src/kube/admission-review.ts';
import { asObject, asString, type JsonObject } from '../../src/kube/json.ts';
import { groupOf, metadataOf, refOf } from '../../src/kube/object.ts';
import { RESOURCES } from '../../src/kube/resources.ts';
import { TEMPLATE_KINDS } from '../../src/kube/templates.ts';
import { viewOf } from '../../src/policy/cluster-view.ts';
import { policySchema, type Policy } from '../../src/policy/document.ts';
import { policyParser, type PolicyParser } from '../../src/policy/parse.ts';
import type { Rule } from '../../src/policy/rule.ts';
import { makeRuleset } from '../../src/policy/ruleset.ts';
import { RULES } from '../../src/rules/index.ts';
import { assertAcceptable, type WebhookType } from './response-oracle.ts';

/** A write, as far as a test cares: everything else follows from the object. */
export interface Write {
  readonly object?: unknown;
  readonly oldObject?: JsonObject;
  /** UPDATE when there is an old object, otherwise CREATE. */
  readonly operation?: Operation;
  readonly resource?: JsonObject;
  readonly subResource?: string;
  readonly dryRun?: boolean;
  readonly namespace?: string;
  readonly user?: { readonly username: string; readonly groups?: readonly string[] };
}

/** What a write is judged by; the default policy over the product's own rules, in an empty cluster, unless told. */
export interface Setting {
  readonly rules?: readonly Rule[];
  readonly spec?: JsonObject;
  readonly clusterObjects?: readonly JsonObject[];
  /** In place of a view over `clusterObjects`. */
  readonly viewFor?: ViewFor;
  readonly today?: string;
}

/** The answer to a write, and what led to it. */
export interface Verdict extends Reply {
  readonly response: AdmissionResponse;
}

export const UID = '705ab4f5-6393-11e8-b7cc-42010a800002';

/** The AdmissionReview that the API server would send for a write by an ordinary user. */
export function makeReview({ object, oldObject, operation, user, ...given }: Write): JsonObject {
  const readable = asObject(object);
  const { kind, namespace } = refOf(readable);
  const { group, version, resource } = resourceOf(readable);
  const request = {
    uid: UID,
    kind: { group, version, kind },
    resource: { group, version, resource },
    name: asString(metadataOf(readable)['name']) ?? '',
    namespace,
    operation: operation ?? (oldObject === undefined ? 'CREATE' : 'UPDATE'),
    userInfo: user ?? { username: 'jane', groups: ['system:authenticated'] },
    object: object ?? null,
    oldObject: oldObject ?? null,
    dryRun: false,
    options: { apiVersion: 'meta.k8s.io/v1', kind: 'CreateOptions' },
    ...given,
  };
  return { apiVersion: 'admission.k8s.io/v1', kind: 'AdmissionReview', request };
}

function resourceOf(object: JsonObject): GroupVersionResource {
  const { apiVersion, kind } = refOf(object);
  const group = groupOf(apiVersion);
  const row = [...Object.values(RESOURCES), ...TEMPLATE_KINDS].find(
    (each) => each.kind === kind && each.group === group,
  );
  const version = apiVersion.slice(apiVersion.indexOf('/') + 1);
  return { group, version, resource: row?.resource ?? `${kind.toLowerCase()}s` };
}

const parsersOfLists = new WeakMap<readonly Rule[], PolicyParser>();
const parsers = new Map<string, PolicyParser>();

/** A parser takes long to make: the product's rules share one, whichever are listed, and so do others that are the same. */
function parserOf(listed: readonly Rule[]): PolicyParser {
  const rules = listed.every((rule) => RULES.includes(rule)) ? RULES : listed;
  const known = parsersOfLists.get(rules);
  if (known !== undefined) return known;
  const key = JSON.stringify([policySchema(rules), rules.map(({ meta }) => [meta.id, meta.judgesGrants])]);
  const parser = parsers.get(key) ?? policyParser(rules);
  parsers.set(key, parser);
  parsersOfLists.set(rules, parser);
  return parser;
}

const policies = new WeakMap<PolicyParser, Map<string, Policy>>();

/** The complete spec of a policy over some rules, the same one for the same. Throws an Error for a policy with problems. */
export function policyOf(rules: readonly Rule[], spec: JsonObject = {}): Policy {
  const parse = parserOf(rules);
  const known = policies.get(parse) ?? new Map<string, Policy>();
  policies.set(parse, known);
  const key = JSON.stringify(spec);
  const policy = known.get(key) ?? completed(parse, spec);
  known.set(key, policy);
  return policy;
}

function completed(parse: PolicyParser, spec: JsonObject): Policy {
  const parsed = parse({ apiVersion: 'scrapeguard.io/v1alpha1', kind: 'MetricsPolicy', spec });
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
  return parsed.document.spec;
}

/** Validates a review from its text to the answer's text, and puts the answer through the API server's conditions. */
export function validateReview(review: JsonObject, setting: Setting = {}): Promise<Verdict> {
  return answerReview(review, setting, { answer: validate, type: 'validating' });
}

/** The same for a write. */
export function validateWrite(write: Write, setting: Setting = {}): Promise<Verdict> {
  return validateReview(makeReview(write), setting);
}

/** The answer of /mutate to a write, and the object as the API server has it then. */
export interface Mutated extends Verdict {
  readonly mutated: JsonObject;
}

/** Puts a write through /mutate, and applies the patch with a validating engine. */
export async function mutateWrite(write: Write, setting: Setting = {}): Promise<Mutated> {
  const verdict = await answerReview(makeReview(write), setting, { answer: mutate, type: 'mutating' });
  const { patch } = verdict.response;
  const object: unknown = structuredClone(write.object);
  if (patch === undefined) return { ...verdict, mutated: asObject(object) };
  const operations: PatchOperation[] = JSON.parse(Buffer.from(patch, 'base64').toString());
  return { ...verdict, mutated: asObject(fastJsonPatch.applyPatch(object, operations, true).newDocument) };
}

interface Endpoint {
  readonly answer: typeof validate;
  readonly type: WebhookType;
}

async function answerReview(review: JsonObject, setting: Setting, { answer, type }: Endpoint): Promise<Verdict> {
  const { rules = RULES, spec = {}, clusterObjects = [], today = '2026-01-01' } = setting;
  const request = decodeReview(JSON.stringify(review));
  const view = viewOf(clusterObjects);
  const judge = {
    ruleset: makeRuleset(rules, policyOf(rules, spec)),
    viewFor: setting.viewFor ?? (() => view),
    today,
  };
  const reply = await answer(request, judge, AbortSignal.any([]));
  const wire: unknown = JSON.parse(JSON.stringify(reply.review));
  assertAcceptable(request.uid, wire, type);
  return { ...reply, response: reply.review.response };
}
