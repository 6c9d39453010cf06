import type { ObjectRef } from '../kube/object.ts';
import { oneLine } from '../policy/message.ts';

/** An object's names in a sentence or a heading: `Pod default/web`, on one line whatever they hold. */
export function objectName({ kind, namespace, name }: ObjectRef): string {
  const full = namespace === '' || name === '' ? name : `${namespace}/${name}`;
  return oneLine([kind || '(no kind)', full].filter((part) => part !== '').join(' '));
}
