import packageJson from '../../package.json' with { type: 'json' };

/** The version of this release: `0.1.0`. */
export const VERSION: string = packageJson.version;
