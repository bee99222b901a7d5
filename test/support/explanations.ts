/** What a model might say about the problem in a prompt: every claim cites the first evidence it was shown. */
export function explanationOf(prompt: string, { cause = 'It cannot start.', command = '' } = {}): string {
  const id = /^\[(\w+)\]/m.exec(prompt)?.[1] ?? 'e1';
  return JSON.stringify({
    cause: [{ text: cause, cites: [id] }],
    steps: [{ text: 'Look at it.', command, cites: [id] }],
    confidence: 'likely',
  });
}

/** Pods of one Deployment whose image cannot be pulled, as `kubectl get -o yaml` gives them. */
export const brokenPods = (name: string, replicas = 1, message = 'not found'): string =>
  Array.from(
    { length: replicas },
    (_, index) => `---
apiVersion: v1
kind: Pod
metadata:
  name: ${name}-7d9c5b8f6-x2x2${index}
  namespace: shop
  labels: { app: ${name}, pod-template-hash: 7d9c5b8f6 }
  ownerReferences: [{ apiVersion: apps/v1, kind: ReplicaSet, name: ${name}-7d9c5b8f6, uid: u-${name}, controller: true }]
spec: { nodeName: node-a.corp.example.com, containers: [{ name: main, image: "registry.corp.example.com/shop/${name}:1.2" }] }
status:
  phase: Pending
  containerStatuses:
    - name: main
      image: ""
      state:
        waiting:
          reason: ErrImagePull
          message: 'failed to pull and unpack image "registry.corp.example.com/shop/${name}:1.2": ${message}'
`,
  ).join('');
