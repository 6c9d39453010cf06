/** A table wider than this is not aligned: one long cell would pad every row. */
const WIDEST_ALIGNED = 120;

/** A Markdown table: aligned as formatters do, or compact where it would be too wide. Cells are Markdown already. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const cells = [head, ...rows].map((row) => row.map((cell) => cell.replaceAll('|', '\\|').replaceAll('\n', ' ')));
  const widths = head.map((_, column) => Math.max(3, ...cells.map((row) => row[column]?.length ?? 0)));
  const isWide = widths.reduce((sum, width) => sum + width + 3, 1) > WIDEST_ALIGNED;
  const line = (row: readonly string[]) =>
    `| ${row.map((cell, column) => (isWide ? cell : cell.padEnd(widths[column] ?? 0))).join(' | ')} |`;
  const rule = line(widths.map((width) => '-'.repeat(isWide ? 3 : width)));
  const [first = [], ...others] = cells;
  return [line(first), rule, ...others.map(line)].join('\n');
}

/** A fenced block of code. */
export function fenced(language: string, code: string): string {
  return `\`\`\`${language}\n${code.trimEnd()}\n\`\`\``;
}

/** Plain text as Markdown: what would be read as markup is escaped. */
export function prose(text: string): string {
  return text.replaceAll(/[\\<*_[\]`]/g, (character) => `\\${character}`);
}

/** A list, one item a line. */
export function list(items: readonly string[]): string {
  return items.map((item) => `- ${item}`).join('\n');
}

/** The notice above a generated page. */
export function notice(source: string): string {
  return `<!-- Made by \`npm run generate\` from ${source}: edit that instead. -->`;
}

/** A page of parts with an empty line between them; empty parts are left out. */
export function page(...parts: readonly string[]): string {
  return `${parts.filter((part) => part !== '').join('\n\n')}\n`;
}
