// Values in YAML's block style.

import { asList, isObject } from '../kube/json.ts';
import { plainOrQuoted, scalarLike } from './write-scalar.ts';

/** How a text indents its blocks. */
export interface BlockStyle {
  readonly newline: string;
  readonly step: number;
  /** True when a list is indented below its key. */
  readonly indentsLists: boolean;
}

/** True for a value that block style writes on lines of its own. */
export function isBlock(value: unknown): boolean {
  return Array.isArray(value) ? value.length > 0 : isObject(value) && Object.keys(value).length > 0;
}

/** A value's lines, without the indent of the first level. */
export function blockLines(value: unknown, style: BlockStyle): string[] {
  if (!isBlock(value)) return [Array.isArray(value) ? '[]' : isObject(value) ? '{}' : scalarLike(value, '')];
  if (Array.isArray(value)) return asList(value).flatMap((item) => itemLines(item, style));
  return Object.entries(Object(value)).flatMap(([key, item]) =>
    item === undefined ? [] : pairLines(key, item, style),
  );
}

/** The lines of a list's item. */
export function itemLines(item: unknown, style: BlockStyle): string[] {
  return blockLines(item, style).map((line, at) => `${at === 0 ? '- ' : '  '}${line}`);
}

/** The lines of a pair. */
export function pairLines(key: string, value: unknown, style: BlockStyle): string[] {
  const head = `${plainOrQuoted(key)}:`;
  const lines = blockLines(value, style);
  if (!isBlock(value)) return [`${head} ${lines.join('')}`];
  return [head, ...indented(lines, nestedIndent(value, style))];
}

/** How far a collection is indented below its key. */
export function nestedIndent(value: unknown, { step, indentsLists }: BlockStyle): number {
  return Array.isArray(value) && !indentsLists ? 0 : step;
}

/** Lines behind so many spaces. */
export function indented(lines: readonly string[], spaces: number): string[] {
  return lines.map((line) => ' '.repeat(spaces) + line);
}
