// Go's path.Match, by which kube-rbac-proxy reads the patterns of --ignore-paths and --allow-paths.

/**
 * True when a path matches a pattern as Go's `path.Match` reads it: `*` stands for any run of characters but `/`, `?` for
 * one of them, `[a-z]` and `[^a-z]` for a set, a backslash for the character behind it. A malformed pattern matches
 * nothing. Work is bounded by the product of the two lengths.
 */
export function matchesPathPattern(pattern: string, path: string): boolean {
  const tokens = tokensIn(pattern);
  if (tokens === undefined) return false;
  let at = 0;
  let next = 0;
  let star = -1;
  let retry = 0;
  while (at < path.length) {
    const token = tokens[next];
    if (token === '*') {
      star = next;
      retry = at;
      next += 1;
    } else if (token !== undefined && token.test(path.charAt(at))) {
      next += 1;
      at += 1;
    } else if (star >= 0 && path.charAt(retry) !== '/') {
      retry += 1;
      at = retry;
      next = star + 1;
    } else {
      return false;
    }
  }
  return tokens.slice(next).every((token) => token === '*');
}

/** What one character of a path is held against; `*` takes any number of them. */
type Token = '*' | { test(char: string): boolean };

const ANY_BUT_SLASH: Token = { test: (char) => char !== '/' };

function tokensIn(pattern: string): Token[] | undefined {
  const tokens: Token[] = [];
  for (let at = 0; at < pattern.length; at += 1) {
    const char = pattern.charAt(at);
    if (char === '*') tokens.push('*');
    else if (char === '?') tokens.push(ANY_BUT_SLASH);
    else if (char === '[') {
      const set = characterSet(pattern, at + 1);
      if (set === undefined) return undefined;
      tokens.push(set.token);
      at = set.end;
    } else {
      if (char === '\\') at += 1;
      const literal = pattern.charAt(at);
      if (literal === '') return undefined;
      tokens.push({ test: (other) => other === literal });
    }
  }
  return tokens;
}

/** Reads a set from behind its `[` to its `]`; undefined where Go calls it malformed. */
function characterSet(pattern: string, start: number): { token: Token; end: number } | undefined {
  const isNegated = pattern.charAt(start) === '^';
  const ranges: { low: string; high: string }[] = [];
  let at = isNegated ? start + 1 : start;
  while (ranges.length === 0 || pattern.charAt(at) !== ']') {
    const low = characterOf(pattern, at);
    if (low === undefined) return undefined;
    at = low.next;
    const high = pattern.charAt(at) === '-' ? characterOf(pattern, at + 1) : low;
    if (high === undefined) return undefined;
    at = high.next;
    ranges.push({ low: low.char, high: high.char });
  }
  const contains = (char: string): boolean => ranges.some(({ low, high }) => low <= char && char <= high);
  return { token: { test: (char) => contains(char) !== isNegated }, end: at };
}

/** One character of a set, its backslash taken off; there must be more of the pattern behind it. */
function characterOf(pattern: string, at: number): { char: string; next: number } | undefined {
  const isEscaped = pattern.charAt(at) === '\\';
  const char = pattern.charAt(isEscaped ? at + 1 : at);
  if (char === '' || (!isEscaped && (char === '-' || char === ']'))) return undefined;
  const next = at + (isEscaped ? 2 : 1);
  return next < pattern.length ? { char, next } : undefined;
}
