import { commandsOf, type Command } from './command-line.ts';
import type { Container } from './pods.ts';
import type { JsonPointer } from './pointer.ts';
import { mentionsOneOf } from './port-use.ts';

/** An argument by which a container passes connections on to a port. */
export interface Forward {
  readonly port: number;
  readonly path: JsonPointer;
}

/** Programs that listen on one port and connect to another, by the words that say where they listen. */
const LISTENS_BY_PROGRAM: ReadonlyMap<string, RegExp> = new Map([
  ['nc', /^(?:-[a-z]*l[a-z]*[0-9]*|--listen)$/],
  ['ncat', /^(?:-[a-z]*l[a-z]*[0-9]*|--listen)$/],
  ['netcat', /^(?:-[a-z]*l[a-z]*[0-9]*|--listen)$/],
  ['simpleproxy', /^-L/],
  ['ssh', /^-[A-Za-z]*[LR]$/],
]);

/** A listening address of socat, `TCP-LISTEN:9999`: it tells socat even where the image's entrypoint starts it. */
const SOCAT_LISTENS = /^[a-z0-9-]+-l(?:isten)?:/i;

/**
 * The arguments by which a container passes connections on to one of these ports, the first one of each command. A
 * container forwards when one of its programs listens, and that one or another connects to the port: `nc -l 80 | nc a 1`.
 */
export function forwardsTo(container: Container, ports: readonly number[]): Forward[] {
  const commands = commandsOf(container);
  if (!commands.some((command) => mentions(command, ports))) return [];
  const candidates = commands.flatMap((command) => {
    const pattern = listensPattern(command);
    return pattern === undefined ? [] : [{ command, pattern, listens: isListening(command, pattern) }];
  });
  if (!candidates.some(({ listens }) => listens)) return [];
  return candidates.flatMap(({ command, pattern, listens }) => {
    for (const { text, path } of command.words) {
      if (pattern.test(text)) continue;
      const port = ports.find((candidate) => leadsTo(text, candidate, listens));
      if (port !== undefined) return [{ port, path }];
    }
    return [];
  });
}

/** True when the digits of one of these ports stand in a command's words. */
export function mentions({ words }: Command, ports: readonly number[]): boolean {
  for (const { text } of words) if (mentionsOneOf(text, ports)) return true;
  return false;
}

function listensPattern(command: Command): RegExp | undefined {
  const known = LISTENS_BY_PROGRAM.get(command.program);
  if (known !== undefined) return known;
  return command.program === 'socat' || isListening(command, SOCAT_LISTENS) ? SOCAT_LISTENS : undefined;
}

function isListening({ program, words }: Command, pattern: RegExp): boolean {
  return pattern.test(program) || words.some(({ text }) => pattern.test(text));
}

/**
 * True for `host:port`, options after a comma left out; for a command of its own that ends in the port (`-e 'nc a 1'`);
 * and for the bare number, which a listening program takes for its own port.
 */
function leadsTo(text: string, port: number, listens: boolean): boolean {
  const [address = ''] = text.replace(/["']$/, '').split(',', 1);
  if (address === String(port)) return !listens;
  return address.endsWith(`:${port}`) || address.endsWith(` ${port}`);
}
