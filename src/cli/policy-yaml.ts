import { Document, visit } from 'yaml';

import type { PolicyDocument } from '../policy/document.ts';

/** Text that no reader of YAML 1.1 or 1.2 takes for a number; the library itself quotes words such as `on`. */
const PLAIN_TEXT = /^(?:[A-Za-z][ -~]*|[0-9]+[A-Za-z]+)$/;

/** What YAML 1.1 takes for a line break, or forbids, and the library leaves as it is in quoted text. */
const LINE_BREAKS_OF_OLD = /[\u007F-\u009F\u2028\u2029\uFEFF\uFFFE\uFFFF]/g;

/** A policy as YAML that Kubernetes' own readers read back as the same policy. */
export function policyYaml(policy: PolicyDocument): string {
  const document = new Document(policy, { version: '1.1', aliasDuplicateObjects: false });
  visit(document, {
    Scalar(_key, scalar) {
      if (typeof scalar.value === 'string' && !PLAIN_TEXT.test(scalar.value)) scalar.type = 'QUOTE_DOUBLE';
    },
  });
  return document.toString({ lineWidth: 0, directives: false }).replace(LINE_BREAKS_OF_OLD, escape);
}

function escape(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}
