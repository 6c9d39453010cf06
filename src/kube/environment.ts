import { asList, asObject, asString, asStrings, type JsonObject } from './json.ts';

/**
 * The literal environment of one container, which expands references to itself. All expansions of one container share
 * a budget in proportion to what is written in it, because variables can double each other without end: a reference
 * that would exceed the budget stays as written.
 */
export class Environment {
  private readonly container: JsonObject;
  private readonly values = new Map<string, string>();
  private budget = 0;
  private isRead = false;

  constructor(container: JsonObject) {
    this.container = container;
  }

  /**
   * Reads the variables when the first one is asked for: most command lines refer to none. Later entries win; one whose
   * value comes from elsewhere (`valueFrom`, `envFrom`) is unknown.
   */
  private read(): void {
    if (this.isRead) return;
    this.isRead = true;
    const entries = asList(this.container['env']).map(asObject);
    this.budget = budgetFor(this.container, entries);
    for (const entry of entries) {
      const name = asString(entry['name']);
      const value = asString(entry['value']);
      if (name === undefined) continue;
      if (value === undefined) this.values.delete(name);
      else this.values.set(name, this.expand(value));
    }
  }

  /** Sets a variable, as a shell script does on its way. */
  assign(name: string, value: string): void {
    this.read();
    this.values.set(name, value);
  }

  /** The value of a variable, taken from the budget; undefined when it is unknown or too long for what is left. */
  valueOf(name: string): string | undefined {
    this.read();
    const value = this.values.get(name);
    return value !== undefined && this.spend(value.length) ? value : undefined;
  }

  /** Takes a number of characters from the budget; false when it does not hold them. */
  spend(characters: number): boolean {
    this.read();
    if (characters > this.budget) return false;
    this.budget -= characters;
    return true;
  }

  /**
   * Replaces `$(NAME)` as the kubelet does before it starts a container: `$$` is a literal `$`, an unknown name stays
   * as written (k8s.io/kubernetes third_party/forked/golang/expansion).
   */
  expand(text: string): string {
    if (!text.includes('$')) return text;
    return text.replace(/\$(?:\$|\(([^()]*)\))/g, (whole, name: string | undefined) =>
      name === undefined ? '$' : (this.valueOf(name) ?? whole),
    );
  }
}

/** Eight times what is written and 4 KiB: no manifest met so far comes near, and the work stays linear. */
function budgetFor(container: JsonObject, env: readonly JsonObject[]): number {
  let written = 0;
  for (const text of asStrings(container['command'])) written += text.length;
  for (const text of asStrings(container['args'])) written += text.length;
  for (const entry of env) written += asString(entry['value'])?.length ?? 0;
  return 4096 + 8 * written;
}
