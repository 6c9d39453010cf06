import { Document, isScalar, visit } from 'yaml';

/**
 * A value as YAML of the kind people write: lists of scalars on one line, nothing folded, and quotes around every string
 * that YAML 1.1 (which Kubernetes reads) would take for a date, a number or a boolean.
 */
export function yamlText(value: unknown): string {
  const document = new Document(value, { version: '1.1', aliasDuplicateObjects: false });
  // The version is there for its quoting, not to be written down.
  document.directives = undefined;
  visit(document, {
    Seq(_, node) {
      node.flow = node.items.every((item) => isScalar(item));
    },
  });
  return document.toString({ lineWidth: 0, flowCollectionPadding: false, indentSeq: false, directives: false });
}
