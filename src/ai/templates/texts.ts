/** The texts a prompt is built from. `{{name}}` is replaced; a name that is not known stays as it is. */
export interface PromptTexts {
  readonly system: string;
  readonly user: string;
  /** What is said when an answer could not be read. */
  readonly repair: string;
}
