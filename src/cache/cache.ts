/** Keeps texts by key. It may forget at any time and never throws: trouble is a miss. */
export interface Cache {
  get(key: string): Promise<string | undefined>;
  set(key: string, value: string): Promise<void>;
}
