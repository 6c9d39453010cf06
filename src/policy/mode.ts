/** What a finding does: refuse the write, warn its author, or only be recorded. Pod Security's three. */
export type Mode = 'enforce' | 'warn' | 'audit';

/** The modes, strongest first. */
export const MODES: readonly Mode[] = ['enforce', 'warn', 'audit'];

/** A set of rules; `baseline` is part of `strict`. */
export type Profile = 'baseline' | 'strict';

/** The profile that a mode asks for, or none. */
export type ModeProfile = 'off' | Profile;

/** The values that a namespace label of ours may have, weakest first. */
export const MODE_PROFILES: readonly ModeProfile[] = ['off', 'baseline', 'strict'];

/** The profile of each mode. */
export type ModeProfiles = Readonly<Record<Mode, ModeProfile>>;

/** True when a profile that a mode asks for includes rules of the given one. */
export function includesProfile(asked: ModeProfile, profile: Profile): boolean {
  return asked === 'strict' || asked === profile;
}

/** The strongest mode in which a rule of this profile counts; undefined when it counts in none. */
export function strongestMode(profiles: ModeProfiles, profile: Profile): Mode | undefined {
  return MODES.find((mode) => includesProfile(profiles[mode], profile));
}

/** The weaker of two modes. */
export function weakerMode(a: Mode, b: Mode): Mode {
  return MODES.indexOf(a) > MODES.indexOf(b) ? a : b;
}

/** True when a mode is at least as strong as another. */
export function isAtLeast(mode: Mode, threshold: Mode): boolean {
  return MODES.indexOf(mode) <= MODES.indexOf(threshold);
}
