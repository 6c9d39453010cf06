// Flag values as Go's strconv reads them; kubelet and its kin parse integers with base 0 and booleans with ParseBool.

/** The digits that each base prefix admits; '' is decimal. */
const DIGITS: ReadonlyMap<string, RegExp> = new Map([
  ['0x', /^[0-9a-f]+$/],
  ['0o', /^[0-7]+$/],
  ['0b', /^[01]+$/],
  ['', /^[0-9]+$/],
]);

/** The integer that `strconv.ParseInt(text, 0, 64)` reads: decimal, 0x, 0o, 0b or a leading 0 (octal), `_` between digits. */
export function parseGoInt(text: string): number | undefined {
  const [, sign = '', number = ''] = /^([+-]?)(.+)$/.exec(text.toLowerCase()) ?? [];
  const { base, digits } = splitBase(number);
  const plain = withoutSeparators(digits, base !== '');
  if (plain === undefined || DIGITS.get(base)?.test(plain) !== true) return undefined;
  const value = Number(base + plain);
  if (!Number.isSafeInteger(value)) return undefined;
  return sign === '-' ? 0 - value : value;
}

function splitBase(number: string): { base: string; digits: string } {
  const prefix = number.slice(0, 2);
  if (prefix !== '' && DIGITS.has(prefix)) return { base: prefix, digits: number.slice(2) };
  if (number.length > 1 && number.startsWith('0')) return { base: '0o', digits: number.slice(1) };
  return { base: '', digits: number };
}

/** Removes `_` where Go allows one: between digits and after a base prefix. */
function withoutSeparators(digits: string, hasPrefix: boolean): string | undefined {
  if (!digits.includes('_')) return digits;
  const valid = hasPrefix ? /^_?[0-9a-f]+(?:_[0-9a-f]+)*$/ : /^[0-9]+(?:_[0-9]+)*$/;
  return valid.test(digits) ? digits.replaceAll('_', '') : undefined;
}

const TRUE: ReadonlySet<string> = new Set(['1', 't', 'T', 'TRUE', 'true', 'True']);
const FALSE: ReadonlySet<string> = new Set(['0', 'f', 'F', 'FALSE', 'false', 'False']);

/** The boolean that `strconv.ParseBool` reads, or undefined. */
export function parseGoBool(text: string): boolean | undefined {
  if (TRUE.has(text)) return true;
  return FALSE.has(text) ? false : undefined;
}
