import type { Format, Reporter } from './reporter.ts';

/** Reporters are loaded one by one: a run needs one of them. */
const loaders: Readonly<Record<Format, () => Promise<Reporter>>> = {
  text: async () => (await import('./text.ts')).text,
  json: async () => (await import('./json.ts')).json,
  yaml: async () => (await import('./yaml.ts')).yaml,
  markdown: async () => (await import('./markdown.ts')).markdown,
  sarif: async () => (await import('./sarif.ts')).sarif,
  junit: async () => (await import('./junit.ts')).junit,
  k8sgpt: async () => (await import('./k8sgpt.ts')).k8sgpt,
};

export const loadReporter = (format: Format): Promise<Reporter> => loaders[format]();
