// Scalars as go-yaml v2 resolves them (resolve.go), which is what sigs.k8s.io/yaml, kubectl and helm read with.

/** A resolved scalar: what it is to Go, and its value in JSON. Non-finite floats cannot stand in JSON. */
export type Scalar =
  | { readonly kind: 'string'; readonly value: string }
  | { readonly kind: 'bool'; readonly value: boolean }
  | { readonly kind: 'null'; readonly value: null }
  | { readonly kind: 'float'; readonly value: number }
  /** `exact` keeps the digits that a double may lose; `unsigned` is above 2^63-1. */
  | { readonly kind: 'int'; readonly value: number; readonly exact: string; readonly unsigned: boolean };

const TAG_PREFIX = 'tag:yaml.org,2002:';
const NULL: Scalar = { kind: 'null', value: null };

const WORDS: ReadonlyMap<string, Scalar> = new Map<string, Scalar>([
  ...['y', 'Y', 'yes', 'Yes', 'YES', 'true', 'True', 'TRUE', 'on', 'On', 'ON'].map((word): [string, Scalar] => [
    word,
    { kind: 'bool', value: true },
  ]),
  ...['n', 'N', 'no', 'No', 'NO', 'false', 'False', 'FALSE', 'off', 'Off', 'OFF'].map((word): [string, Scalar] => [
    word,
    { kind: 'bool', value: false },
  ]),
  ...['', '~', 'null', 'Null', 'NULL'].map((word): [string, Scalar] => [word, NULL]),
  ...['.nan', '.NaN', '.NAN'].map((word): [string, Scalar] => [word, { kind: 'float', value: Number.NaN }]),
  ...['.inf', '.Inf', '.INF', '+.inf', '+.Inf', '+.INF'].map((word): [string, Scalar] => [
    word,
    { kind: 'float', value: Infinity },
  ]),
  ...['-.inf', '-.Inf', '-.INF'].map((word): [string, Scalar] => [word, { kind: 'float', value: -Infinity }]),
]);

