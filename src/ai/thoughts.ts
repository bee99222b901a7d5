const BEGIN = '<think>';
const END = '</think>';

/** The answer without what a reasoning model wrote down on its way to it. */
export const withoutThoughts = (text: string): string => text.replace(/^\s*<think>[\s\S]*?(<\/think>\s*|$)/, '');

/** Passes text on as it arrives, without the thoughts that may stand before it. */
export function thoughtFilter(onText: (delta: string) => void): (delta: string) => void {
  let held = '';
  let begun = false;
  return (delta) => {
    if (begun) return onText(delta);
    held += delta;
    const text = held.trimStart();
    if (BEGIN.startsWith(text) || (text.startsWith(BEGIN) && !text.includes(END))) return;
    const answer = withoutThoughts(text);
    if (answer === '') return;
    begun = true;
    onText(answer);
  };
}
