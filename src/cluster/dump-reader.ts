import type { DumpHandler, DumpReader } from './dump-handler.ts';
import { jsonReader } from './dump-json.ts';
import { yamlReader } from './dump-yaml.ts';

/** Reads JSON or YAML, told apart by how the text begins. */
export function reader(on: DumpHandler): DumpReader & { firstLine(): string } {
  let chosen: DumpReader | undefined;
  let start = '';
  return {
    firstLine: () => start.trimStart().split('\n')[0]?.trimEnd() ?? '',
    push(chunk) {
      if (chosen === undefined) start = chunk.toString('utf8', 0, 4096);
      chosen ??= choose(chunk, on);
      chosen?.push(chunk);
    },
    end: () => chosen?.end(),
  };
}

function choose(chunk: Buffer, on: DumpHandler): DumpReader | undefined {
  const first = /\S/.exec(chunk.toString('latin1', 0, 4096))?.[0];
  if (first === undefined) return undefined;
  return first === '{' || first === '[' ? jsonReader(on) : yamlReader(on);
}
