import { companionsOf } from '../admission/companions.ts';
import { injectObject, type PodInjection } from '../admission/inject-object.ts';
import type { Manifest } from '../manifests/manifests.ts';
import { isFaithful, splicesOf, type ManifestEdit } from '../manifests/edit.ts';
import type { PatchOperation } from '../manifests/draft.ts';
import type { Splice } from '../manifests/splice.ts';
import type { JsonObject } from '../kube/json.ts';
import { TEMPLATE_KINDS } from '../kube/templates.ts';
import { viewOf } from '../policy/cluster-view.ts';
import type { Policy } from '../policy/document.ts';
import type { LoadedText } from './load-manifests.ts';

/** An object of a file, and what becomes of its pods. */
export interface InjectedManifest {
  readonly manifest: Manifest;
  readonly pods: readonly PodInjection[];
  /** What changes in the object: nothing where the policy only wants a report. */
  readonly patch: readonly PatchOperation[];
}

/** A file, its objects, and the replacements that put the proxies into its text. */
export interface InjectedFile {
  readonly file: string;
  readonly text: string;
  readonly objects: readonly InjectedManifest[];
  readonly splices: readonly Splice[];
}

/** Decides about every pod of the files, in a view of all of them together. */
export function injectFiles(files: readonly LoadedText[], policy: Policy): InjectedFile[] {
  const view = viewOf(files.flatMap(({ manifests }) => manifests.map(({ object }) => object)));
  const setting = { policy, templateKinds: [...TEMPLATE_KINDS, ...policy.templateKinds], view };
  const isReport = policy.injection.mode === 'report';
  return files.map(({ file, text, manifests }) => {
    const objects = manifests.map((manifest) => {
      const pods = injectObject(manifest.object, setting);
      return { manifest, pods, patch: isReport ? [] : pods.flatMap(({ patch }) => patch.filter(isEdit)) };
    });
    return { file, text, objects, splices: splicesOf(text, objects satisfies readonly ManifestEdit[]) };
  });
}

/** True for a file whose text, with the proxies put in, holds nothing but what it should. */
export function isWellEdited({ text, objects, splices }: InjectedFile): boolean {
  return isFaithful(text, objects, splices);
}

/** A file in whose text nothing is changed. */
export function asItIs(file: InjectedFile): InjectedFile {
  return { ...file, splices: [] };
}

/** What the injected pods of the files need besides themselves. */
export function companionsIn(files: readonly InjectedFile[]): readonly JsonObject[] {
  const pods = files.flatMap(({ objects }) => objects.flatMap((object) => object.pods));
  return companionsOf(pods.flatMap(({ lacking }) => lacking ?? []));
}

/** True for the operations of which patches of ours are made. */
function isEdit(operation: PodInjection['patch'][number]): operation is PatchOperation {
  return operation.op === 'add' || operation.op === 'replace' || operation.op === 'remove';
}
