import { Type, type Static, type TObject } from 'typebox';

import { CAPABILITIES } from '../rbac/capabilities.ts';
import type { Rule } from './rule.ts';

// The policy document, authored once: its type, its defaults, its validation and the published JSON Schema come from
// here. A field without a default is required.

const CLOSED = { additionalProperties: false } as const;

/** The modes that a cap may name, strongest first. */
const CAPS = ['enforce', 'warn', 'audit', 'off'] as const;
const PROFILES = ['off', 'baseline', 'strict'] as const;

const Text = Type.String({ minLength: 1 });
const Pattern = Type.String({ minLength: 1, description: 'A name; * stands for any run of characters.' });
const QUANTITY = {
  pattern: '^[0-9]+(?:\\.[0-9]+)?(?:m|k|Ki|M|Mi|G|Gi)?$',
  description: 'A quantity, such as 10m or 64Mi.',
} as const;

const modeProfiles = (description: string) =>
  Type.Object(
    {
      enforce: Type.Enum(PROFILES, { default: 'baseline' }),
      warn: Type.Enum(PROFILES, { default: 'strict' }),
      audit: Type.Enum(PROFILES, { default: 'strict' }),
    },
    { ...CLOSED, default: {}, description },
  );

const SubjectSchema = Type.Object(
  {
    kind: Type.Enum(['User', 'Group', 'ServiceAccount']),
    name: Pattern,
    namespace: Type.Optional(Pattern),
  },
  {
    ...CLOSED,
    description: 'A User, a Group, or a ServiceAccount with its namespace.',
    // An account without a namespace would be one of every namespace, for anyone to make.
    if: { properties: { kind: { const: 'ServiceAccount' } }, required: ['kind'] },
    // oxlint-disable-next-line unicorn/no-thenable -- a keyword of JSON Schema
    then: { required: ['namespace'] },
    else: { properties: { namespace: false } },
  },
);

const TemplateKindSchema = Type.Object(
  {
    group: Type.String({ description: 'The API group, empty for the core group.' }),
    resource: Text,
    kind: Text,
    path: Type.String({
      pattern: '^(?:/[^/]+)+$',
      description: 'The JSON Pointer of the pod template; * stands for every item of a list.',
    }),
  },
  CLOSED,
);

const ExpectedSubjectsSchema = Type.Object(
  {
    capabilities: Type.Array(Type.Enum(CAPABILITIES), { minItems: 1 }),
    subjects: Type.Array(SubjectSchema, { minItems: 1 }),
    reason: Text,
  },
  CLOSED,
);

const ExceptionSchema = Type.Object(
  {
    name: Text,
    rules: Type.Array(Text, { minItems: 1 }),
    namespaces: Type.Array(Pattern, { minItems: 1, default: ['*'] }),
    kinds: Type.Array(Text, { minItems: 1, default: ['*'] }),
    names: Type.Array(Pattern, { minItems: 1, default: ['*'] }),
    reason: Text,
    owner: Type.Optional(Text),
    expires: Type.String({
      pattern: '^[0-9]{4}-[0-9]{2}-[0-9]{2}$',
      description: 'The last valid day, UTC: 2027-03-31.',
    }),
  },
  CLOSED,
);

const resourceList = (cpu: string, memory: string) =>
  Type.Object(
    { cpu: Type.String({ ...QUANTITY, default: cpu }), memory: Type.String({ ...QUANTITY, default: memory }) },
    { ...CLOSED, default: {} },
  );

const InjectionSchema = Type.Object(
  {
    select: Type.Enum(['off', 'labelled', 'annotated'], {
      default: 'annotated',
      description:
        'labelled: pods of namespaces with scrapeguard.io/inject=enabled; annotated: every pod that annotates a metrics port.',
    }),
    mode: Type.Enum(['apply', 'report'], {
      default: 'apply',
      description: 'report: say what would be injected and change nothing.',
    }),
    excludedNamespaces: Type.Array(Pattern, { default: ['kube-system'] }),
    image: Type.String({ minLength: 1, default: 'quay.io/brancz/kube-rbac-proxy:v0.22.1' }),
    imagePullSecrets: Type.Array(Text, { default: [] }),
    resources: Type.Object(
      { requests: resourceList('10m', '20Mi'), limits: resourceList('100m', '64Mi') },
      { ...CLOSED, default: {} },
    ),
    runAsUser: Type.Unsafe<number | null>({
      type: ['integer', 'null'],
      minimum: 1,
      default: 65532,
      description: 'The user id of the sidecar; null leaves it to the platform (OpenShift).',
    }),
    audiences: Type.Array(Text, { default: [], description: 'The audiences that a scraper token must be for.' }),
    upstreamHost: Type.String({ minLength: 1, default: '127.0.0.1' }),
    hostNetwork: Type.Enum(['skip', 'allow'], { default: 'skip' }),
    tokenVolume: Type.Enum(['auto', 'always'], {
      default: 'auto',
      description: 'always: the sidecar gets a projected token of its own even where the pod mounts one.',
    }),
  },
  { ...CLOSED, default: {}, description: 'How a kube-rbac-proxy is put in front of annotated metrics ports.' },
);

