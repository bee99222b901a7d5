import type { Explained } from '../ai/explained.ts';
import type { Problem } from '../finding.ts';
import type { Reporter } from './reporter.ts';
import { escapeForJson } from './sanitize.ts';

/** The JSON that k8sgpt prints, for programs that read it: one result per problem, its symptoms among the errors. */
export const k8sgpt: Reporter = (report) => {
  const wrong = report.problems.filter(({ root }) => root.severity !== 'info');
  const output = {
    provider: report.explain === undefined ? '' : (Object.keys(report.explain.backends)[0] ?? ''),
    errors: report.gaps.length === 0 ? null : report.gaps.map(({ what, reason }) => `[${what}] ${reason}`),
    status: wrong.length === 0 ? 'OK' : 'ProblemDetected',
    problems: wrong.length,
    results: wrong.length === 0 ? null : wrong.map((problem) => resultOf(problem, report)),
  };
  return `${escapeForJson(JSON.stringify(output, null, 2))}\n`;
};

function resultOf({ id, root, owner, symptoms }: Problem, { explanations }: Explained) {
  const { kind, namespace, name } = root.subject;
  return {
    kind,
    name: namespace === undefined ? name : `${namespace}/${name}`,
    error: [root, ...symptoms].map(({ code, message }) => ({
      Text: `${code}: ${message}`,
      KubernetesDoc: '',
      Sensitive: [],
    })),
    details:
      explanations?.[id]?.[0]?.cause ??
      root.remedy.map(({ text, command }) => (command === undefined ? text : `${text} ${command}`)).join('\n'),
    parentObject: owner === undefined ? '' : `${owner.kind}/${owner.name}`,
  };
}
