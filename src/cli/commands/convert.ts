/** `pbft convert`: moves the data of a replica that doesn't run to another storage engine. */
import { type Command, Option } from 'commander';
import { type ConversionProgress, convertData, ENGINE_NAMES, type EngineName } from '../../replica/convert-data.js';
import { loadReplicaFiles } from '../../replica/initialize-check.js';
import { type Context, writeJson } from '../context.js';
import {
  type ConfigurationFlags,
  configOption,
  configurationSources,
  jsonOption,
  settingOption,
} from '../input/flags.js';

const PROGRESS_EVERY_MS = 1_000;

interface ConvertFlags extends ConfigurationFlags {
  readonly engine: EngineName;
  readonly keep?: boolean;
  readonly json?: boolean;
}

/** Says now and then how far it is, to a person. */
function reporter({ isInteractive, note }: Context): (progress: ConversionProgress) => void {
  let lastMs = Date.now();
  return ({ step, entries, bytes }) => {
    const nowMs = Date.now();
    if (isInteractive && nowMs - lastMs >= PROGRESS_EVERY_MS) {
      lastMs = nowMs;
      note(`${step}: ${entries} entries, ${Math.round(bytes / 1_048_576)} MiB`);
    }
  };
}

async function convert(flags: ConvertFlags, context: Context): Promise<void> {
  const { engine } = flags;
  const files = loadReplicaFiles(configurationSources(flags, context));
  const done = await convertData(files, { engine, keepsOld: flags.keep === true, onProgress: reporter(context) });
  const { from, entries, bytes, kept, directory, isConfigured } = done;
  if (flags.json === true) {
    writeJson(context, { directory, from, to: engine, entries, bytes, kept, isConfigured });
  } else if (from === engine) {
    context.out(`The data in ${directory} is kept by ${engine} already\n`);
  } else {
    context.out(`Converted ${directory} from ${from} to ${engine}: ${entries} entries, ${bytes} bytes\n`);
  }
  for (const folder of kept) {
    context.note(`pbft: the old store stays in ${folder}: never put it back once the replica has run on the new one`);
  }
  if (!isConfigured) {
    context.note(`pbft: the configuration names another engine: set storage.engine to ${engine} or auto`);
  }
}

/** Adds the command. */
export function addConvert(program: Command, context: Context): void {
  program
    .command('convert')
    .description("move a stopped replica's data to another storage engine, such as for another Node.js")
    .addOption(configOption(context))
    .addOption(settingOption())
    .addOption(new Option('--engine <engine>', 'the engine from now on').choices(ENGINE_NAMES).makeOptionMandatory())
    .option('--keep', 'keep the old store beside the new one')
    .addOption(jsonOption())
    .action((flags: ConvertFlags) => convert(flags, context));
}
