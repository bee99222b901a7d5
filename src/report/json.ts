import { inOrder } from './order.ts';
import type { Reporter } from './reporter.ts';
import { escapeForJson } from './sanitize.ts';

/** The report itself, `schemaVersion` 1: keys in one order, the same bytes for the same snapshot. */
export const json: Reporter = (report) => `${escapeForJson(JSON.stringify(inOrder(report), null, 2))}\n`;
