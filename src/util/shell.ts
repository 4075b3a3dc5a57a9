/** Commands that a person can copy: every word means in a shell what it means here. */

/** Words that no shell takes for anything else. */
const PLAIN_WORD = /^[A-Za-z0-9_@%+:,./-][A-Za-z0-9_@%+=:,./-]*$/;

/** One word as a POSIX shell takes it, in quotes where it needs them: blanks, the brackets of IPv6, quotes. */
export function shellWord(text: string): string {
  return PLAIN_WORD.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}

/** The words as one command. */
export function shellCommand(...words: readonly string[]): string {
  return words.map(shellWord).join(' ');
}
