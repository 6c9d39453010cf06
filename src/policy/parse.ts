import { Ajv, type ErrorObject, type ValidateFunction } from 'ajv';

import { asObject, asString, asStrings, isObject } from '../kube/json.ts';
import { escapeToken, type JsonPointer } from '../kube/pointer.ts';
import { keepLast } from '../kube/keep-last.ts';
import { parseQuantity } from '../kube/quantity.ts';
import { policySchema, type Exception, type Policy, type PolicyDocument } from './document.ts';
import { oneLine, shorten } from './message.ts';
import { nearestName } from './nearest.ts';
import type { Rule, RuleMeta } from './rule.ts';

/** One thing wrong with a policy: where, and a sentence that says what and what may have been meant. */
export interface PolicyProblem {
  readonly path: JsonPointer;
  readonly message: string;
}

/** A policy that can be used, or everything that is wrong with it. */
export type ParsedPolicy =
  | { readonly ok: true; readonly document: PolicyDocument }
  | { readonly ok: false; readonly problems: readonly PolicyProblem[] };

/** Reads policies for one set of rules. */
export type PolicyParser = (document: unknown) => ParsedPolicy;

const parsers = keepLast<PolicyParser>();

/**
 * Makes a parser that validates a policy against the schema of these rules and completes it with every default. The
 * document handed to it is left as it was; it never throws.
 */
export function policyParser(rules: readonly Rule[]): PolicyParser {
  return parsers([rules], () => makeParser(rules));
}

function makeParser(rules: readonly Rule[]): PolicyParser {
  // To make it well takes longer than it will ever run.
  const code = { optimize: false };
  const ajv = new Ajv({ allErrors: true, useDefaults: true, verbose: true, strict: false, code });
  const validate = ajv.compile<PolicyDocument>(policySchema(rules));
  return (document) => parse(document, validate, rules);
}

function parse(document: unknown, validate: ValidateFunction<PolicyDocument>, rules: readonly Rule[]): ParsedPolicy {
  if (!isObject(document)) return refused([{ path: '', message: 'A policy is a YAML or JSON object.' }]);
  const completed: unknown = structuredClone(document);
  if (!validate(completed)) return refused((validate.errors ?? []).flatMap(problemOf));
  const problems = [
    ...exceptionProblems(completed.spec.exceptions, rules),
    ...imageProblems(completed.spec),
    ...resourceProblems(completed.spec),
  ];
  return problems.length === 0 ? { ok: true, document: completed } : refused(problems);
}

function refused(problems: readonly PolicyProblem[]): ParsedPolicy {
  return { ok: false, problems };
}

function problemOf(error: ErrorObject): PolicyProblem[] {
  const { instancePath: path, keyword, params, parentSchema, data } = error;
  switch (keyword) {
    case 'additionalProperties': {
      const key = String(params['additionalProperty']);
      const known = Object.keys(asObject(asObject(parentSchema)['properties']));
      return [{ path: `${path}/${escapeToken(key)}`, message: `Unknown key ${show(key)}${hint(key, known)}` }];
    }
    case 'enum': {
      const allowed = asStrings(params['allowedValues']);
      const meant = data === false && allowed.includes('off') ? UNQUOTED_OFF : hint(String(data), allowed);
      return [{ path, message: `${show(data)} is not one of ${allowed.join(', ')}${meant}` }];
    }
    case 'const':
      return [{ path, message: `${show(data)} must be ${show(params['allowedValue'])}.` }];
    case 'required':
      return [{ path, message: `The key "${String(params['missingProperty'])}" is missing.` }];
    case 'if':
      return [];
    case 'false schema':
      return [{ path, message: 'Only a ServiceAccount has a namespace.' }];
    default:
      return [{ path, message: sentenceOf(error) }];
  }
}

/** Ends the sentence about a profile or a cap that YAML took for a boolean. */
const UNQUOTED_OFF = '; YAML reads off without quotes as false: write "off".';

/** What a value must be, in words, by the type of the schema. */
const TYPES: Readonly<Record<string, string>> = {
  object: 'an object',
  array: 'a list',
  string: 'a text',
  integer: 'a whole number',
  boolean: 'true or false',
  'integer,null': 'a whole number or null',
};

function sentenceOf({ keyword, params, parentSchema, data, message }: ErrorObject): string {
  switch (keyword) {
    case 'type': {
      const type = String(params['type']);
      return `${data === null ? 'An empty value' : show(data)} is not ${TYPES[type] ?? type}.`;
    }
    case 'minItems':
    case 'minLength':
      return 'This must not be empty.';
    case 'pattern':
      return `${show(data)} has not the right form. ${asString(asObject(parentSchema)['description']) ?? ''}`.trim();
    default:
      return `${show(data)} ${message ?? 'is not valid'}.`;
  }
}

/** Ends a sentence with the name that may have been meant, or with a period. */
function hint(name: string, candidates: Iterable<string>): string {
  const nearest = nearestName(name, candidates);
  return nearest === undefined ? '.' : `; did you mean "${nearest}"?`;
}

function show(value: unknown): string {
  return oneLine(shorten(JSON.stringify(value) ?? 'nothing', 80));
}

function exceptionProblems(exceptions: readonly Exception[], rules: readonly Rule[]): PolicyProblem[] {
  const known = new Map(rules.map(({ meta }) => [meta.id, meta]));
  return exceptions.flatMap((exception, index) => {
    const path = `/spec/exceptions/${index}`;
    const problems = exception.rules.flatMap((id, at) => ruleProblems(id, known, `${path}/rules/${at}`));
    if (isDate(exception.expires)) return problems;
    return [...problems, { path: `${path}/expires`, message: `"${exception.expires}" is no date.` }];
  });
}

function ruleProblems(id: string, known: ReadonlyMap<string, RuleMeta>, path: JsonPointer): PolicyProblem[] {
  const meta = known.get(id);
  if (meta === undefined) return [{ path, message: `No rule is called "${id}"${hint(id, known.keys())}` }];
  if (meta.judgesGrants !== true) return [];
  return [{ path, message: `"${id}" judges grants: say whom you expect in expectedSubjects instead.` }];
}

function isDate(text: string): boolean {
  const date = new Date(`${text}T00:00:00Z`);
  return !Number.isNaN(date.getTime()) && date.toISOString().startsWith(text);
}

/** The tags of the coming dialect, whose flags this release does not write: v0.98 and later, v1 and later. */
const COMING_DIALECT = /:v?(?:0\.(?:9[89]|[1-9][0-9]{2,})|[1-9][0-9]*)(?:[.@-]|$)/;

function imageProblems({ injection: { image } }: Policy): PolicyProblem[] {
  if (!COMING_DIALECT.test(image)) return [];
  const message = `"${image}" takes the flags of kube-rbac-proxy v1; this release writes those of v0.22.`;
  return [{ path: '/spec/injection/image', message }];
}

/** A sidecar that asks for more than it may have would have every pod refused that it is put into. */
function resourceProblems({ injection: { resources } }: Policy): PolicyProblem[] {
  return (['cpu', 'memory'] as const).flatMap((name) => {
    const [request, limit] = [resources.requests[name], resources.limits[name]];
    if ((parseQuantity(request) ?? 0n) <= (parseQuantity(limit) ?? 0n)) return [];
    return [
      { path: `/spec/injection/resources/requests/${name}`, message: `"${request}" is over the limit, "${limit}".` },
    ];
  });
}
