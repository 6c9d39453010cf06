import type { Message, Observation } from './rule.ts';

/** The longest warning that a client is sure to show whole (k8s.io/api/admission/v1: 120 characters). */
export const LONGEST_WARNING = 120;

/** A value of an object is quoted up to this many characters. */
const LONGEST_VALUE = 80;

/** The same where it is to be copied. */
const LONGEST_COPIED_VALUE = 400;

/** A message with its placeholders filled; values are shortened and kept on one line, an unknown name shows as it is. */
export function renderMessage(message: Message, data?: Observation['data']): string {
  return fill(message.text, data, LONGEST_VALUE);
}

/** A remediation with its placeholders filled; values may be long, for some are lines of a policy. */
export function renderRemediation(text: string, data?: Observation['data']): string {
  return fill(text, data, LONGEST_COPIED_VALUE);
}

function fill(text: string, data: Observation['data'] | undefined, longest: number): string {
  return text.replace(/\{\{([a-zA-Z]+)\}\}/g, (whole, name: string) => {
    const value = data?.[name];
    return value === undefined ? whole : oneLine(shorten(String(value), longest));
  });
}

/** A text cut to a number of characters, the last one an ellipsis where something was cut. */
export function shorten(text: string, longest: number): string {
  if (text.length <= longest) return text;
  const cut = text.slice(0, longest - 1);
  // Half of a surrogate pair would not be valid UTF-8.
  return `${/[\uD800-\uDBFF]$/.test(cut) ? cut.slice(0, -1) : cut}…`;
}

/**
 * Control characters and line breaks become spaces, for the API server drops a warning that holds one; so do characters
 * that nobody sees or that turn the text around on a terminal, and halves of surrogate pairs.
 */
export function oneLine(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu, ' ');
}
