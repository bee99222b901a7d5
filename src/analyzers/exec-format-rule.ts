import type { Rule } from '../analyzer.ts';
import { change, kubectl, look, shell } from '../objects/kubectl.ts';

/** Of two analyzers: newer runtimes refuse to start the program, with older ones it ends at once and its log says why. */
export const execFormatRule: Rule = {
  severity: 'critical',
  summary: "The program is built for another platform than the node's.",
  source: 'container runtime (runc), through the kubelet; or the log of the container',
  stage: 'start',
  remedy: ({ subject: { container: _, ...pod }, owner, detail: { node, image } }) => [
    look(
      'See the architecture of the node.',
      node === undefined
        ? undefined
        : shell('kubectl', 'get', `node/${node}`, '-o', 'jsonpath={.status.nodeInfo.architecture}'),
    ),
    look(
      'See which platforms the image has.',
      image === undefined ? undefined : shell('docker', 'buildx', 'imagetools', 'inspect', image),
    ),
    change(
      'Build the image for that architecture too, or select nodes by kubernetes.io/arch.',
      kubectl('edit', owner ?? pod),
    ),
  ],
};
