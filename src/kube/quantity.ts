// Amounts of a resource as Kubernetes writes them (apimachinery/pkg/api/resource `Quantity`).

/** Powers of ten, from nano up, and of two: what a suffix multiplies with, in billionths. */
const SUFFIXES: ReadonlyMap<string, bigint> = new Map([
  ['n', 1n],
  ['u', 1000n],
  ['m', 1000n ** 2n],
  ['', 1000n ** 3n],
  ['k', 1000n ** 4n],
  ['M', 1000n ** 5n],
  ['G', 1000n ** 6n],
  ['T', 1000n ** 7n],
  ['P', 1000n ** 8n],
  ['E', 1000n ** 9n],
  ['Ki', 1000n ** 3n * 1024n],
  ['Mi', 1000n ** 3n * 1024n ** 2n],
  ['Gi', 1000n ** 3n * 1024n ** 3n],
  ['Ti', 1000n ** 3n * 1024n ** 4n],
  ['Pi', 1000n ** 3n * 1024n ** 5n],
  ['Ei', 1000n ** 3n * 1024n ** 6n],
]);

const QUANTITY = /^\+?([0-9]{1,18})(?:\.([0-9]{0,18}))?(?:e([0-9]{1,2})|([A-Za-z]{0,2}))$/;

/**
 * The amount that a text or a number states, in billionths and rounded up as Kubernetes rounds; undefined for a negative
 * amount, for anything that is no quantity, and for more digits than anybody has of anything.
 */
export function parseQuantity(value: unknown): bigint | undefined {
  if (typeof value !== 'string' && typeof value !== 'number') return undefined;
  const match = QUANTITY.exec(String(value));
  if (match === null) return undefined;
  const [, whole = '', fraction = '', exponent, suffix = ''] = match;
  const unit = exponent === undefined ? SUFFIXES.get(suffix) : 10n ** (9n + BigInt(exponent));
  if (unit === undefined) return undefined;
  const divisor = 10n ** BigInt(fraction.length);
  return (BigInt(whole + fraction) * unit + divisor - 1n) / divisor;
}
