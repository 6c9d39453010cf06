/** One simple command of a script: its words, quotes removed. */
export type ShellCommand = readonly string[];

/** Where a script's parameters come from and where its assignments go. */
export interface ShellVariables {
  /** The value of a parameter, or undefined when nobody knows it. */
  lookup(name: string): string | undefined;
  /** Told of `NAME=value` in a command of its own, also after `export`. */
  assign(name: string, value: string): void;
}

/** What ends a simple command outside quotes. */
const SEPARATORS: ReadonlySet<string> = new Set([';', '&', '|', '\n', '(', ')', '`']);

/** What a redirection is written with. */
const REDIRECTIONS: ReadonlySet<string> = new Set(['<', '>']);

/** Programs that only set variables. */
const DECLARATIONS: ReadonlySet<string> = new Set(['export', 'local', 'readonly', 'declare', 'typeset']);

const ASSIGNMENT = /^([A-Za-z_][A-Za-z0-9_]*)=(.*)$/s;

/** Stands in a word for the output of a command, which nobody knows. */
const OUTPUT = '$()';

/** Characters that mean themselves wherever they stand, as many as there are in a row. */
const PLAIN = /[^\s\\'"$#<>;&|()`]+/y;

/** The same between double quotes, where only three characters mean something else. */
const PLAIN_QUOTED = /[^\\"$]+/y;

/**
 * Splits a POSIX shell script into its simple commands, so that `sh -c "a && exec kubelet --x=1"` shows both. It reads
 * words, quotes, backslashes, separators, comments and command substitutions in one pass; keywords and redirections stay
 * words. A parameter that the variables know is replaced, and split into words outside quotes; any other stays as it is
 * written. Whether a branch is ever taken is not asked.
 */
export function parseShellScript(script: string, variables: ShellVariables): ShellCommand[] {
  const reader = new ScriptReader(script, variables);
  return reader.read();
}

/** A command that waits until what stands in parentheses or backticks inside it has been read. */
interface OpenCommand {
  readonly opener: '$(' | '(' | '`';
  readonly words: string[];
  readonly word: string;
  readonly inWord: boolean;
}

class ScriptReader {
  private readonly script: string;
  private readonly variables: ShellVariables;
  private readonly commands: ShellCommand[] = [];
  private readonly open: OpenCommand[] = [];
  private words: string[] = [];
  private word = '';
  private inWord = false;
  private at = 0;

  constructor(script: string, variables: ShellVariables) {
    this.script = script;
    this.variables = variables;
  }

  read(): ShellCommand[] {
    while (this.at < this.script.length) this.step();
    while (this.open.length > 0) this.close(0);
    this.endCommand();
    return this.commands;
  }

  private step(): void {
    const char = this.script.charAt(this.at);
    if (char === '\\') this.escape();
    else if (char === "'") this.singleQuoted();
    else if (char === '"') this.doubleQuoted();
    else if (char === '$') this.dollar();
    else if (char === '#' && !this.inWord) this.comment();
    else if (REDIRECTIONS.has(char)) this.redirection(char);
    else if (SEPARATORS.has(char)) this.separator(char);
    else if (char === ' ' || char === '\t' || char === '\r') this.separateWord();
    else this.appendRun(PLAIN, char);
  }

  /** Takes a whole row of plain characters at once, or the one that is next. */
  private appendRun(plain: RegExp, char: string): void {
    plain.lastIndex = this.at;
    const run = plain.exec(this.script)?.[0] ?? char;
    this.append(run, run.length);
  }

  private append(text: string, length = 1): void {
    this.word += text;
    this.inWord = true;
    this.at += length;
  }

  private escape(): void {
    const next = this.script.charAt(this.at + 1);
    if (next === '\n') this.at += 2;
    else this.append(next === '' ? '\\' : next, 2);
  }

  private singleQuoted(): void {
    const end = this.script.indexOf("'", this.at + 1);
    const stop = end < 0 ? this.script.length : end;
    this.append(this.script.slice(this.at + 1, stop), stop + 1 - this.at);
  }

  private doubleQuoted(): void {
    this.append('');
    while (this.at < this.script.length && this.script.charAt(this.at) !== '"') {
      const char = this.script.charAt(this.at);
      if (char === '\\') this.escape();
      else if (char === '$') {
        const { text, length } = this.parameter();
        this.append(text, length);
      } else this.appendRun(PLAIN_QUOTED, char);
    }
    this.at += 1;
  }

  private dollar(): void {
    if (this.script.charAt(this.at + 1) === '(') return this.openCommand('$(');
    const { text, length } = this.parameter();
    const [first = '', ...others] = text.split(/[ \t\n]+/);
    if (first !== '') this.append(first, 0);
    for (const other of others) {
      this.endWord();
      if (other !== '') this.append(other, 0);
    }
    this.at += length;
  }

  /** What `$NAME`, `${NAME}`, `${NAME:-default}`, `$1` or `$@` stands for, and how long it is in the script. */
  private parameter(): { text: string; length: number } {
    const rest = this.script.slice(this.at, this.at + 200);
    const match = /^\$(?:([A-Za-z_][A-Za-z0-9_]*|[0-9@*])|\{([A-Za-z_][A-Za-z0-9_]*)(?::?[-=]([^}]*))?\})/.exec(rest);
    if (match === null) return { text: '$', length: 1 };
    const [whole, bare, braced, fallback] = match;
    return { text: this.variables.lookup(bare ?? braced ?? '') ?? fallback ?? whole, length: whole.length };
  }

  private comment(): void {
    const end = this.script.indexOf('\n', this.at);
    this.at = end < 0 ? this.script.length : end;
  }

  /** A redirection is a word of its own, with the number before it and what follows it: `--v=2 2>>/log`. */
  private redirection(char: string): void {
    const before = this.script.charAt(this.at - 1);
    const goesOn = REDIRECTIONS.has(before) || before === '&' || /^[0-9]+$/.test(this.word);
    if (!goesOn) this.endWord();
    this.append(char);
  }

  private separator(char: string): void {
    const isInBackticks = this.open.at(-1)?.opener === '`';
    if (this.isText(char)) this.append(char);
    else if (char === '(' || (char === '`' && !isInBackticks)) this.openCommand(char);
    else if (char === ')' || char === '`') this.close(1);
    else {
      this.endCommand();
      this.at += 1;
    }
  }

  /** A parenthesis inside a word is text, and so is the `&` of a redirection such as `2>&1` or `&>/log`. */
  private isText(char: string): boolean {
    if (char === '(') return this.inWord;
    const before = this.script.charAt(this.at - 1);
    return char === '&' && (REDIRECTIONS.has(before) || this.script.charAt(this.at + 1) === '>');
  }

  private openCommand(opener: OpenCommand['opener']): void {
    this.open.push({ opener, words: this.words, word: this.word, inWord: this.inWord });
    this.words = [];
    this.word = '';
    this.inWord = false;
    this.at += opener.length;
  }

  /** Ends what was opened last, with a sign of so many characters. */
  private close(length: 0 | 1): void {
    this.endCommand();
    this.at += length;
    const outer = this.open.pop();
    if (outer === undefined) return;
    this.words = outer.words;
    this.word = outer.word;
    this.inWord = outer.inWord;
    if (outer.opener !== '(') this.append(OUTPUT, 0);
  }

  private separateWord(): void {
    this.endWord();
    this.at += 1;
  }

  private endWord(): void {
    if (this.inWord) this.words.push(this.word);
    this.word = '';
    this.inWord = false;
  }

  private endCommand(): void {
    this.endWord();
    if (this.words.length > 0) this.commands.push(this.words);
    const [first = '', ...others] = this.words;
    const settings = DECLARATIONS.has(first) ? others : this.words;
    if (settings.every((word) => ASSIGNMENT.test(word))) this.assignAll(settings);
    this.words = [];
  }

  private assignAll(settings: readonly string[]): void {
    for (const setting of settings) {
      const [, name = '', value = ''] = ASSIGNMENT.exec(setting) ?? [];
      this.variables.assign(name, value);
    }
  }
}
