import { asList, asObject, asString, asStrings, type JsonObject } from './json.ts';
import type { Container } from './pods.ts';
import type { JsonPointer } from './pointer.ts';

/** A variable whose value a container spells out, references to earlier ones expanded. */
export interface Variable {
  readonly name: string;
  readonly value: string;
  /** The place of the value. */
  readonly path: JsonPointer;
}

/** What a container's `env` spells out. */
export interface LiteralVariables {
  /** Every entry, in order. */
  readonly entries: readonly Variable[];
  /** By name: the last entry counts, and one whose value comes from elsewhere (`valueFrom`, `envFrom`) is unknown. */
  readonly values: ReadonlyMap<string, string>;
  /** What their expansion left of the budget. */
  readonly budget: Budget;
}

/**
 * How many characters were expanded. As many as `LEAST` and eight times what is written may be, because variables can
 * double each other without end: a reference that would exceed that stays as written. No manifest met so far comes near.
 */
class Budget {
  private readonly spec: JsonObject;
  private spent: number;
  /** Counted when the first character is spent: most containers refer to nothing. */
  private most: number | undefined;

  constructor(spec: JsonObject, spent = 0) {
    this.spec = spec;
    this.spent = spent;
  }

  /** Takes a number of characters; false when there are not as many. */
  spend(characters: number): boolean {
    this.most ??= LEAST + 8 * writtenIn(this.spec);
    if (this.spent + characters > this.most) return false;
    this.spent += characters;
    return true;
  }

  /** One of its own for somebody who goes on from here. */
  copy(): Budget {
    return new Budget(this.spec, this.spent);
  }
}

const LEAST = 4096;

function writtenIn(spec: JsonObject): number {
  let written = 0;
  for (const text of textsIn(spec)) written += text.length;
  return written;
}

/** Every text that a container is told as it is written: its command, its arguments and the values of its variables. */
export function textsIn(spec: JsonObject): readonly string[] {
  const values = asList(spec['env']).map((entry) => asObject(entry)['value']);
  return asStrings([...asList(spec['command']), ...asList(spec['args']), ...values]);
}

/** The variables that a container spells out, as the kubelet reads them: one may refer to those before it. */
export function literalVariablesOf(container: Container): LiteralVariables {
  return (container.known.variables ??= readVariables(container));
}

function readVariables({ spec, path }: Container): LiteralVariables {
  const entries: Variable[] = [];
  const values = new Map<string, string>();
  const budget = new Budget(spec);
  for (const [index, entry] of asList(spec['env']).entries()) {
    const { name, value: written } = asObject(entry);
    const value = typeof written === 'string' ? expandReferences(written, values, budget) : undefined;
    if (value !== undefined) entries.push({ name: asString(name) ?? '', value, path: `${path}/env/${index}/value` });
    if (typeof name !== 'string') continue;
    if (value === undefined) values.delete(name);
    else values.set(name, value);
  }
  return { entries, values, budget };
}

/**
 * Replaces `$(NAME)` as the kubelet does before it starts a container: `$$` is a literal `$`, an unknown name stays
 * as written (k8s.io/kubernetes third_party/forked/golang/expansion).
 */
function expandReferences(text: string, values: ReadonlyMap<string, string>, budget: Budget): string {
  let expanded = '';
  let copied = 0;
  for (let at = text.indexOf('$'); at >= 0; at = text.indexOf('$', at)) {
    const isDollar = text.charAt(at + 1) === '$';
    const end = isDollar ? at + 1 : endOfReference(text, at + 1);
    const value = isDollar ? '$' : end < 0 ? undefined : lookUp(text.slice(at + 2, end), values, budget);
    if (value !== undefined) {
      expanded += text.slice(copied, at) + value;
      copied = end + 1;
    }
    at = Math.max(at, end) + 1;
  }
  return copied === 0 ? text : expanded + text.slice(copied);
}

/** Where the parenthesis that opens at a place is closed; -1 where none opens there, or another one opens before. */
function endOfReference(text: string, open: number): number {
  if (text.charAt(open) !== '(') return -1;
  for (let at = open + 1; at < text.length; at += 1) {
    const character = text.charAt(at);
    if (character === ')') return at;
    if (character === '(') return -1;
  }
  return -1;
}

function lookUp(name: string, values: ReadonlyMap<string, string>, budget: Budget): string | undefined {
  const value = values.get(name);
  return value !== undefined && budget.spend(value.length) ? value : undefined;
}

/** What a container's command line is read with: its variables, those that a script assigns, and one budget for all. */
export class Environment {
  private readonly container: Container;
  /** Undefined until it is asked for: most command lines refer to nothing. */
  private own: { readonly values: Map<string, string>; readonly budget: Budget } | undefined;

  constructor(container: Container) {
    this.container = container;
  }

  private read(): NonNullable<Environment['own']> {
    if (this.own === undefined) {
      const { values, budget } = literalVariablesOf(this.container);
      this.own = { values: new Map(values), budget: budget.copy() };
    }
    return this.own;
  }

  /** Sets a variable, as a shell script does on its way. */
  assign(name: string, value: string): void {
    this.read().values.set(name, value);
  }

  /** The value of a variable, taken from the budget; undefined when it is unknown or too long for what is left. */
  valueOf(name: string): string | undefined {
    const { values, budget } = this.read();
    return lookUp(name, values, budget);
  }

  /** Takes a number of characters from the budget; false when it does not hold them. */
  spend(characters: number): boolean {
    return this.read().budget.spend(characters);
  }

  /** The text with references expanded as the kubelet does before it starts a container. */
  expand(text: string): string {
    if (!text.includes('$')) return text;
    const { values, budget } = this.read();
    return expandReferences(text, values, budget);
  }
}
