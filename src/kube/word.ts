import type { JsonPointer } from './pointer.ts';

/** One word of a command line, the field it was written in, and the name of the flag that it is, if it is one. */
export interface Word {
  readonly text: string;
  readonly path: JsonPointer;
  readonly flag: string | undefined;
}

/** A word; what flag it is, is read here once, for every rule asks for flags. */
export function wordOf(text: string, path: JsonPointer): Word {
  return { text, path, flag: flagName(text) };
}

/** `a-b` of `--a-b`, `--a_b=c` and `-a_b`: Kubernetes' components take both characters for one. */
function flagName(text: string): string | undefined {
  if (!text.startsWith('-')) return undefined;
  const equals = text.indexOf('=');
  const name = text.slice(text.startsWith('--') ? 2 : 1, equals < 0 ? undefined : equals);
  return name.includes('_') ? name.replaceAll('_', '-') : name;
}
