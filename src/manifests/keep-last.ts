/**
 * Makes a memory of one: the function answers with what was made for the same key last time, else makes it anew.
 * Findings are located object by object, so one tree at a time is enough, and memory stays bounded by it.
 */
export function keepLast<Made>(): (key: object, make: () => Made) => Made {
  let last: { readonly key: object; readonly made: Made } | undefined;
  return (key, make) => {
    if (last?.key !== key) last = { key, made: make() };
    return last.made;
  };
}
