/** `pbft range`: reads keys in order, as many answers as it takes. */
import { type Command, Option } from 'commander';
import type { Client, ClientEntry, Place } from '../../client/client.js';
import { type Context, writeJson } from '../context.js';
import { integerBetween } from '../input/flags.js';
import { ask, type Call, findTargets } from '../input/reach.js';
import { placeJson, valueCell, valueJson } from '../output/answers.js';
import { formatTable } from '../output/table.js';
import { addReadOptions, type ReadFlags, readOptions } from './get.js';

const DEFAULT_LIMIT = 100;
const LIMIT_MAX = 1_000_000;
/** What one answer may hold. */
const PAGE_MAX = 1_000;

interface RangeFlags extends ReadFlags {
  readonly limit: number;
}

interface Found {
  readonly entries: readonly ClientEntry[];
  readonly hasMore: boolean;
  /** Of the last answer. */
  readonly place: Place;
}

function readAll(prefix: string, flags: RangeFlags): Call<Found> {
  return async (client: Client, { timeoutMs }) => {
    const untilMs = Date.now() + timeoutMs;
    const entries: ClientEntry[] = [];
    let continuation: Uint8Array = new Uint8Array();
    for (;;) {
      const limit = Math.min(PAGE_MAX, flags.limit - entries.length);
      const call = { timeoutMs: Math.max(1, untilMs - Date.now()), ...readOptions(flags) };
      const answer = await client.range({ prefix, limit, continuation }, call);
      entries.push(...answer.entries);
      continuation = answer.continuation;
      if (continuation.length === 0 || entries.length >= flags.limit) {
        return { entries, hasMore: continuation.length > 0, place: answer };
      }
    }
  };
}

/** Adds the command. */
export function addRange(program: Command, context: Context): void {
  const command = program
    .command('range')
    .description('print keys and values in the order of the keys; bytes in base64')
    .argument('[prefix]', 'of the keys; all by default')
    .addOption(new Option('--limit <n>', 'how many').argParser(integerBetween(1, LIMIT_MAX)).default(DEFAULT_LIMIT));
  addReadOptions(command).action(async (prefix: string | undefined, flags: RangeFlags) => {
    const found = await ask(findTargets(flags, context), flags.timeout, readAll(prefix ?? '', flags));
    const { entries, hasMore, place } = found;
    if (flags.json === true) {
      const rows = entries.map(({ key, value, version }) => ({ key, ...valueJson(value), version }));
      writeJson(context, { entries: rows, hasMore, ...placeJson(place) });
      return;
    }
    const rows = entries.map(({ key, version, value }) => [
      valueCell(key),
      String(version),
      typeof value === 'string' ? 'text' : 'base64',
      valueCell(value),
    ]);
    context.out(formatTable(['key', 'version', 'form', 'value'], rows, context.colours));
    if (hasMore) {
      context.note(`more follow: raise --limit above ${flags.limit}`);
    }
  });
}
