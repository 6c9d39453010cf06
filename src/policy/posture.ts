import type { Labels } from '../kube/labels.ts';
import type { Policy } from './document.ts';
import { MODE_PROFILES, type Mode, type ModeProfile } from './mode.ts';
import { isExcludedNamespace, LABEL_PREFIX, profilesOf } from './scope.ts';
import { matchesAny } from './wildcard.ts';

/** The namespace label that chooses injection. */
export const INJECT_LABEL = `${LABEL_PREFIX}inject`;

/** The values that the label may have. */
export const INJECT_VALUES = ['enabled', 'disabled'] as const;

/** What a policy and a namespace's own labels come to: the profile of each mode, and whether its pods are injected. */
export interface Posture {
  readonly profiles: Readonly<Record<Mode, ModeProfile>>;
  readonly isInjected: boolean;
}

/** The posture of a namespace with these labels; an invalid value counts as an absent one. */
export function postureOf(policy: Policy, namespace: string, labels: Labels): Posture {
  return {
    profiles: profilesOf(policy.defaults, labels),
    isInjected: isInjected(policy, namespace, labels),
  };
}

/** True when one profile asks for fewer rules than another. */
export function isLower(profile: ModeProfile, than: ModeProfile): boolean {
  return MODE_PROFILES.indexOf(profile) < MODE_PROFILES.indexOf(than);
}

/** True when annotated pods of a namespace with these labels get a sidecar, or would, if injection is only reported. */
function isInjected(policy: Policy, namespace: string, labels: Labels): boolean {
  const { select, excludedNamespaces } = policy.injection;
  if (isExcludedNamespace(policy, namespace) || matchesAny(excludedNamespaces, namespace)) return false;
  const label = labels[INJECT_LABEL];
  switch (select) {
    case 'off':
      return false;
    case 'labelled':
      return label === 'enabled';
    case 'annotated':
      return label !== 'disabled';
  }
}
