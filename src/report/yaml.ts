import { dump, SCALAR_STYLE_DOUBLE_QUOTED, visit } from 'js-yaml';
import { inOrder } from './order.ts';
import type { Reporter } from './reporter.ts';
import { escapeForYaml, hasUnprintable } from './sanitize.ts';

/** What `json` says, as YAML. */
export const yaml: Reporter = (report) => toYaml(inOrder(report));

/** Strings with characters that a terminal would obey are double-quoted, where they can be escaped. */
export function toYaml(value: unknown): string {
  const text = dump(value, {
    lineWidth: -1,
    noRefs: true,
    transform: (documents) =>
      visit(documents, (node) => {
        if (node.kind === 'scalar' && hasUnprintable(node.value)) node.style = SCALAR_STYLE_DOUBLE_QUOTED;
      }),
  });
  return escapeForYaml(text);
}
