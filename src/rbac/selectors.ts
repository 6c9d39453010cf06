import { asString, type JsonObject, own } from '../kube/json.ts';
import { type Requirement } from '../kube/labels.ts';

/** A label selector of an aggregationRule; equal keys select the same roles. */
export interface Selector {
  readonly key: string;
  readonly requirements: readonly Requirement[];
  /** Where to look: a role that the selector selects is at one of these anchors. */
  readonly anchors: readonly Anchor[];
}

/** A place in an index of labels: `key=value`, `key` alone, or '' for everything. */
export type Anchor = string;

/** The anchor at which every role is. */
export const EVERYWHERE: Anchor = '';

/** The selector that has these requirements; none select everything. */
export function selectorOf(requirements: readonly Requirement[]): Selector {
  return { key: requirements.map(keyOf).join('\n'), requirements, anchors: anchorsOfSelector(requirements) };
}

/** True when both have the same labels, as far as they can be selected. */
export function hasSameLabels(one: JsonObject, other: JsonObject): boolean {
  const selectable = Object.keys(one).filter((key) => typeof own(one, key) === 'string');
  const others = Object.keys(other).filter((key) => typeof own(other, key) === 'string');
  return selectable.length === others.length && others.every((key) => own(one, key) === own(other, key));
}

/** Every anchor at which a role with these labels is. */
export function anchorsOfLabels(labels: JsonObject): readonly Anchor[] {
  const anchors: Anchor[] = [];
  for (const key of Object.keys(labels)) {
    const value = asString(own(labels, key));
    if (value !== undefined) anchors.push(key, `${key}=${value}`);
  }
  return anchors;
}

/** Unequal for unequal requirements: what a stranger may have written otherwise than plainly is quoted. */
function keyOf({ key, operator, values }: Requirement): string {
  const [value = ''] = values;
  const isShort = values.length === 1 && isPlain(key) && isPlain(value);
  return isShort ? `${operator} ${key} ${value}` : JSON.stringify([operator, key, ...values]);
}

function isPlain(text: string): boolean {
  return /^[\w./-]*$/.test(text);
}

function anchorsOfSelector(requirements: readonly Requirement[]): readonly Anchor[] {
  let best: Requirement | undefined;
  for (const requirement of requirements) {
    if (
      requirement.operator === 'In' &&
      !(best?.operator === 'In' && best.values.length <= requirement.values.length)
    ) {
      best = requirement;
    } else if (requirement.operator === 'Exists') best ??= requirement;
  }
  if (best === undefined) return [EVERYWHERE];
  const { key, operator, values } = best;
  return operator === 'Exists' ? [key] : [...new Set(values)].map((value) => `${key}=${value}`);
}
