/** Why a document cannot be read, at an offset of its text; caught where documents are read, it never leaves this folder. */
export class Unreadable extends Error {
  readonly offset: number;

  constructor(offset: number, message: string) {
    super(message);
    this.name = 'Unreadable';
    this.offset = offset;
  }
}

/** Something about a readable document that a person should know. */
export interface Remark {
  readonly offset: number;
  readonly message: string;
  /** An earlier place that the message is about, too. */
  readonly earlier?: number;
}

/** The deepest nesting that is read: a Kubernetes object has a few dozen levels, and recursion must stay safe. */
export const DEEPEST = 300;
