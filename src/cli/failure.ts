/** A failure that a user can mend: its message is all that is shown, and the process ends with 2. */
export class Failure extends Error {
  constructor(message: string, cause?: unknown) {
    super(message, { cause });
    this.name = 'Failure';
  }
}
