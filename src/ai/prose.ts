import { checkCommand, type Nameable } from './commands.ts';

const DANGEROUS =
  /\brm\s+-\w|\|\s*(?:sudo\s+)?(?:ba|z|da|k)?sh\b|\b(?:curl|wget)\b[^\n]*\|\s*\w|\bmkfs|\bdd\s+if=|:\(\)\s*\{|\bbase64\s+(?:-d|-D|--decode)|\beval\s|\bkubectl\s+(?:-\S+\s+(?:[^-\s]\S*\s+)?)*(?:delete|drain|exec|replace|run|proxy|attach|cp|debug|config|taint|create|apply)\b|\bkubectl\b[^\n]*\bsecrets?\b[^\n]*(?:\s-o|--output|jsonpath|go-template|yaml|json)/i;

/** Takes out of a sentence the commands that would not pass as a command. */
export function cleanProse(
  text: string,
  nameable: Nameable,
): { readonly text: string; readonly rejected: readonly string[] } {
  const rejected: string[] = [];
  const spans = text.replace(/`+([^`]*)`+/g, (span, inner: string) => {
    if (!/^\s*(?:\$\s+)?kubectl\s/.test(inner) && !DANGEROUS.test(inner)) return span;
    const verdict = checkCommand(inner, nameable);
    if (!('rejected' in verdict)) return span;
    rejected.push(verdict.rejected);
    return '(a command was left out)';
  });
  if (!DANGEROUS.test(spans)) return { text: spans, rejected };
  const sentences = spans.split(/(?<=[.!?。！？])\s+/).filter((sentence) => !DANGEROUS.test(sentence));
  return { text: sentences.join(' '), rejected: [...rejected, 'it is not what a model may propose'] };
}
