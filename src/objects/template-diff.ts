import type { PodTemplateSpec } from './pod-schema.ts';
import type { Container } from './pods.ts';
import type { Of } from './schema.ts';

type Template = Of<typeof PodTemplateSpec>;

/**
 * What differs between two pod templates, in words and at most one line per field: "image of app: shop/web:1 → shop/web:2".
 * Values of environment variables are not shown.
 */
export function diffTemplates(before: Template, after: Template): string[] {
  const lines: string[] = [];
  for (const list of ['initContainers', 'containers'] as const) {
    lines.push(...diffContainers(before.spec?.[list] ?? [], after.spec?.[list] ?? []));
  }
  for (const field of podFields) {
    if (!same(before.spec?.[field], after.spec?.[field])) lines.push(`${field} changed`);
  }
  return lines;
}

const podFields = [
  'serviceAccountName',
  'nodeSelector',
  'affinity',
  'tolerations',
  'topologySpreadConstraints',
  'volumes',
  'securityContext',
  'imagePullSecrets',
  'priorityClassName',
  'runtimeClassName',
  'hostNetwork',
  'terminationGracePeriodSeconds',
] as const;

function diffContainers(before: readonly Container[], after: readonly Container[]): string[] {
  const lines: string[] = [];
  for (const now of after) {
    const was = before.find(({ name }) => name === now.name);
    if (was === undefined) lines.push(`container ${now.name} added (${now.image ?? 'no image'})`);
    else lines.push(...diffContainer(was, now));
  }
  for (const { name } of before) if (!after.some((now) => now.name === name)) lines.push(`container ${name} removed`);
  return lines;
}

function diffContainer(was: Container, now: Container): string[] {
  const lines: string[] = [];
  const of = `of ${now.name}`;
  if (was.image !== now.image) lines.push(`image ${of}: ${was.image ?? 'none'} → ${now.image ?? 'none'}`);
  const words = [...(was.command ?? []), ...(was.args ?? [])].join(' ');
  const wordsNow = [...(now.command ?? []), ...(now.args ?? [])].join(' ');
  if (words !== wordsNow) lines.push(`command ${of} changed`);
  lines.push(...diffEnv(was, now, of));
  lines.push(...diffResources(was, now, of));
  for (const probe of ['startupProbe', 'livenessProbe', 'readinessProbe'] as const) {
    if (same(was[probe], now[probe])) continue;
    const verb = was[probe] === undefined ? 'added' : now[probe] === undefined ? 'removed' : 'changed';
    lines.push(`${probe} ${of} ${verb}`);
  }
  for (const field of ['ports', 'volumeMounts', 'securityContext', 'lifecycle', 'imagePullPolicy'] as const) {
    if (!same(was[field], now[field])) lines.push(`${field} ${of} changed`);
  }
  return lines;
}

function diffEnv(was: Container, now: Container, of: string): string[] {
  const before = new Map((was.env ?? []).map((variable) => [variable.name, variable]));
  const after = new Map((now.env ?? []).map((variable) => [variable.name, variable]));
  const added = [...after.keys()].filter((name) => !before.has(name));
  const removed = [...before.keys()].filter((name) => !after.has(name));
  const changed = [...after]
    .filter(([name, value]) => before.has(name) && !same(before.get(name), value))
    .map(([name]) => name);
  const lines: string[] = [];
  if (added.length > 0) lines.push(`env ${of}: ${added.join(', ')} added`);
  if (removed.length > 0) lines.push(`env ${of}: ${removed.join(', ')} removed`);
  if (changed.length > 0) lines.push(`env ${of}: ${changed.join(', ')} changed`);
  if (!same(was.envFrom, now.envFrom)) lines.push(`envFrom ${of} changed`);
  return lines;
}

function diffResources(was: Container, now: Container, of: string): string[] {
  const lines: string[] = [];
  for (const kind of ['requests', 'limits'] as const) {
    const before = was.resources?.[kind] ?? {};
    const after = now.resources?.[kind] ?? {};
    for (const name of new Set([...Object.keys(before), ...Object.keys(after)])) {
      if (before[name] === after[name]) continue;
      lines.push(`${kind}.${name} ${of}: ${before[name] ?? 'none'} → ${after[name] ?? 'none'}`);
    }
  }
  return lines;
}

const same = (a: unknown, b: unknown): boolean => stable(a) === stable(b);

/** JSON with sorted keys, so that the order in which fields were read does not count. */
function stable(value: unknown): string {
  return (
    JSON.stringify(value, (_, part: unknown) =>
      typeof part === 'object' && part !== null && !Array.isArray(part)
        ? Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)))
        : part,
    ) ?? ''
  );
}
