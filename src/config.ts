import type { Format } from './report/reporter.ts';

/** One model endpoint, as the config file names it. */
export interface BackendConfig {
  readonly name: string;
  /** "openai" (any endpoint that speaks its API), "azure", "ollama", or one of the names in `providers`. */
  readonly provider: string;
  readonly model?: string | undefined;
  readonly baseUrl?: string | undefined;
  readonly key?: string | undefined;
  /** Prints the key on stdout: "pass show openai", or its words as a list. */
  readonly keyCommand?: string | readonly string[] | undefined;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** PEM; relative to the config file. */
  readonly caFile?: string | undefined;
  readonly timeoutSeconds?: number | undefined;
  readonly maxRetries?: number | undefined;
  readonly temperature?: number | undefined;
  /** Azure's api-version. */
  readonly apiVersion?: string | undefined;
  /** Ollama: how long the model stays in memory. */
  readonly keepAlive?: string | undefined;
  /** Ollama: tokens of context. */
  readonly contextLength?: number | undefined;
}

export interface Config {
  readonly backends: readonly BackendConfig[];
  /** The name of the backend that --explain uses. */
  readonly default?: string | undefined;
  readonly language?: string | undefined;
  readonly anonymize: boolean;
  readonly cache: { readonly enabled: boolean; readonly maxAgeDays: number; readonly maxSizeMb: number };
  /** Files that replace podlens' own prompt templates. */
  readonly prompts: {
    readonly system?: string | undefined;
    readonly user?: string | undefined;
    readonly repair?: string | undefined;
  };
  /** What `analyze` takes where its flags say nothing. */
  readonly analyze: {
    readonly filter?: readonly string[] | undefined;
    readonly namespace?: readonly string[] | undefined;
    readonly output?: Format | undefined;
    readonly failOn?: 'critical' | 'warning' | 'info' | undefined;
    readonly logs?: boolean | undefined;
    readonly explain?: boolean | undefined;
  };
  /** Modules with analyzers of one's own. */
  readonly plugins: readonly string[];
}

/** What holds without a config file; the schema takes its defaults from here. */
export const defaults: Config = {
  backends: [],
  anonymize: true,
  cache: { enabled: true, maxAgeDays: 30, maxSizeMb: 50 },
  prompts: {},
  analyze: {},
  plugins: [],
};
