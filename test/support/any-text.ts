// Texts of any characters. fast-check has them as the unit `binary`, for which it first makes a list of all characters.
import fc from 'fast-check';

const SURROGATES = { first: 0xd8_00, count: 0x8_00 } as const;

/** Any character of Unicode; no surrogate is one. */
const anyCharacter = fc
  .integer({ min: 0, max: 0x10_ff_ff - SURROGATES.count })
  .map(characterOf, (value) => numberOf(String(value)));

/** Any well-formed text, which has at least that many characters. */
export function anyText(minLength = 0): fc.Arbitrary<string> {
  return fc.string({ unit: anyCharacter, minLength });
}

/** Numbers stand for all characters in their order, without a gap. */
function characterOf(number: number): string {
  return String.fromCodePoint(number < SURROGATES.first ? number : number + SURROGATES.count);
}

function numberOf(text: string): number {
  const code = text.codePointAt(0);
  if (code === undefined || text !== String.fromCodePoint(code)) throw new TypeError(`${text} is not one character`);
  return code < SURROGATES.first ? code : code - SURROGATES.count;
}
