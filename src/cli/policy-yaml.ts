import { Document, isMap, isSeq, visit, type YAMLSeq } from 'yaml';

import type { PolicyDocument } from '../policy/document.ts';
import type { Expectation, ExpectedHolder, InitialExpectations } from '../policy/initial-policy.ts';
import { oneLine, shorten } from '../policy/message.ts';

/** Text that no reader of YAML 1.1 or 1.2 takes for a number; the library itself quotes words such as `on`. */
const PLAIN_TEXT = /^(?:[A-Za-z][ -~]*|[0-9]+[A-Za-z]+)$/;

/** What YAML 1.1 takes for a line break, or forbids, and the library leaves as it is in quoted text. */
const LINE_BREAKS_OF_OLD = /[\u007F-\u009F\u2028\u2029\uFEFF\uFFFE\uFFFF]/g;

/** A policy as YAML that Kubernetes' own readers read back as the same policy. */
export function policyYaml(policy: PolicyDocument): string {
  return textOf(new Document(policy, { version: '1.1', aliasDuplicateObjects: false }));
}

const HEAD = ` Who holds a capability today, Kubernetes' own subjects left out: prune it by hand. Whoever stays is expected, and
 everybody else is refused where the rules about grants are enforced. What is not written here is at its default;
 \`scrapeguard policy show FILE\` prints it all.`;

/** A policy that expects who is given, with comments that say by which binding. */
export function initialPolicyYaml({ expectations }: InitialExpectations): string {
  const document = new Document(
    {
      apiVersion: 'scrapeguard.io/v1alpha1',
      kind: 'MetricsPolicy',
      metadata: { name: 'initial' },
      spec: { expectedSubjects: expectations.map(entryOf) },
    },
    { version: '1.1', aliasDuplicateObjects: false },
  );
  document.commentBefore = HEAD;
  for (const [index, { subjects }] of expectations.entries()) {
    const capabilities = document.getIn(['spec', 'expectedSubjects', index, 'capabilities']);
    if (isSeq(capabilities)) capabilities.flow = true;
    const list = document.getIn(['spec', 'expectedSubjects', index, 'subjects']);
    if (isSeq(list)) annotate(list, subjects);
  }
  return textOf(document);
}

function entryOf({ capabilities, subjects }: Expectation): object {
  const bindings = [...new Set(subjects.flatMap((each) => each.bindings))];
  return {
    capabilities,
    subjects: subjects.map(({ subject: { kind, name, ...rest } }) =>
      'namespace' in rest ? { kind, namespace: rest.namespace, name } : { kind, name },
    ),
    reason: `holds it today by ${bindingWords(bindings)}; say here what for`,
  };
}

/** Each subject on a line, with its bindings behind it. */
function annotate(list: YAMLSeq, subjects: readonly ExpectedHolder[]): void {
  for (const [index, item] of list.items.entries()) {
    const holder = subjects[index];
    if (!isMap(item) || holder === undefined) continue;
    item.flow = true;
    item.comment = ` ${bindingWords(holder.bindings)}${holder.isLimited ? ', for some names or paths only' : ''}`;
  }
}

const MOST_BINDINGS = 3;
const LONGEST_NAME = 60;

function bindingWords(bindings: readonly string[]): string {
  const shown = bindings.slice(0, MOST_BINDINGS).map((name) => oneLine(shorten(name, LONGEST_NAME)));
  const more = bindings.length > MOST_BINDINGS ? ` and ${bindings.length - MOST_BINDINGS} more` : '';
  return `ClusterRoleBinding${bindings.length > 1 ? 's' : ''} ${shown.join(', ')}${more}`;
}

function textOf(document: Document): string {
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