const MAYBE_NUMBER = /^[-+.0-9]/;
const SMALL_INTEGER = /^(?:0|[1-9][0-9]{0,14})$/;
const INTEGER = /^([-+]?)(?:0[xX]([0-9a-fA-F]+)|0[bB]([01]+)|0[oO]([0-7]+)|0([0-7]+)|(0|[1-9][0-9]*))$/;
const FLOAT = /^[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?$/;
/** go-yaml hands what follows `0b` to strconv once more, which takes a sign there. */
const SIGNED_BINARY = /^0b([-+])([01]+)$/;
const STRAY_UNDERSCORE = /_(?![0-9])|(?<![0-9])_/;
const BASES = ['0x', '0b', '0o', '0o', ''] as const;
const MOST_DIGITS = 64;

/** A scalar without a tag and without quotes. */
export function resolvePlain(text: string): Scalar {
  const word = WORDS.get(text);
  if (word !== undefined) return word;
  return (MAYBE_NUMBER.test(text) ? resolveNumber(text) : undefined) ?? { kind: 'string', value: text };
}

/** A scalar with an explicit tag, or undefined when its text does not fit the tag (Kubernetes refuses it then). */
export function resolveTagged(tag: string, text: string): Scalar | undefined {
  const plain = (): Scalar => resolvePlain(text);
  switch (tag) {
    case `${TAG_PREFIX}bool`:
      return only('bool', plain());
    case `${TAG_PREFIX}null`:
      return only('null', plain());
    case `${TAG_PREFIX}int`:
      return only('int', plain());
    case `${TAG_PREFIX}float`:
      return asFloat(plain());
    case `${TAG_PREFIX}binary`:
      return decodeBinary(text);
    default:
      return { kind: 'string', value: text };
  }
}

/** The key that a scalar makes in a JSON object; undefined for null and for integers above 2^63-1, which are refused. */
export function keyOf(scalar: Scalar): string | undefined {
  switch (scalar.kind) {
    case 'string':
      return scalar.value;
    case 'bool':
      return String(scalar.value);
    case 'int':
      return scalar.unsigned ? undefined : scalar.exact;
    case 'float':
      return formatFloatKey(scalar.value);
    case 'null':
      return undefined;
  }
}

function only(kind: Scalar['kind'], scalar: Scalar): Scalar | undefined {
  return scalar.kind === kind ? scalar : undefined;
}

function asFloat(scalar: Scalar): Scalar | undefined {
  if (scalar.kind === 'int' && !scalar.unsigned) return { kind: 'float', value: scalar.value };
  return only('float', scalar);
}

function resolveNumber(text: string): Scalar | undefined {
  if (SMALL_INTEGER.test(text)) return { kind: 'int', value: Number(text), exact: text, unsigned: false };
  // After a leading point go-yaml leaves the underscores to strconv, which wants a digit on either side of each.
  if (text.startsWith('.') && STRAY_UNDERSCORE.test(text)) return undefined;
  const digits = text.replaceAll('_', '');
  const integer = parseInteger(digits);
  if (integer !== undefined) {
    return { kind: 'int', value: Number(integer), exact: String(integer), unsigned: integer > 2n ** 63n - 1n };
  }
  if (!FLOAT.test(digits)) return undefined;
  const value = Number(digits);
  return Number.isFinite(value) ? { kind: 'float', value } : undefined;
}

/** `strconv.ParseInt(text, 0, 64)`, then `ParseUint`: undefined when neither takes it. */
function parseInteger(text: string): bigint | undefined {
  const quirk = SIGNED_BINARY.exec(text);
  const match = quirk ? [text, quirk[1], undefined, quirk[2]] : INTEGER.exec(text);
  if (!match) return undefined;
  const sign = match[1] ?? '';
  const group = match.findIndex((part, index) => index > 1 && part !== undefined);
  const digits = (match[group] ?? '').replace(/^0+(?=.)/, '');
  if (digits.length > MOST_DIGITS) return undefined;
  const magnitude = BigInt(`${BASES[group - 2] ?? ''}${digits}`);
  if (sign === '-') return magnitude <= 2n ** 63n ? -magnitude : undefined;
  if (magnitude < 2n ** 63n) return magnitude;
  return sign === '' && magnitude < 2n ** 64n ? magnitude : undefined;
}

/** Go's `FormatFloat(value, 'g', -1, 32)`, in YAML's spelling of the non-finite ones. */
function formatFloatKey(value: number): string {
  if (Number.isNaN(value)) return '.nan';
  const single = Math.fround(value);
  if (!Number.isFinite(single)) return single > 0 ? '.inf' : '-.inf';
  if (single === 0) return Object.is(single, -0) ? '-0' : '0';
  const [mantissa = '', exponent = ''] = shortestSingle(single).split('e');
  const digits = mantissa.replace(/[-.]/g, '');
  const power = Number(exponent);
  if (power >= -4 && power < 6) return plainDecimal(single < 0, digits, power);
  return `${mantissa}e${power < 0 ? '-' : '+'}${String(Math.abs(power)).padStart(2, '0')}`;
}

function shortestSingle(single: number): string {
  for (let places = 0; places < 9; places += 1) {
    const text = single.toExponential(places);
    if (Math.fround(Number(text)) === single) return text;
  }
  return single.toExponential(9);
}

function plainDecimal(negative: boolean, digits: string, power: number): string {
  const sign = negative ? '-' : '';
  if (power < 0) return `${sign}0.${'0'.repeat(-power - 1)}${digits}`;
  const whole = digits.slice(0, power + 1).padEnd(power + 1, '0');
  const rest = digits.slice(power + 1);
  return rest === '' ? `${sign}${whole}` : `${sign}${whole}.${rest}`;
}

/** `!!binary`: the bytes as UTF-8 text, invalid ones replaced, as Go's JSON encoder does. */
function decodeBinary(text: string): Scalar | undefined {
  const packed = text.replace(/[\r\n]/g, '');
  if (packed.length % 4 !== 0 || !/^[A-Za-z0-9+/]*={0,2}$/.test(packed)) return undefined;
  const bytes = Uint8Array.from(atob(packed), (char) => char.charCodeAt(0));
  return { kind: 'string', value: new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes) };
}
