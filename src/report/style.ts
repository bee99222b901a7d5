import { Chalk, type ChalkInstance } from 'chalk';

/** How wide a report may be, and whether in colours. */
export interface Style {
  /** Columns to wrap at; commands are never wrapped. */
  readonly columns: number;
  readonly paint: ChalkInstance;
}

/** The sixteen colours that every theme defines, so that a report is readable on light and dark grounds. */
export const createStyle = ({ columns, color }: { readonly columns: number; readonly color: boolean }): Style => ({
  columns,
  paint: new Chalk({ level: color ? 1 : 0 }),
});
