/**
 * A planted bug: a patch of src/ that breaks one rule, and who must notice. The patch is a file of its own, named after
 * the bug; before the diff stand lines of the form `Name: value`:
 *
 *     Rule: the rule that it breaks, with its place; ⚑ where protocol.md marks it so
 *     Caught by: simulator, or a test file
 *     Seed: a seed that shows it soon (with the simulator)
 */
import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';

/** A bug with what has to notice it. */
export interface PlantedBug {
  readonly name: string;
  /** The patch file. */
  readonly path: string;
  readonly rule: string;
  readonly catcher:
    | { readonly kind: 'simulator'; readonly quickSeed: number }
    | { readonly kind: 'test'; readonly file: string };
}

const SUFFIX = '.patch';
const SIMULATOR = 'simulator';

/** The bugs of a folder, by name; an Error says what is wrong with a patch file. */
export function readPlantedBugs(folder: string): readonly PlantedBug[] {
  return readdirSync(folder)
    .filter((file) => file.endsWith(SUFFIX))
    .sort()
    .map((file) => parsePlantedBug(join(folder, file), readFileSync(join(folder, file), 'utf8')));
}

/** The bug in a patch file's text. */
export function parsePlantedBug(path: string, text: string): PlantedBug {
  const name = basename(path, SUFFIX);
  const begin = text.search(/^--- /m);
  if (!/^[a-z0-9]+(-[a-z0-9]+)*$/.test(name) || begin < 0) {
    throw new Error(`${path}: a patch has a name in kebab-case, a head and a diff`);
  }
  const head = readHead(path, text.slice(0, begin));
  const rule = head.get('Rule');
  const catcher = head.get('Caught by');
  const seed = head.get('Seed');
  if (rule === undefined || catcher === undefined) {
    throw new Error(`${path}: its head needs "Rule" and "Caught by"`);
  }
  if (catcher !== SIMULATOR) {
    return { name, path, rule, catcher: { kind: 'test', file: catcher } };
  }
  const quickSeed = Number(seed ?? 1);
  if (!Number.isSafeInteger(quickSeed) || quickSeed < 1) {
    throw new Error(`${path}: "${seed}" is no seed`);
  }
  return { name, path, rule, catcher: { kind: 'simulator', quickSeed } };
}

function readHead(path: string, text: string): ReadonlyMap<string, string> {
  const head = new Map<string, string>();
  for (const line of text.split('\n').filter((each) => each.trim() !== '')) {
    const found = /^(Rule|Caught by|Seed): (.+)$/.exec(line);
    if (found?.[1] === undefined || found[2] === undefined) {
      throw new Error(`${path}: "${line}" is no line of a head`);
    }
    head.set(found[1], found[2].trim());
  }
  return head;
}
