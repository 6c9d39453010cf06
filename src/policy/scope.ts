import type { Labels } from '../kube/labels.ts';
import type { Lookup } from '../rbac/grants-view.ts';
import type { Policy } from './document.ts';
import { MODES, MODE_PROFILES, type Mode, type ModeProfile, type ModeProfiles } from './mode.ts';
import { matchesAny } from './wildcard.ts';

/** The prefix of every label and annotation of ours. */
export const LABEL_PREFIX = 'scrapeguard.io/';

/** The profile of each mode for one object; `uncertain` when its namespace's labels could not be read. */
export interface Scope {
  readonly profiles: ModeProfiles;
  readonly uncertain: boolean;
}

/** The scope of everything that lives outside every namespace. */
export function clusterScope(policy: Policy): Scope {
  return { profiles: policy.clusterScoped, uncertain: false };
}

/**
 * The scope of a namespace's objects: its labels over the policy's defaults. A namespace that does not exist has no
 * labels; one that nobody could read is judged as strict, and its violations are answered like an unknown.
 */
export function namespaceScope(policy: Policy, labels: Lookup<Labels>): Scope {
  switch (labels) {
    case 'not found':
      return { profiles: policy.defaults, uncertain: false };
    case 'unknown':
      return { profiles: { enforce: 'strict', warn: 'strict', audit: 'strict' }, uncertain: true };
    default:
      return { profiles: profilesOf(policy.defaults, labels), uncertain: false };
  }
}

/** The profiles that a namespace's labels ask for; an absent or invalid value counts as the default. */
export function profilesOf(defaults: ModeProfiles, labels: Labels): ModeProfiles {
  if (!MODES.some((mode) => Object.hasOwn(labels, modeLabel(mode)))) return defaults;
  const profile = (mode: Mode): ModeProfile => asModeProfile(labels[modeLabel(mode)]) ?? defaults[mode];
  return { enforce: profile('enforce'), warn: profile('warn'), audit: profile('audit') };
}

/** The namespace label of a mode: `scrapeguard.io/enforce`. */
export function modeLabel(mode: Mode): string {
  return `${LABEL_PREFIX}${mode}`;
}

/** A label's value as a profile, or undefined when it is none. */
export function asModeProfile(value: string | undefined): ModeProfile | undefined {
  return MODE_PROFILES.find((profile) => profile === value);
}

/** True when the policy leaves a namespace's objects out altogether. */
export function isExcludedNamespace(policy: Policy, namespace: string): boolean {
  return namespace !== '' && matchesAny(policy.excludedNamespaces, namespace);
}
