/** Colours for people at a terminal; without them the same text. */

/** Makes a text stand out. */
export interface Colours {
  readonly isOn: boolean;
  bold(text: string): string;
  dim(text: string): string;
  red(text: string): string;
  green(text: string): string;
  yellow(text: string): string;
  /** The same colour for the same replica, another for its neighbours. */
  ofReplica(replica: number, text: string): string;
}

const ESCAPE = String.fromCharCode(27);
const REPLICA_CODES = [36, 35, 34, 33, 32, 96, 95, 94, 93, 92] as const;
const CODES = { bold: 1, dim: 2, red: 31, green: 32, yellow: 33 } as const;

/** Colours that are on or off. */
export function createColours(isOn: boolean): Colours {
  const paint = (code: number, text: string): string => (isOn ? `${ESCAPE}[${code}m${text}${ESCAPE}[0m` : text);
  return {
    isOn,
    bold: (text) => paint(CODES.bold, text),
    dim: (text) => paint(CODES.dim, text),
    red: (text) => paint(CODES.red, text),
    green: (text) => paint(CODES.green, text),
    yellow: (text) => paint(CODES.yellow, text),
    ofReplica: (replica, text) => paint(REPLICA_CODES[replica % REPLICA_CODES.length] ?? CODES.bold, text),
  };
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: colours are control characters.
const COLOUR = /\u001b\[[0-9;]*m/g;

/** How many columns a text takes: colours take none. */
export function widthOf(text: string): number {
  return [...text.replace(COLOUR, '')].length;
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it looks for.
const CONTROL_CHARACTER = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g;

/** Text of others that a terminal won't obey: control characters but tab and line feed are escaped. */
export function harmless(text: string): string {
  return text.replace(CONTROL_CHARACTER, (found) => `\\u${found.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
