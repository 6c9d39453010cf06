const REVIEW = {
  apiVersion: 'admission.k8s.io/v1',
  kind: 'AdmissionReview',
  request: {
    uid: '1',
    operation: 'CREATE',
    namespace: 'default',
    resource: { group: '', version: 'v1', resource: 'pods' },
    object: {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'nginx' },
      spec: { hostNetwork: true, containers: [{ name: 'nginx', image: 'nginx', ports: [{ containerPort: 10255 }] }] },
    },
  },
};

/** What a person can type to see a refusal: a curl command that sends a review to a server with a self-signed certificate. */
export function exampleCall(address: string, port: number): string {
  const host = address === '0.0.0.0' || address === '::' ? 'localhost' : address;
  const url = `https://${host.includes(':') ? `[${host}]` : host}:${port}/validate`;
  const body = JSON.stringify(REVIEW);
  return `\nSee it refuse a Pod that exposes the kubelet's read-only port:\n\n  curl -sk ${url} -H 'content-type: application/json' -d '${body}'\n\n`;
}
