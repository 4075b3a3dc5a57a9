/** Plays a scenario's text: one that states what it expects, or a draft that may hold commands alone. */
import { Player } from './player.js';
import { parseScript, renderScript, type Script, type Step } from './script.js';

/** What came of a draft. */
export interface PlayedDraft {
  /** With what followed below each command. */
  readonly text: string;
  /** Where something else was expected, by line. */
  readonly differences: readonly string[];
}

/** Plays a scenario; gives its text with what followed. Throws where a command can't be done, with its line. */
export function play(text: string): string {
  const script = parseScript(text);
  return renderScript(script, playScript(script));
}

/** Plays a draft. Throws as `play` does. */
export function playDraft(text: string): PlayedDraft {
  const script = parseScript(text, true);
  const actual = playScript(script);
  const differences = [...actual]
    .filter(([{ expected }, lines]) => expected !== undefined && expected.join('\n') !== lines.join('\n'))
    .map(([{ line, command }]) => `line ${line}: "${command}" leads to something else than what stands below it`);
  return { text: renderScript(script, actual), differences };
}

function playScript({ parts }: Script): ReadonlyMap<Step, readonly string[]> {
  const player = new Player();
  const actual = new Map<Step, readonly string[]>();
  for (const part of parts) {
    if (part.kind === 'step') {
      try {
        actual.set(part, player.play(part.command));
      } catch (error) {
        throw new Error(`line ${part.line}: ${error instanceof Error ? error.message : String(error)}`, {
          cause: error,
        });
      }
    }
  }
  player.finish();
  return actual;
}
