import type { Command } from 'commander';

import type { Io } from './io.ts';

/** Ends the program with 0 (clean), 1 (findings) or 2 (could not say); a command that does not call it ends with 0. */
export type Finish = (exitCode: number) => void;

/** Makes one command. A Failure or a PolicyFileError that its action throws is told in its own words and ends with 2. */
export type CommandMaker = (io: Io, finish: Finish) => Command;
