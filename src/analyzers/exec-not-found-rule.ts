import type { Rule } from '../analyzer.ts';
import { change, look, shell } from '../objects/kubectl.ts';
import { editWorkload, showCommand } from '../objects/remedies.ts';

/** Of two analyzers: the runtime does not find the program when it makes the container, or the kernel when it starts it. */
export const execNotFoundRule: Rule = {
  severity: 'critical',
  summary: 'The image does not have the program that the container is to run.',
  source: 'container runtime (runc, crun), through the kubelet; or the log of the container',
  stage: 'start',
  remedy: (where) => [
    showCommand(where),
    look(
      "Compare with the image's own entrypoint.",
      where.detail['image'] === undefined ? undefined : shell('docker', 'image', 'inspect', where.detail['image']),
    ),
    change('Correct command or args, or put the program into the image.', editWorkload(where)),
  ],
};
