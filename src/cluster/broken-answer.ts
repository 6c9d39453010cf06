/** The API server, or something in between, said what cannot be: nothing that was not read anew is believed. */
export class BrokenAnswer extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'BrokenAnswer';
  }
}
