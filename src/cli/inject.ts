import { Command, Option } from 'commander';

import { readPolicy } from '../config/policy-file.ts';
import { RULES } from '../rules/index.ts';
import type { Finish } from './command.ts';
import { tellInjections } from './inject-summary.ts';
import { asItIs, companionsIn, injectFiles, isWellEdited } from './inject-files.ts';
import { INJECT_FORMATS, TEXT_FORMATS, WHOLE_FORMATS, writeInjected, type InjectFormat } from './inject-output.ts';
import type { Io } from './io.ts';
import { loadTexts } from './load-manifests.ts';
import { oneOf, policyOption } from './options.ts';
import { say, sentenceOf } from './say.ts';

interface InjectOptions {
  readonly policy?: string;
  readonly output: InjectFormat;
  readonly companions?: true;
}

/** `inject PATH...`: writes manifests with the proxies that the webhook would put into their pods. */
export function injectCommand(io: Io, finish: Finish): Command {
  return new Command('inject')
    .description('put kube-rbac-proxy in front of the annotated metrics ports of manifests')
    .usage('[options] PATH|-...')
    .argument('[PATH...]', 'YAML or JSON files, folders of them, or - for the standard input')
    .addOption(policyOption())
    .addOption(
      new Option('-o, --output <FORMAT>', `${INJECT_FORMATS.join(', ')}: all manifests, the objects, or what changes`)
        .argParser((value): InjectFormat => oneOf(value, INJECT_FORMATS))
        .default('yaml'),
    )
    .option('--companions', 'write as well a ClusterRoleBinding for each ServiceAccount that its proxies need one for')
    .addHelpText(
      'after',
      '\nExit code: 0 done, 2 something could not be read or changed; everything else is written all the same.\n',
    )
    .action(async (paths: readonly string[], options: InjectOptions, inject: Command) => {
      if (paths.length === 0) inject.error('error: name a PATH: a file, a folder, or - for the standard input');
      if (options.companions && !WHOLE_FORMATS.includes(options.output)) {
        inject.error(`error: --companions adds whole objects: name -o ${WHOLE_FORMATS.join(' or -o ')}`);
      }
      finish(await injectPaths(paths, options, io));
    });
}

async function injectPaths(paths: readonly string[], options: InjectOptions, io: Io): Promise<number> {
  const policy = await readPolicy(options.policy, RULES);
  const { files, errors, warnings } = await loadTexts([...new Set(paths)], io);
  const found = injectFiles(files, policy.spec);
  const isText = TEXT_FORMATS.includes(options.output);
  const left = isText ? found.filter((file) => !isWellEdited(file)) : [];
  const injected = found.filter((file) => !left.includes(file));
  const { mode } = policy.spec.injection;
  const companions = options.companions && mode === 'apply' ? companionsIn(injected) : undefined;
  const written = found.map((file) => (left.includes(file) ? asItIs(file) : file));
  writeInjected({ files: written, companions: companions ?? [] }, options.output, io);
  say(io, 'warning', warnings.map(sentenceOf));
  tellInjections(injected, { mode, companions }, io);
  const problems = [...errors, ...left.map(({ file }) => ({ file, message: LEFT_AS_IT_IS }))];
  say(io, 'error', problems.map(sentenceOf));
  return problems.length > 0 ? 2 : 0;
}

const LEFT_AS_IT_IS =
  'left as it is, for other lines of this YAML would read otherwise beside what is added: write it more plainly, or name -o json';
