import { styleText } from 'node:util';

import type { Style, Tone } from '../report/text.ts';
import type { Io, Output } from './io.ts';

const FORMATS = {
  enforce: 'red',
  warn: 'yellow',
  audit: 'cyan',
  heading: 'underline',
  error: 'red',
  quiet: 'dim',
  added: 'green',
  removed: 'red',
} as const satisfies Readonly<Record<Tone, string>>;

/** Leaves every text as it is. */
export const PLAIN: Style = (_tone, text) => text;

/** Colours for a terminal; none for anything else, nor where NO_COLOR is set (no-color.org) or the terminal is dumb. */
export function styleFor(output: Output, { env }: Pick<Io, 'env'>): Style {
  if (output.isTTY !== true || (env['NO_COLOR'] ?? '') !== '' || env['TERM'] === 'dumb') return PLAIN;
  return (tone, text) => styleText(FORMATS[tone], text, { validateStream: false });
}
