/** Flags that several commands have, and how texts on the command line become values. */
import { type Command, InvalidArgumentError, Option } from 'commander';
import { parseAddress } from '../../config/address.js';
import { flagsOfAssignments } from '../../config/setting-sources.js';
import type { Context } from '../context.js';
import { CommandError, EXIT } from '../exit.js';

/** A parser of whole numbers within bounds. */
export function integerBetween(min: number, max: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!/^[0-9]{1,16}$/.test(text) || !Number.isSafeInteger(value) || value < min || value > max) {
      throw new InvalidArgumentError(`Give a whole number from ${min} to ${max}.`);
    }
    return value;
  };
}

/** Checks `host:port`. */
export function addressText(text: string): string {
  if (parseAddress(text) === undefined) {
    throw new InvalidArgumentError('Give host:port.');
  }
  return text;
}

/** Takes `Apple,MS,Google,IBM` apart, and goes on where the flag was given before. */
export function nameList(text: string, before: readonly string[] | undefined): readonly string[] {
  return [...(before ?? []), ...text.split(',').map((name) => name.trim())];
}

const REPEATABLE = new WeakSet<Option>();

/** An option that may be given as often as wanted: its value is the list of all, in their order. */
export function repeatable<T>(option: Option, parse: (text: string) => T): Option {
  return markRepeatable(
    option.argParser((text: string, before: readonly T[] | undefined) => [...(before ?? []), parse(text)]),
  );
}

/** Says of an option that its own parser keeps what was given before. */
export function markRepeatable(option: Option): Option {
  REPEATABLE.add(option);
  return option;
}

/** Refuses every flag with a value that is given twice where only one counts: which of the two was meant? */
export function refuseRepeats(command: Command): void {
  for (const option of command.options) {
    if (option.required && !REPEATABLE.has(option)) {
      let times = 0;
      command.on(`option:${option.name()}`, () => {
        times += 1;
        if (times > 1) {
          command.error(`error: ${option.long ?? option.flags} is given twice, and only one counts`);
        }
      });
    }
  }
  for (const each of command.commands) {
    refuseRepeats(each);
  }
}

/** `--json`. */
export function jsonOption(): Option {
  return new Option('--json', 'print JSON for programs');
}

/** `--config FILE`. */
export function configOption({ environment }: Context): Option {
  const option = new Option('--config <file>', 'the config.yaml of the replica (or PBFT_CONFIG)');
  const preset = environment['PBFT_CONFIG'];
  return preset === undefined || preset === '' ? option : option.default(preset, 'PBFT_CONFIG');
}

/** `--set path=value`, as often as wanted. */
export function settingOption(): Option {
  return repeatable(
    new Option('--set <path=value>', 'a setting, such as agreement.pipeline=4; wins over file and environment'),
    (text) => text,
  ).default([], 'none');
}

/** What `--config`, `--set` and `--application` give. */
export interface ConfigurationFlags {
  readonly config?: string;
  readonly set: readonly string[];
  readonly application?: string;
}

/** The sources of a replica's configuration. Throws a CommandError or a ConfigurationError. */
export function configurationSources({ config, set, application }: ConfigurationFlags, { environment }: Context) {
  const flags = {
    ...flagsOfAssignments(set),
    ...(application === undefined ? {} : { applicationFile: application }),
  };
  const isNothingSaid = Object.keys(flags).length === 0 && environment['PBFT_REPLICA'] === undefined;
  if (config === undefined && isNothingSaid) {
    throw new CommandError(
      'which replica? Name its config.yaml with --config, or give every setting as PBFT_…',
      EXIT.usage,
    );
  }
  return { ...(config === undefined ? {} : { file: config }), environment, flags };
}

/** Where a cluster is looked for when nothing is said. */
export const DEFAULT_DIRECTORY = '.cluster';

/** `--dir DIR`. */
export function directoryOption(): Option {
  return new Option('--dir <dir>', "the cluster's folder").default(DEFAULT_DIRECTORY);
}
