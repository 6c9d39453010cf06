import { asList, asObject, asString, asStrings, own, type JsonObject } from './json.ts';

/** Labels or annotations: every entry whose value is a string; the others are left out. */
export type Labels = Readonly<Record<string, string>>;

/** One requirement of a label selector, `matchLabels` included as `In` with one value. */
export interface Requirement {
  readonly key: string;
  readonly operator: 'In' | 'NotIn' | 'Exists' | 'DoesNotExist';
  readonly values: readonly string[];
}

const OPERATORS: ReadonlySet<string> = new Set(['In', 'NotIn', 'Exists', 'DoesNotExist']);

/**
 * The requirements of a `metav1.LabelSelector`, all of which must hold; an empty selector has none and so selects
 * everything. Undefined when the selector is absent or one of its parts is malformed: such a selector selects nothing
 * (apimachinery `LabelSelectorAsSelector`).
 */
export function requirementsOf(selector: unknown): readonly Requirement[] | undefined {
  if (selector === undefined || selector === null) return undefined;
  const { matchLabels, matchExpressions } = asObject(selector);
  const requirements: Requirement[] = [];
  for (const [key, value] of Object.entries(asObject(matchLabels))) {
    if (typeof value !== 'string') return undefined;
    requirements.push({ key, operator: 'In', values: [value] });
  }
  for (const expression of asList(matchExpressions).map(asObject)) {
    const key = asString(expression['key']);
    const operator = asString(expression['operator']);
    if (key === undefined || operator === undefined || !isOperator(operator)) return undefined;
    requirements.push({ key, operator, values: asStrings(expression['values']) });
  }
  return requirements;
}

/** True when labels meet every requirement. `NotIn` and `DoesNotExist` hold for an absent key, as in apimachinery. */
export function matchesLabels(requirements: readonly Requirement[], labels: JsonObject): boolean {
  return requirements.every((requirement) => meets(requirement, own(labels, requirement.key)));
}

function meets({ operator, values }: Requirement, value: unknown): boolean {
  switch (operator) {
    case 'In':
      return typeof value === 'string' && values.includes(value);
    case 'NotIn':
      return typeof value !== 'string' || !values.includes(value);
    case 'Exists':
      return typeof value === 'string';
    case 'DoesNotExist':
      return typeof value !== 'string';
  }
}

function isOperator(operator: string): operator is Requirement['operator'] {
  return OPERATORS.has(operator);
}
