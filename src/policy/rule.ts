import type { Static, TObject } from 'typebox';

import type { Operation, UserInfo } from '../kube/admission-review.ts';
import type { JsonObject } from '../kube/json.ts';
import type { JsonPointer } from '../kube/pointer.ts';
import type { ResourceName } from '../kube/resources.ts';
import type { ClusterView } from './cluster-view.ts';
import type { Policy } from './document.ts';
import type { ExpectedSubjects } from './expected-subjects.ts';
import type { Profile } from './mode.ts';

/** How bad it is when the rule is right. */
export type Severity = 'low' | 'medium' | 'high' | 'critical';

/**
 * One sentence that a rule can say. `{{name}}` stands for a value of the finding's data. A violation is refused where
 * the rule is enforced; advice is a warning at most; unknown says that the cluster did not answer.
 */
export interface Message {
  readonly level: 'violation' | 'advice' | 'unknown';
  readonly text: string;
  /** How to fix this case, where it differs from the rule's own remediation; with placeholders as in the text. */
  readonly remediation?: string;
}

/** What a rule is asked about: rows of RESOURCES; `templates` stands for every kind that carries a pod template. */
export type Target = ResourceName | 'templates';

/** What a rule reads of the cluster; the service account's permissions are made from it. */
export type ClusterFact = 'namespace' | 'clusterrole' | 'rbac-index' | 'version';

/** Everything about a rule that documentation, webhook registrations and permissions are made from. */
export interface RuleMeta<MessageId extends string = string> {
  /** Kebab-case; also the name of the rule's file, page and examples. */
  readonly id: string;
  readonly title: string;
  readonly severity: Severity;
  /** The smallest profile that includes the rule. */
  readonly profile: Profile;
  readonly targets: readonly Target[];
  /** `pod`: a template is handed over as the Pod it makes. `object`: everything is handed over as it is. */
  readonly judges: 'pod' | 'object';
  /** True when files hold what the rule looks for in kinds that no API server admits: it is asked about every one. */
  readonly anyKind?: true;
  /** True when the rule compares `oldObject` itself; otherwise an UPDATE is judged on the findings it adds. */
  readonly comparesItself?: true;
  /** True when the rule judges grants: `expectedSubjects` is its exception, and a policy's `exceptions` may not name it. */
  readonly judgesGrants?: true;
  readonly reads: readonly ClusterFact[];
  readonly rationale: string;
  readonly remediation: string;
  /** Pages of Kubernetes, a benchmark or an advisory that the rule rests on. */
  readonly references: readonly string[];
  /** Controls of published benchmarks: 'CIS 4.2.4'. */
  readonly controls: readonly string[];
  readonly messages: Readonly<Record<MessageId, Message>>;
}

/** What a rule's check says of one object: which message, where, and the values for its placeholders. */
export interface Observation<MessageId extends string = string> {
  readonly messageId: MessageId;
  /** The place in the object that was handed over. */
  readonly path: JsonPointer;
  readonly data?: Readonly<Record<string, string | number>>;
  /** True when another writer would not have been told this: without a request the finding says whom it assumes. */
  readonly dependsOnWriter?: true;
}

/** What a rule knows besides the object; the last three are absent outside admission. */
export interface RuleContext<Params = unknown> {
  readonly params: Params;
  readonly policy: Policy;
  /** Whom the policy, and Kubernetes itself, expects to have what. */
  readonly expected: ExpectedSubjects;
  readonly view: ClusterView;
  /** The namespace that the object lives in, '' outside every namespace. */
  readonly namespace: string;
  /** True when the Pod that is handed over is one that a template will make. */
  readonly isTemplate: boolean;
  readonly operation?: Operation;
  readonly oldObject?: JsonObject;
  readonly writer?: UserInfo;
}

/** A rule as the engine holds it: metadata, the schema of its parameters with their defaults, and the check. */
export interface Rule {
  readonly meta: RuleMeta;
  readonly params: TObject;
  check(object: JsonObject, context: RuleContext): Iterable<Observation>;
}

/** A rule as its file states it: message ids and parameters are checked by the compiler. */
export interface RuleDefinition<MessageId extends string, Params extends TObject> {
  readonly meta: RuleMeta<MessageId>;
  readonly params: Params;
  check(object: JsonObject, context: RuleContext<Static<Params>>): Iterable<Observation<NoInfer<MessageId>>>;
}

/** Makes a rule of its definition; an observation with an id that has no message does not compile. */
export function defineRule<MessageId extends string, Params extends TObject>(
  definition: RuleDefinition<MessageId, Params>,
): Rule {
  return definition;
}

/** The page of a rule. */
export function docsUrl(ruleId: string): string {
  return `https://scrapeguard.io/rules/${ruleId}`;
}
