import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';

import { checkGoldens } from '../support/golden.ts';
import { runCli } from './run-cli.ts';

const CASES = fileURLToPath(new URL('../golden/check', import.meta.url));

// A case is a folder with `in`, which is checked; `policy.yaml` beside it is the policy where there is one. Everything
// else in the folder is made by UPDATE_GOLDEN=1. The cases rest on kubelet-read-only-port alone.

describe('check, in golden files', () => {
  for (const name of readdirSync(CASES)) {
    it(name, async () => {
      const folder = join(CASES, name);
      const policy = readdirSync(folder).includes('policy.yaml') ? ['--policy', 'policy.yaml'] : [];
      // Paths in the output are as they were given.
      const text = await runCli(['check', 'in', ...policy], { cwd: folder });
      const json = await runCli(['check', 'in', ...policy, '-o', 'json'], { cwd: folder });
      checkGoldens(
        folder,
        {
          'report.txt': text.stdout,
          'report.json': json.stdout,
          'stderr.txt': text.stderr,
          'exit-code.txt': `${text.code}\n`,
        },
        ['in', 'policy.yaml'],
      );
    });
  }
});
