import { repair } from './repair.ts';
import { system } from './system.ts';
import { user } from './user.ts';

/** The texts a prompt is built from. A user may bring their own. */
export interface PromptTexts {
  readonly system: string;
  readonly user: string;
  /** What is said when an answer could not be read. */
  readonly repair: string;
}

export const promptTexts: PromptTexts = { system, user, repair };

/** Replaces each `{{name}}` once: what is put in is not read again. Names that are not known stay as they are. */
export const fill = (template: string, values: Readonly<Record<string, string>>): string =>
  template.replace(/\{\{\s*(\w+)\s*\}\}/g, (whole, name: string) =>
    Object.hasOwn(values, name) ? (values[name] ?? '') : whole,
  );
