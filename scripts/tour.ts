// What `npm run cluster` invites to: one story, told to a person by the script and tried by its suite.

/** A command as it is typed in a shell, and what comes of it. */
export interface TourStep {
  readonly command: string;
  /** What is to be seen, in a sentence. */
  readonly expected: string;
  /** 0 unless told. */
  readonly exitCode?: number;
  /** What stdout and stderr have to hold. */
  readonly shows: readonly RegExp[];
  /** True where it is seen a moment later, and typing it again does no harm. */
  readonly takesTime?: boolean;
}

const PROMETHEUS = '{kind: ServiceAccount, namespace: monitoring, name: prometheus}';
const CONTAINERS = "-o custom-columns='POD:.metadata.name,CONTAINERS:.spec.containers[*].name'";

/** The steps, in order; each builds on those before it. */
export const TOUR: readonly TourStep[] = [
  {
    command: 'kubectl apply -f scripts/tour/shop.yaml',
    expected: 'A namespace whose labels ask for every rule and for proxies, and a Deployment with an annotated port.',
    shows: [/^namespace\/shop created$/m, /^deployment\.apps\/web created$/m],
  },
  {
    command: `kubectl get pods -n shop ${CONTAINERS}`,
    expected: 'Its pod came with a kube-rbac-proxy, and so it was let in. There is no node: it stays Pending.',
    shows: [/^web-\S+ +web,kube-rbac-proxy$/m],
    takesTime: true,
  },
  {
    command: 'kubectl run sibling -n shop --image=nginx --port=10255',
    expected: "A sibling is refused: it declares the kubelet's read-only port.",
    exitCode: 1,
    shows: [/^Error from server \(Forbidden\): admission webhook "pods\.validate\S+ denied .* declares port 10255/m],
  },
  {
    command: 'kubectl apply -f scripts/tour/prometheus.yaml',
    expected: 'The role that reads /metrics is made; its binding is refused, with the line that a policy would need.',
    exitCode: 1,
    shows: [
      /^clusterrole\.rbac\S*\/metrics-reader created$/m,
      /ServiceAccount monitoring\/prometheus gets \/metrics from ClusterRoleBinding "prometheus"/,
      new RegExp(
        `expectedSubjects: \\[\\{capabilities: \\[metrics\\], subjects: \\[${PROMETHEUS}\\], reason: why\\}\\]`,
      ),
    ],
  },
  {
    command: `echo '  expectedSubjects: [{capabilities: [metrics], subjects: [${PROMETHEUS}], reason: it scrapes}]' >> "$POLICY"`,
    expected: 'That line is now in the policy, which the server reads again within five seconds.',
    shows: [],
  },
  {
    command: 'kubectl apply -f scripts/tour/prometheus.yaml',
    expected: 'The same binding is let in.',
    shows: [/^clusterrolebinding\.rbac\S*\/prometheus created$/m],
    takesTime: true,
  },
  {
    command:
      'kubectl get --raw /metrics --server="$METRICS" --certificate-authority="$CA" ' +
      '--token="$(kubectl create token prometheus -n monitoring)" ' +
      "| grep -E '^scrapeguard_(findings|injections|policy_reloads)_'",
    expected: 'The server shows its metrics to nobody but the Prometheus of the binding: what it refused and injected.',
    shows: [
      /^scrapeguard_injections_total\{outcome="injected",reason=""\} [1-9]/m,
      /^scrapeguard_findings_total\{rule="kubelet-read-only-port",answer="deny"\} 1$/m,
      /^scrapeguard_findings_total\{rule="metrics-grant",answer="deny"\} [1-9]/m,
      /^scrapeguard_policy_reloads_total\{outcome="used"\} 1$/m,
    ],
  },
  {
    command: `grep -E '"msg":"(injected|denied|policy reloaded)"' "$LOG"`,
    expected: 'Its log tells the same: who wrote what, and which rules spoke.',
    shows: [/"msg":"injected"/, /"msg":"denied"/, /"msg":"policy reloaded"/],
  },
];

/** The steps as they are printed, each command above its sentence. */
export function describeTour(): string {
  return TOUR.map(({ command, expected }) => `  ${command}\n      ${expected}\n`).join('\n');
}
