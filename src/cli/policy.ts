import { Command } from 'commander';

import { readPolicy } from '../config/policy-file.ts';
import { publishedSchema } from '../policy/schema.ts';
import { RULES } from '../rules/index.ts';
import type { Finish } from './command.ts';
import type { Io } from './io.ts';
import { policyInitCommand } from './policy-init.ts';
import { policyYaml } from './policy-yaml.ts';

/** `policy init`, `policy validate F`, `policy schema` and `policy show [F]`. */
export function policyCommand(io: Io, finish: Finish): Command {
  const policy = new Command('policy').description('start or check a policy, or print its schema or its defaults');
  policy.addCommand(policyInitCommand(io, finish));
  policy
    .command('validate')
    .description('print OK, or everything that is wrong with a policy')
    .argument('<FILE>', 'the policy')
    .action(async (file: string) => {
      await readPolicy(file, RULES);
      io.stdout.write('OK\n');
    });
  policy
    .command('schema')
    .description('print the JSON Schema of a policy')
    .action(() => {
      io.stdout.write(`${JSON.stringify(publishedSchema(RULES), undefined, 2)}\n`);
    });
  policy
    .command('show')
    .description('print a policy as it is understood, with every default')
    .argument('[FILE]', 'the policy (default: the built-in one)')
    .action(async (file: string | undefined) => {
      io.stdout.write(policyYaml(await readPolicy(file, RULES)));
    });
  return policy;
}
