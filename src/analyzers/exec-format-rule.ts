import type { Rule } from '../analyzer.ts';
import { change, look, shell } from '../objects/kubectl.ts';
import { editWorkload } from '../objects/remedies.ts';

/** Of two analyzers: newer runtimes refuse to start the program, with older ones it ends at once and its log says why. */
export const execFormatRule: Rule = {
  severity: 'critical',
  summary: "The program is built for another platform than the node's.",
  source: 'container runtime (runc), through the kubelet; or the log of the container',
  stage: 'start',
  remedy: (where) => [
    look(
      'See the architecture of the node.',
      where.detail['node'] === undefined
        ? undefined
        : shell('kubectl', 'get', `node/${where.detail['node']}`, '-o', 'jsonpath={.status.nodeInfo.architecture}'),
    ),
    look(
      'See which platforms the image has.',
      where.detail['image'] === undefined
        ? undefined
        : shell('docker', 'buildx', 'imagetools', 'inspect', where.detail['image']),
    ),
    change('Build the image for that architecture too, or select nodes by kubernetes.io/arch.', editWorkload(where)),
  ],
};
