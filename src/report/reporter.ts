import type { Explained } from '../ai/explained.ts';
import type { Style } from './style.ts';

/** Turns a report into text. It writes nothing and reads nothing. */
export type Reporter = (report: Explained, style: Style) => string;

export const formats = ['text', 'json', 'yaml', 'markdown', 'sarif', 'junit', 'k8sgpt'] as const;
export type Format = (typeof formats)[number];