const MaximumMode = Type.Enum(CAPS, {
  default: 'enforce',
  description: 'A cap: a stronger mode counts as this one.',
});

const SPEC_FIELDS = {
  defaults: modeProfiles('The profile of each mode in namespaces that carry no label of ours.'),
  clusterScoped: modeProfiles('The same for ClusterRoles, ClusterRoleBindings and Namespaces.'),
  maximumMode: MaximumMode,
  enforceTemplates: Type.Boolean({
    default: false,
    description: 'Refuse a workload whose pods would be refused, instead of warning its author.',
  }),
  templateKinds: Type.Array(TemplateKindSchema, {
    default: [],
    description: 'More kinds that carry a pod template; Deployments to Argo Rollouts are built in.',
  }),
  excludedNamespaces: Type.Array(Pattern, { default: ['kube-node-lease', 'scrapeguard-system'] }),
  administrators: Type.Array(SubjectSchema, {
    default: [
      { kind: 'Group', name: 'system:masters' },
      { kind: 'Group', name: 'kubeadm:cluster-admins' },
    ],
    description: "Who may lower a namespace's posture.",
  }),
  breakGlass: Type.Array(SubjectSchema, {
    default: [],
    description: 'Whose writes are let through all the same, with a warning, an audit annotation and a metric.',
  }),
  expectedSubjects: Type.Array(ExpectedSubjectsSchema, { default: [] }),
  injection: InjectionSchema,
  exceptions: Type.Array(ExceptionSchema, { default: [] }),
};

/** Who: a User, a Group, or a ServiceAccount; names may hold `*`. */
export type SubjectPattern = Static<typeof SubjectSchema>;

/** One exception of a policy, complete. */
export type Exception = Static<typeof ExceptionSchema>;

/** How sidecars are injected, complete. */
export type InjectionPolicy = Static<typeof InjectionSchema>;

/** A mode, or `off`, that a stronger one counts as. */
export type Cap = (typeof CAPS)[number];

/** The settings of one rule; `params` is of the shape that the rule's own schema gives. */
export interface RuleSettings {
  readonly params: unknown;
  readonly maximumMode: Cap;
}

const SpecWithoutRules = Type.Object(SPEC_FIELDS, CLOSED);

/** The spec of a MetricsPolicy with every default filled in, settings for every rule among them. */
export type Policy = Static<typeof SpecWithoutRules> & { readonly rules: Readonly<Record<string, RuleSettings>> };

/** A whole policy document, complete. */
export interface PolicyDocument {
  readonly apiVersion: 'scrapeguard.io/v1alpha1';
  readonly kind: 'MetricsPolicy';
  readonly metadata: { readonly name: string };
  readonly spec: Policy;
}

/** The JSON Schema of a policy over a set of rules, each with its own parameters; absent fields take their defaults. */
export function policySchema(rules: readonly Rule[]): TObject {
  const settings = rules.map(({ meta, params }) => [
    meta.id,
    Type.Object(
      { params: Type.Object(params.properties, { ...CLOSED, default: {} }), maximumMode: MaximumMode },
      { ...CLOSED, default: {}, description: meta.title },
    ),
  ]);
  return Type.Object(
    {
      apiVersion: Type.Literal('scrapeguard.io/v1alpha1'),
      kind: Type.Literal('MetricsPolicy'),
      metadata: Type.Object({ name: Type.String({ minLength: 1, default: 'default' }) }, { ...CLOSED, default: {} }),
      spec: Type.Object(
        { ...SPEC_FIELDS, rules: Type.Object(Object.fromEntries(settings), { ...CLOSED, default: {} }) },
        { ...CLOSED, default: {} },
      ),
    },
    CLOSED,
  );
}
