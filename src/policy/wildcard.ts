/**
 * True when a text matches a pattern in which `*` stands for any run of characters and everything else for itself. The
 * work is linear in the text for each `*`: it never backtracks further than the last one, so a name that a stranger
 * chose cannot stall it.
 */
export function matchesWildcard(pattern: string, text: string): boolean {
  return pattern.includes('*') ? matchesParts(pattern.split('*'), text) : pattern === text;
}

/** `matchesWildcard` for one pattern and many texts. */
export function wildcardMatcher(pattern: string): (text: string) => boolean {
  if (!pattern.includes('*')) return (text) => text === pattern;
  const parts = pattern.split('*');
  return (text) => matchesParts(parts, text);
}

/** The parts between the stars, of which there are at least two. */
function matchesParts(parts: readonly string[], text: string): boolean {
  const first = parts[0] ?? '';
  const last = parts.at(-1) ?? '';
  if (text.length < first.length + last.length || !text.startsWith(first) || !text.endsWith(last)) return false;
  const end = text.length - last.length;
  let at = first.length;
  for (const part of parts.slice(1, -1)) {
    const found = text.indexOf(part, at);
    if (found < 0 || found + part.length > end) return false;
    at = found + part.length;
  }
  return true;
}

/** True when any of the patterns matches. */
export function matchesAny(patterns: readonly string[], text: string): boolean {
  return patterns.some((pattern) => matchesWildcard(pattern, text));
}
