import { Command } from 'commander';

import type { Connection } from '../cluster/api-client.ts';
import { initialExpectations } from '../policy/initial-policy.ts';
import { displaySubject } from '../rbac/subjects.ts';
import type { Finish } from './command.ts';
import type { Io } from './io.ts';
import { loadGrants } from './load-grants.ts';
import { addConnectionOptions } from './options.ts';
import { initialPolicyYaml } from './policy-yaml.ts';
import { say, sentenceOf } from './say.ts';

/** `policy init`: a policy that expects exactly who holds a capability today. */
export function policyInitCommand(io: Io, finish: Finish): Command {
  const command = new Command('init')
    .description('print a policy that expects exactly who holds a capability today, to be pruned by hand')
    .argument('[PATH...]', 'manifests, or - for the standard input; a cluster is named by --kubeconfig')
    .action(async (paths: readonly string[], options: Connection) => finish(await printPolicy(paths, options, io)));
  return addConnectionOptions(command);
}

async function printPolicy(paths: readonly string[], connection: Connection, io: Io): Promise<number> {
  const { grants, errors } = await loadGrants(paths, connection, io);
  const found = initialExpectations(grants);
  say(io, 'error', errors.map(sentenceOf));
  const leftOut = found.unnameable.map((subject) => displaySubject(subject));
  say(
    io,
    'warning',
    leftOut.map((name) => `${name} is left out: in a policy its * would stand for any name`),
  );
  io.stdout.write(initialPolicyYaml(found));
  return errors.length === 0 ? 0 : 2;
}
