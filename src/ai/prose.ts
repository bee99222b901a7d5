import { checkCommand, type Nameable } from './commands.ts';
import { isVerb } from './kubectl-words.ts';

const DANGEROUS = new RegExp(
  [
    String.raw`\brm\s+-\w|\bmkfs|\bdd\s+if=|:\(\)\s*\{|\beval\s|\bsetenforce\s+0|\bchmod\s+(?:-R\s+)?777`,
    String.raw`\|\s*(?:sudo\s+)?(?:ba|z|da|k)?sh\b|\b(?:ba|z|da|k)?sh\s+(?:-c\s|\/tmp\/|<\()`,
    String.raw`\b(?:curl|wget)\b[^\n]*(?:\|\s*\w|\s(?:-o|-O|--output)\b)`,
    String.raw`\bbase64\s+(?:-d|-D|--decode)`,
    String.raw`\bhelm\s+(?:uninstall|delete)\b|\bterraform\s+destroy\b|\bkubeadm\s+reset\b|\bcrictl\s+(?:rm|stop)`,
    String.raw`\b(?:docker|podman|nerdctl)\s+(?:rmi?|kill|system\s+prune)\b|\bsystemctl\s+(?:stop|disable|mask)\b`,
    String.raw`(?<![\w-])(?:kubectl|k|oc)\s+(?:-\S+\s+(?:[^-\s]\S*\s+)?)*(?:delete|drain|exec|replace|run|proxy|attach|cp|debug|config|taint|create|apply|adm|rsh)\b`,
    String.raw`\bkubectl\b[^\n]*\bsecrets?\b[^\n]*(?:\s-o|--output|jsonpath|go-template|yaml|json)`,
  ].join('|'),
  'i',
);

/** Takes out of a sentence the commands that would not pass as a command. */
export function cleanProse(
  text: string,
  nameable: Nameable,
): { readonly text: string; readonly rejected: readonly string[] } {
  const rejected: string[] = [];
  const spans = text.replace(/`+([^`]*)`+/g, (span, inner: string) => {
    const command = inner.trim().replace(/^(?:\$\s+)?(?:kubectl|k|oc)\s+/, 'kubectl ');
    if (!command.startsWith('kubectl ') && !DANGEROUS.test(inner)) return span;
    const verdict = checkCommand(command, nameable);
    if (!('rejected' in verdict)) return span;
    rejected.push(verdict.rejected);
    return '(a command was left out)';
  });
  const sentences = spans.split(/(?<=[.!?。！？])\s+/);
  const kept = sentences.filter((sentence) => !DANGEROUS.test(sentence) && barePass(sentence, nameable));
  if (kept.length === sentences.length) return { text: spans, rejected };
  return { text: kept.join(' '), rejected: [...rejected, 'it is not what a model may propose'] };
}

/** Whether the commands that stand in a sentence without quotes would pass. */
function barePass(sentence: string, nameable: Nameable): boolean {
  const bare = sentence.replace(/`[^`]*`/g, '`');
  return bare
    .split(/(?<![\w./-])(?:kubectl|k|oc)\s+/)
    .slice(1)
    .every((rest) => passes(rest.split(/\s+/).filter(Boolean), nameable));
}

/** Nobody says where a command in a sentence ends: as late as it can, and nothing like a command may follow. */
function passes(words: readonly string[], nameable: Nameable): boolean {
  const verb = words.find((word, index) => !word.startsWith('-') && !words[index - 1]?.startsWith('-'));
  if (!isVerb(withoutStop(verb))) return true;
  for (let end = words.length; end > 0; end--) {
    const command = [...words.slice(0, end - 1), withoutStop(words[end - 1])].join(' ');
    if (!('rejected' in checkCommand(`kubectl ${command}`, nameable)))
      return !words.slice(end).some((word) => COMMAND_LIKE.test(word));
  }
  // "kubectl scale would help" names the command and no more.
  const next = withoutStop(words[words.indexOf(verb ?? '') + 1]);
  return next === '' || SENTENCE.test(next);
}

const withoutStop = (word = ''): string => word.replace(/[.,;:!?)…]+$/, '');

const COMMAND_LIKE = /^-{1,2}\w|^["'{]|=|-$|[|<>&$]/;

const SENTENCE =
  /^(?:a|an|and|as|can|command|could|does|for|from|helps?|if|in|is|of|on|or|output|shows?|that|the|then|to|will|with|would)$/i;
