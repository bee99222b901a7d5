/** Which API a provider speaks. */
export type Api = 'openai' | 'azure' | 'ollama';

export interface Provider {
  readonly api: Api;
  /** Absent where every customer has their own. */
  readonly baseUrl?: string;
  /** The environment variables that tools for this provider have in common. */
  readonly keyVariable?: string;
  readonly urlVariable?: string;
  readonly modelVariable?: string;
  readonly needsKey?: boolean;
}

/** Names for endpoints that many people have; any other is "openai" with a base URL. */
export const providers: Readonly<Record<string, Provider>> = {
  openai: {
    api: 'openai',
    baseUrl: 'https://api.openai.com/v1',
    keyVariable: 'OPENAI_API_KEY',
    urlVariable: 'OPENAI_BASE_URL',
    modelVariable: 'OPENAI_MODEL',
    needsKey: true,
  },
  azure: {
    api: 'azure',
    keyVariable: 'AZURE_OPENAI_API_KEY',
    urlVariable: 'AZURE_OPENAI_ENDPOINT',
    modelVariable: 'AZURE_OPENAI_DEPLOYMENT',
    needsKey: true,
  },
  ollama: { api: 'ollama', urlVariable: 'OLLAMA_HOST', modelVariable: 'OLLAMA_MODEL' },
  groq: cloud('https://api.groq.com/openai/v1', 'GROQ_API_KEY'),
  mistral: cloud('https://api.mistral.ai/v1', 'MISTRAL_API_KEY'),
  deepseek: cloud('https://api.deepseek.com/v1', 'DEEPSEEK_API_KEY'),
  openrouter: cloud('https://openrouter.ai/api/v1', 'OPENROUTER_API_KEY'),
  lmstudio: { api: 'openai', baseUrl: 'http://127.0.0.1:1234/v1' },
  llamacpp: { api: 'openai', baseUrl: 'http://127.0.0.1:8080/v1' },
  localai: { api: 'openai', baseUrl: 'http://127.0.0.1:8080/v1' },
  vllm: { api: 'openai', baseUrl: 'http://127.0.0.1:8000/v1' },
};

function cloud(baseUrl: string, keyVariable: string): Provider {
  return { api: 'openai', baseUrl, keyVariable, needsKey: true };
}
