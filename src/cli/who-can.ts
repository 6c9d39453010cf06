import { Command } from 'commander';

import { collectWhoCan } from '../report/who-can.ts';
import { formatWhoCan } from '../report/who-can-text.ts';
import type { Finish } from './command.ts';
import type { Io } from './io.ts';
import { loadGrants } from './load-grants.ts';
import { addConnectionOptions, formatOption } from './options.ts';
import { readQuestion } from './question.ts';
import { say, sentenceOf } from './say.ts';
import { styleFor } from './style.ts';

interface WhoCanOptions {
  readonly kubeconfig?: string;
  readonly context?: string;
  readonly output: 'text' | 'json';
}

/** `who-can`: who holds a capability or may make a request, and by which binding and role. */
export function whoCanCommand(io: Io, finish: Finish): Command {
  const command = new Command('who-can')
    .description('print who holds a capability or may make a request, in manifests or in a cluster')
    .usage('[options] CAPABILITY | VERB RESOURCE|URL [PATH|-...]')
    .argument('<WORDS...>', 'metrics, nodes/proxy, ...; or get /metrics, list pods, get deployments.apps/scale')
    .addOption(formatOption())
    .addHelpText('after', '\nExit code: 0 with an answer, 2 when something could not be read.\n')
    .action(async (words: readonly string[], options: WhoCanOptions) => finish(await answer(words, options, io)));
  return addConnectionOptions(command);
}

async function answer(words: readonly string[], options: WhoCanOptions, io: Io): Promise<number> {
  const { question, paths, hints } = readQuestion(words);
  const { grants, namespaces, errors } = await loadGrants(paths, options, io);
  const found = collectWhoCan(question, grants, namespaces);
  say(io, 'note', hints);
  say(io, 'error', errors.map(sentenceOf));
  io.stdout.write(
    options.output === 'json'
      ? `${JSON.stringify(found, undefined, 2)}\n`
      : formatWhoCan(found, styleFor(io.stdout, io)),
  );
  return errors.length === 0 ? 0 : 2;
}
