import type { Rule } from '../analyzer.ts';
import { analyzers } from '../analyzers/index.ts';
import type { Problem, Ref, Severity } from '../finding.ts';
import { version } from '../version.ts';
import type { Reporter } from './reporter.ts';
import { escapeForJson } from './sanitize.ts';
import { kubectlName } from './words.ts';

const levels: Readonly<Record<Severity, 'error' | 'warning' | 'note'>> = {
  critical: 'error',
  warning: 'warning',
  info: 'note',
};

/** SARIF 2.1.0: codes are rules, objects are logical locations. What could not be read are notifications. */
export const sarif: Reporter = (report) => {
  const codes = [...new Set(report.problems.map(({ root }) => root.code))].sort();
  const log = {
    $schema: 'https://json.schemastore.org/sarif-2.1.0.json',
    version: '2.1.0',
    runs: [
      {
        tool: { driver: { name: 'podlens', semanticVersion: version, rules: codes.map(ruleOf) } },
        invocations: [
          {
            executionSuccessful: true,
            toolExecutionNotifications: report.gaps.map(({ what, reason }) => ({
              level: 'warning',
              message: { text: `${what}: ${reason}` },
            })),
          },
        ],
        results: report.problems.map((problem) => resultOf(problem, codes)),
      },
    ],
  };
  return `${escapeForJson(JSON.stringify(log, null, 2))}\n`;
};

/** The rules of all analyzers, by code. */
const rules = new Map<string, Rule>(analyzers.flatMap(({ rules }) => Object.entries(rules)));

function ruleOf(code: string) {
  const rule = rules.get(code);
  return {
    id: code,
    shortDescription: { text: rule?.summary ?? code },
    defaultConfiguration: { level: levels[rule?.severity ?? 'warning'] },
    properties: { source: rule?.source ?? 'a plugin' },
  };
}

function resultOf({ id, root, affects }: Problem, codes: readonly string[]) {
  return {
    ruleId: root.code,
    ruleIndex: codes.indexOf(root.code),
    level: levels[root.severity],
    message: { text: root.message },
    locations: [{ logicalLocations: [logicalLocation(root.subject)] }],
    ...(affects.length === 0
      ? {}
      : {
          relatedLocations: affects.map((ref, index) => ({ id: index + 1, logicalLocations: [logicalLocation(ref)] })),
        }),
    partialFingerprints: { problemId: id },
    properties: { confidence: root.confidence, evidence: root.evidence, remedy: root.remedy },
  };
}

const logicalLocation = (ref: Ref) => ({
  name: ref.name,
  fullyQualifiedName: [ref.namespace, ref.kind.toLowerCase(), ref.name, ref.container]
    .filter((part) => part !== undefined)
    .join('/'),
  kind: 'resource',
  properties: { kubectl: kubectlName(ref) },
});
