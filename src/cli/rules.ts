import { Command } from 'commander';

import type { Rule } from '../policy/rule.ts';
import { RULES } from '../rules/index.ts';
import { describeRule, listRules, ruleDetails, ruleSummary } from './describe-rules.ts';
import { Failure } from './failure.ts';
import type { Io } from './io.ts';
import { formatOption, meant } from './options.ts';

interface RulesOptions {
  readonly output: 'text' | 'json';
}

/** `rules list` and `rules show ID`: what is judged, and why. */
export function rulesCommand(io: Io): Command {
  const rules = new Command('rules').description('print what is judged, and why');
  rules
    .command('list', { isDefault: true })
    .description('print a table of the rules')
    .addOption(formatOption())
    .allowExcessArguments()
    .action((options: RulesOptions, list: Command) => {
      // The default command is also given what is no command at all.
      const [unknown] = list.args;
      if (unknown !== undefined) rules.error(`error: unknown command '${unknown}'${meant(unknown, ['list', 'show'])}`);
      print(io, options, listRules(RULES), RULES.map(ruleSummary));
    });
  rules
    .command('show')
    .description('print everything about one rule')
    .argument('<ID>', 'the id of the rule')
    .addOption(formatOption())
    .action((id: string, options: RulesOptions) => {
      const rule = findRule(id);
      print(io, options, describeRule(rule), ruleDetails(rule));
    });
  return rules;
}

function print({ stdout }: Io, { output }: RulesOptions, text: string, value: unknown): void {
  stdout.write(output === 'json' ? `${JSON.stringify(value, undefined, 2)}\n` : text);
}

function findRule(id: string): Rule {
  const found = RULES.find(({ meta }) => meta.id === id);
  if (found !== undefined) return found;
  const ids = RULES.map(({ meta }) => meta.id);
  throw new Failure(`No rule is called "${id}"${meant(id, ids)}`);
}
