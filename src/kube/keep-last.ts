/**
 * Makes a memory of one: the function answers with what was made for the same keys last time, else makes it anew. Most
 * things are asked about one object after the other, so that this is enough, and memory stays bounded by one of them.
 */
export function keepLast<Made>(): (keys: readonly unknown[], make: () => Made) => Made {
  let last: { readonly keys: readonly unknown[]; readonly made: Made } | undefined;
  return (keys, make) => {
    const known = last;
    if (known !== undefined && keys.every((key, at) => known.keys[at] === key)) return known.made;
    const made = make();
    last = { keys, made };
    return made;
  };
}
