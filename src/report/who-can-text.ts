import { oneLine } from '../policy/message.ts';
import { objectName } from './object-name.ts';
import type { ReportedSubject } from './report.ts';
import type { Style } from './text.ts';
import type { DanglingBinding, Holder, NamedBinding, Way, WhoCan } from './who-can.ts';

/** The answer as a tree for a person: subject, its bindings, the role of each, and what that is aggregated from. */
export function formatWhoCan(answer: WhoCan, style: Style): string {
  const trees = answer.holders.map((holder) => treeOf(holder, style).join('\n'));
  const blocks = [headingOf(answer), ...trees, ...notesOn(answer, style)];
  return blocks.map((block) => `${block}\n`).join('\n');
}

function headingOf({ question, holders }: WhoCan): string {
  const own = holders.filter(({ isKubernetes }) => isKubernetes).length;
  if (holders.length === 0) return `Nobody has "${oneLine(question)}".`;
  const others = holders.length - own;
  if (others === 0) return `Nobody has "${oneLine(question)}" but ${own} of Kubernetes' own subjects.`;
  const also = own === 0 ? '' : `, and ${own} of Kubernetes' own`;
  return `${others} ${others === 1 ? 'subject has' : 'subjects have'} "${oneLine(question)}"${also}.`;
}

function treeOf({ subject, isKubernetes, ways }: Holder, style: Style): string[] {
  const marks = [crowdOf(subject), isKubernetes ? "Kubernetes' own" : ''].filter((mark) => mark !== '');
  const name = style(isKubernetes ? 'quiet' : 'heading', subjectName(subject));
  const first = marks.length === 0 ? name : `${name} ${style('quiet', `(${marks.join('; ')})`)}`;
  return [first, ...ways.flatMap((way, index) => branchOf(way, index === ways.length - 1, style))];
}

function branchOf(way: Way, isLast: boolean, style: Style): string[] {
  const { binding, isDefaultBinding, roles, rule, how, scopes } = way;
  const margin = isLast ? '   ' : '│  ';
  const place = binding.namespace === '' ? '' : `, in namespace ${oneLine(binding.namespace)} only`;
  const own = isDefaultBinding ? style('quiet', " (Kubernetes' default)") : '';
  const lines = roles.map(({ kind, name }, depth) => {
    const from = depth === 0 ? '' : 'aggregated from ';
    const end = depth === roles.length - 1 ? style('quiet', ruleWords({ rule, how, scopes: scopes ?? [] })) : '';
    return `${margin}${'   '.repeat(depth)}└─ ${from}${kind} ${oneLine(name)}${end}`;
  });
  return [`${isLast ? '└─' : '├─'} ${bindingName(binding)}${place}${own}`, ...lines];
}

const MOST_SCOPES = 5;

function ruleWords({ rule, how, scopes }: Required<Pick<Way, 'rule' | 'how' | 'scopes'>>): string {
  const shown = scopes.slice(0, MOST_SCOPES).map(oneLine).join(', ');
  const more = scopes.length > MOST_SCOPES ? ` and ${scopes.length - MOST_SCOPES} more` : '';
  const only = scopes.length === 0 ? '' : `, only ${shown}${more}`;
  return `, rules[${rule}]${how === 'wildcard' ? ', by a wildcard' : ''}${only}`;
}

const MOST_NOTES = 5;

function notesOn({ ineffective, dangling }: WhoCan, style: Style): string[] {
  return [
    notes(
      'These give nothing, for it is asked for in no namespace and they hold within one:',
      ineffective.map(bindingName),
      style,
    ),
    notes('These give whatever a role of the name will have, which does not exist:', dangling.map(danglingLine), style),
  ].filter((block) => block !== '');
}

function notes(heading: string, lines: readonly string[], style: Style): string {
  if (lines.length === 0) return '';
  const shown = lines.slice(0, MOST_NOTES).map((line) => `  ${line}`);
  const more = lines.length > MOST_NOTES ? [`  and ${lines.length - MOST_NOTES} more (-o json has all)`] : [];
  return [style('warn', heading), ...shown, ...more].join('\n');
}

function danglingLine({ binding, role, nearest, subjects }: DanglingBinding): string {
  const meant = nearest === undefined ? '' : `; did you mean ${oneLine(nearest)}?`;
  const [first] = subjects;
  const more = subjects.length > 1 ? ` and ${subjects.length - 1} more` : '';
  const whom = first === undefined ? '' : ` for ${subjectName(first)}${more}`;
  return `${bindingName(binding)}${whom}: ClusterRole ${oneLine(role)}${meant}`;
}

function bindingName({ kind, namespace, name }: NamedBinding): string {
  return objectName({ apiVersion: '', kind, namespace, name });
}

function subjectName({ kind, namespace, name }: ReportedSubject): string {
  return objectName({ apiVersion: '', kind, namespace, name });
}

/** Whom a group or the anonymous user stands for, or ''. */
function crowdOf({ kind, name }: ReportedSubject): string {
  if (kind === 'Group' && name.startsWith('system:serviceaccounts:')) return 'every service account of the namespace';
  return CROWDS[`${kind} ${name}`] ?? '';
}

const CROWDS: Readonly<Record<string, string>> = {
  'Group system:authenticated': 'everybody who has logged in',
  'Group system:unauthenticated': 'everybody who has not logged in',
  'Group system:serviceaccounts': 'every service account',
  'User system:anonymous': 'everybody who has not logged in',
};
