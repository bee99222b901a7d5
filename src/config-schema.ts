import { dirname, resolve } from 'node:path';
import { parseDocument } from 'yaml';
import { z } from 'zod';
import { type Config, defaults } from './config.ts';
import { PodlensError } from './errors.ts';
import { didYouMean } from './objects/suggest.ts';
import { formats } from './report/reporter.ts';

const list = z.union([z.array(z.string()), z.string().transform((text) => text.split(/,\s*/))]);

const url = z.url({ protocol: /^https?$/, error: 'expected a URL that begins with http:// or https://' });

const backend = z.strictObject({
  name: z.string().regex(/^[\w.-]+$/, 'expected a name of letters, digits, ".", "_" and "-"'),
  provider: z.string().min(1),
  model: z.string().min(1).optional(),
  baseUrl: url.optional(),
  key: z.string().min(1).optional(),
  keyCommand: z.union([z.string().min(1), z.array(z.string()).min(1)]).optional(),
  headers: z.record(z.string(), z.string()).optional(),
  caFile: z.string().optional(),
  timeoutSeconds: z.number().positive().optional(),
  maxRetries: z.number().int().min(0).max(10).optional(),
  temperature: z.number().min(0).max(2).optional(),
  apiVersion: z.string().optional(),
  keepAlive: z.string().optional(),
  contextLength: z.number().int().positive().optional(),
});

const schema = z.strictObject({
  backends: z.array(backend).default([...defaults.backends] as []),
  default: z.string().optional(),
  language: z.string().optional(),
  anonymize: z.boolean().default(defaults.anonymize),
  cache: z
    .strictObject({
      enabled: z.boolean().default(defaults.cache.enabled),
      maxAgeDays: z.number().positive().default(defaults.cache.maxAgeDays),
      maxSizeMb: z.number().positive().default(defaults.cache.maxSizeMb),
    })
    .prefault({}),
  prompts: z
    .strictObject({ system: z.string().optional(), user: z.string().optional(), repair: z.string().optional() })
    .prefault({}),
  analyze: z
    .strictObject({
      filter: list.optional(),
      namespace: list.optional(),
      output: z.enum(formats).optional(),
      failOn: z.enum(['critical', 'warning', 'info']).optional(),
      logs: z.boolean().optional(),
      explain: z.boolean().optional(),
    })
    .prefault({}),
  plugins: z.array(z.string()).default([]),
});

/** The settings that the text of a config file gives; `file` is named in errors, and relative paths start beside it. */
export function parseConfig(text: string, file: string): Config {
  const document = parseDocument(text, { prettyErrors: true });
  const [broken] = document.errors;
  if (broken !== undefined) {
    throw invalid(file, [broken.message.split('\n')[0] ?? '']);
  }
  const result = schema.safeParse(document.toJS() ?? {}, { error: messageOf });
  if (!result.success) throw invalid(file, result.error.issues.flatMap(linesOf));
  const config = result.data;
  const names = config.backends.map(({ name }) => name);
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) throw invalid(file, [`backends: the name "${twice}" is given twice`]);
  const beside = (path: string | undefined) => (path === undefined ? undefined : resolve(dirname(file), path));
  const { system, user, repair } = config.prompts;
  return {
    ...config,
    backends: config.backends.map((entry) => ({ ...entry, caFile: beside(entry.caFile) })),
    prompts: { system: beside(system), user: beside(user), repair: beside(repair) },
    plugins: config.plugins.map((plugin) => (plugin.startsWith('.') ? resolve(dirname(file), plugin) : plugin)),
  };
}

const invalid = (file: string, lines: readonly string[]) =>
  new PodlensError('config-invalid', [`The config file ${file} is not valid:`, ...lines].join('\n  '));

type Issue = z.core.$ZodIssue;

function linesOf(issue: Issue): string[] {
  if (issue.code !== 'unrecognized_keys') return [`${pathOf(issue.path)}: ${issue.message}`];
  const known = keysAt(schema, issue.path);
  return issue.keys.map((key) => {
    const [near] = didYouMean(key, known);
    const hint = near === undefined ? `expected one of ${known.join(', ')}` : `did you mean "${near}"?`;
    return `${pathOf([...issue.path, key])}: there is no such setting; ${hint}`;
  });
}

const pathOf = (path: readonly PropertyKey[]): string =>
  path
    .map((part, index) => (typeof part === 'number' ? `[${part}]` : `${index === 0 ? '' : '.'}${String(part)}`))
    .join('') || 'the file';

/** What was expected, in words, without what was given: that may be a key. */
function messageOf(issue: z.core.$ZodRawIssue): string | undefined {
  if (issue.code === 'invalid_type') {
    const missing = issue.input === undefined;
    const what = words[issue.expected] ?? issue.expected;
    return missing ? `this is missing; expected ${what}` : `expected ${what}`;
  }
  if (issue.code === 'invalid_value') return `expected one of ${issue.values.map(String).join(', ')}`;
  if (issue.code === 'invalid_union') return 'expected text or a list of texts';
  if (issue.code === 'too_small') return `expected ${issue.inclusive ? 'at least' : 'more than'} ${issue.minimum}`;
  if (issue.code === 'too_big') return `expected at most ${issue.maximum}`;
  return undefined;
}

const words: Readonly<Record<string, string>> = {
  string: 'text',
  number: 'a number',
  int: 'a whole number',
  object: 'a map of settings',
  record: 'a map of texts',
  array: 'a list',
  boolean: 'true or false',
};

/** The settings there are at a path of the schema. */
function keysAt(from: z.ZodType, path: readonly PropertyKey[]): string[] {
  let at: z.ZodType | undefined = unwrap(from);
  for (const part of path) {
    if (at instanceof z.ZodArray) at = unwrap(at.element as z.ZodType);
    else if (at instanceof z.ZodObject) at = unwrap(at.shape[String(part)] as z.ZodType);
  }
  return at instanceof z.ZodObject ? Object.keys(at.shape) : [];
}

function unwrap(type: z.ZodType): z.ZodType {
  if (type instanceof z.ZodDefault || type instanceof z.ZodPrefault || type instanceof z.ZodOptional) {
    return unwrap(type.unwrap() as z.ZodType);
  }
  return type;
}
