/** "de" and "pt-BR" as models know them ("German", "Brazilian Portuguese"); any other word stays as it was typed. */
export function languageName(language: string | undefined): string {
  const typed = (language ?? '')
    .replace(/[\p{C}"<>{}]/gu, ' ')
    .replace(/\s+/g, ' ')
    .trim()
    .slice(0, 60);
  if (typed === '') return 'English';
  if (!/^[A-Za-z]{2,3}(?:[-_][A-Za-z0-9]{2,8})*$/.test(typed)) return typed;
  try {
    return (
      new Intl.DisplayNames(['en'], { type: 'language', fallback: 'none' }).of(typed.replaceAll('_', '-')) ?? typed
    );
  } catch {
    return typed;
  }
}
