// Builds a Go module once, into a cache folder outside the repository.
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rename } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { withFileLock } from './file-lock.ts';
import { type GuardedProgram, startGuard } from './guard.ts';
import { runCommand } from './run-command.ts';

/** A Go module that is built for the tests. */
export type GoModule = {
  /** The folder of its go.mod, whose name the cache uses too. */
  readonly source: string;
  /** `tool`: the tool directives of go.mod; `.`: the program in the folder itself. */
  readonly packages: 'tool' | '.';
  /** How long a build from nothing takes on two cores, for the progress line. */
  readonly minutes: number;
  /** Binaries that get another name than Go gives them. */
  readonly renamed?: Readonly<Record<string, string>>;
  /** The folder where the folder of the binaries is made. */
  readonly cache: string;
};

/** Nothing compiled for so long is no slow machine: linking, the longest silence, takes a minute. */
const STALL_LIMIT_MS = 30 * 60_000;
const POLL_MS = 500;
const PROGRESS_MS = 20_000;

/** The folder that holds the module's binaries, or undefined when they are not built (or Go is not there to tell). */
export async function findGoBinaries(module: GoModule): Promise<string | undefined> {
  const recipe = await readRecipe(module);
  return recipe !== undefined && existsSync(recipe.folder) ? recipe.folder : undefined;
}

/**
 * The folder that holds the module's binaries, built now if need be, with progress lines (to stderr unless told). Runs
 * at the same time do not disturb each other: one builds, the others wait. Throws an Error when Go is not there or the
 * build fails.
 */
export async function ensureGoBinaries(module: GoModule, report: Report = reportToStderr): Promise<string> {
  const recipe = await readRecipe(module);
  if (recipe === undefined) {
    throw new Error('Building the test toolchain needs Go (https://go.dev/dl); `go` was not found.');
  }
  if (existsSync(recipe.folder)) return recipe.folder;
  await mkdir(module.cache, { recursive: true });
  const build = async (): Promise<void> => {
    // Somebody else may have built it while we waited.
    if (!existsSync(recipe.folder)) await buildModule(module, recipe, report);
  };
  const onWait = (): void => report(`${basename(module.source)}: another run is building it; waiting.`);
  await withFileLock(`${recipe.folder}.lock`, build, { onWait });
  return recipe.folder;
}

type Report = (line: string) => void;

function reportToStderr(line: string): void {
  process.stderr.write(`test toolchain: ${line}\n`);
}

type Recipe = { readonly args: readonly string[]; readonly folder: string };

/** What to build and where: the folder's name is a hash of everything that the binaries follow from. */
async function readRecipe({ source, packages, renamed = {}, cache }: GoModule): Promise<Recipe | undefined> {
  const version = await readGoVersion(source);
  if (version === undefined) return undefined;
  const args = buildArguments(await readFile(join(source, 'go.mod'), 'utf8'), packages);
  const hash = createHash('sha256').update(JSON.stringify([version, args, renamed]));
  const files = (await readdir(source)).filter((file) => /^go\.(mod|sum)$|\.go$/.test(file)).sort();
  for (const file of files) hash.update(`\0${file}\0`).update(await readFile(join(source, file)));
  return { args, folder: join(cache, `${basename(source)}-${hash.digest('hex').slice(0, 16)}`) };
}

async function readGoVersion(source: string): Promise<string | undefined> {
  // In the module's own folder, where its go line may choose a newer toolchain.
  const result = await runCommand('go', ['version'], { cwd: source, env: goEnvironment() }).catch(() => undefined);
  return result?.code === 0 ? result.stdout.trim() : undefined;
}

function goEnvironment(): NodeJS.ProcessEnv {
  return { ...process.env, CGO_ENABLED: '0', GOWORK: 'off' };
}

function buildArguments(goMod: string, packages: string): readonly string[] {
  // Without the stamp a component calls itself v0.0.0-master; kube-apiserver's profile would double its build time.
  const [, major, minor, patch] = /^\s*k8s\.io\/kubernetes v(\d+)\.(\d+)\.(\d+)/m.exec(goMod) ?? [];
  const stamp = Object.entries({ gitVersion: `v${major}.${minor}.${patch}`, gitMajor: major, gitMinor: minor });
  const flags = stamp.map(([key, value]) => `-X k8s.io/component-base/version.${key}=${value}`);
  const ldflags = ['-s', '-w', ...(major === undefined ? [] : flags)].join(' ');
  // A third of the compiler's work goes into what no test needs: facts for debuggers, and inlining.
  const gcflags = 'all=-dwarf=false -l';
  return [
    'build',
    '-v',
    '-pgo=off',
    '-trimpath',
    '-buildvcs=false',
    '-gcflags',
    gcflags,
    '-ldflags',
    ldflags,
    packages,
  ];
}

async function buildModule(module: GoModule, { args, folder }: Recipe, report: Report): Promise<void> {
  const { source, minutes, renamed = {} } = module;
  const name = basename(source);
  report(`${name}: building, once, about ${minutes} minutes on two cores, into ${folder}`);
  const started = Date.now();
  const guard = await startGuard(`${folder}.building-`);
  try {
    const output = join(guard.directory, 'bin');
    await mkdir(output);
    const go = await guard.start({
      command: 'go',
      args: [...args.slice(0, -1), '-o', `${output}/`, ...args.slice(-1)],
      env: { ...goEnvironment(), GOTMPDIR: guard.directory },
      cwd: source,
      logFile: join(guard.directory, 'log'),
    });
    await watchBuild(go, (progress) => report(`${name}: ${progress}`));
    for (const [from, to] of Object.entries(renamed)) await rename(join(output, from), join(output, to));
    await moveInto(output, folder);
    report(`${name}: built in ${secondsSince(started)} s.`);
  } finally {
    await guard.end();
  }
}

async function watchBuild(go: GuardedProgram, report: Report): Promise<void> {
  const started = Date.now();
  let last = { packages: 0, at: started };
  for (let nextReport = started + PROGRESS_MS; go.end() === undefined;) {
    if (Date.now() - last.at > STALL_LIMIT_MS) throw new Error('The build stands still: 30 minutes without a package.');
    await Promise.race([go.ended, sleep(POLL_MS)]);
    if (Date.now() < nextReport) continue;
    nextReport += PROGRESS_MS;
    const packages = (await readLog(go)).length;
    if (packages > last.packages) last = { packages, at: Date.now() };
    report(`${packages} packages compiled, ${secondsSince(started)} s so far.`);
  }
  if (go.end()?.code === 0) return;
  throw new Error(`The build failed:\n${(await readLog(go)).slice(-30).join('\n')}`);
}

async function readLog({ logFile }: GuardedProgram): Promise<readonly string[]> {
  return (await readFile(logFile, 'utf8')).trimEnd().split('\n');
}

/** A rename is all or nothing: whoever sees the folder sees it whole. */
async function moveInto(output: string, folder: string): Promise<void> {
  try {
    await rename(output, folder);
  } catch (error) {
    // Two builds at once are possible after a lock was taken over; the first one's result is as good as ours.
    if (!existsSync(folder)) throw error;
  }
}

function secondsSince(started: number): number {
  return Math.round((Date.now() - started) / 1000);
}
