/** Longer names are compared with nothing: nobody types them, and a stranger's must not cost much. */
const LONGEST_NAME = 128;

/** The candidate that takes fewest edits to reach, or undefined when every one is further than a typing error. */
export function nearestName(name: string, candidates: Iterable<string>): string | undefined {
  if (name.length > LONGEST_NAME) return undefined;
  let best: string | undefined;
  let bestDistance = Math.min(4, Math.max(2, Math.ceil(name.length / 3))) + 1;
  for (const candidate of candidates) {
    if (Math.abs(candidate.length - name.length) >= bestDistance) continue;
    const distance = editDistance(name, candidate, bestDistance);
    if (distance < bestDistance) {
      best = candidate;
      bestDistance = distance;
    }
  }
  return best;
}

/**
 * The nearest name of an object, or else the longest one that has the same words with some more, or some less, at one
 * end: `kubelet-api` for `test-kubelet-api`. It has at least half of the letters. Linear in the candidates.
 */
export function nearestObjectName(name: string, candidates: Iterable<string>): string | undefined {
  const names = [...candidates];
  const nearest = nearestName(name, names);
  if (nearest !== undefined || name.length > LONGEST_NAME) return nearest;
  let best: string | undefined;
  for (const candidate of names) {
    if (isPartOf(candidate, name) && candidate.length > (best?.length ?? 0)) best = candidate;
  }
  return best ?? names.find((candidate) => isPartOf(name, candidate));
}

const BETWEEN_WORDS = /[-.:_]/;

/** True when a name is the other one without words at its beginning or its end. */
function isPartOf(part: string, whole: string): boolean {
  const more = whole.length - part.length;
  if (more <= 0 || part.length < more) return false;
  if (whole.endsWith(part) && BETWEEN_WORDS.test(whole[more - 1] ?? '')) return true;
  return whole.startsWith(part) && BETWEEN_WORDS.test(whole[part.length] ?? '');
}

/**
 * The Levenshtein distance of two names, or `limit` when it is not smaller. Only cells less than `limit` off the
 * diagonal are looked at, for no way through another one can be shorter.
 */
function editDistance(a: string, b: string, limit: number): number {
  let previous = Array.from({ length: b.length + 1 }, (_, index) => index);
  let current = previous.map(() => limit);
  for (let i = 1; i <= a.length; i += 1) {
    const first = Math.max(1, i - limit);
    const last = Math.min(b.length, i + limit);
    current[first - 1] = first === 1 ? i : limit;
    let least = current[first - 1] ?? limit;
    for (let j = first; j <= last; j += 1) {
      const above = j === i + limit ? limit : (previous[j] ?? limit);
      const substitution = (previous[j - 1] ?? limit) + (a[i - 1] === b[j - 1] ? 0 : 1);
      const distance = Math.min(above + 1, (current[j - 1] ?? limit) + 1, substitution);
      current[j] = distance;
      least = Math.min(least, distance);
    }
    if (least >= limit) return limit;
    [previous, current] = [current, previous];
  }
  return Math.min(limit, previous[b.length] ?? limit);
}
