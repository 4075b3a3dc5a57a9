/** `pbft config`: what a replica's configuration amounts to, and whether it could start from it. */
import type { Command } from 'commander';
import { computeEffectiveSettings, formatEffectiveSettings } from '../../config/effective-settings.js';
import { loadConfiguration } from '../../config/load-configuration.js';
import { loadReplicaFiles } from '../../replica/initialize-check.js';
import { chooseStateMachine } from '../../replica/own-application.js';
import { inspectDirectory } from '../../replica/start-directory.js';
import { type Context, writeJson } from '../context.js';
import {
  type ConfigurationFlags,
  configOption,
  configurationSources,
  jsonOption,
  settingOption,
} from '../input/flags.js';

interface ConfigFlags extends ConfigurationFlags {
  readonly json?: boolean;
}

function print(flags: ConfigFlags, context: Context): void {
  const settings = computeEffectiveSettings(loadConfiguration(configurationSources(flags, context)));
  if (flags.json === true) {
    writeJson(context, settings);
  } else {
    context.out(formatEffectiveSettings(settings));
  }
}

async function validate(flags: ConfigFlags, context: Context): Promise<void> {
  const files = loadReplicaFiles(configurationSources(flags, context));
  const { configuration, genesis } = files;
  // Only where there is one to be loaded: a program of the own may bring its state machine itself.
  if (configuration.applicationFile !== undefined) {
    await chooseStateMachine(files);
  }
  const { clusterId, clusterName, replicas } = genesis;
  const name = replicas[configuration.replica]?.name ?? '';
  const { engine, isNew, warnings } = await inspectDirectory(files);
  if (flags.json === true) {
    const whose = { replica: configuration.replica, name, clusterName, clusterId };
    writeJson(context, { valid: true, ...whose, dataDirectory: configuration.dataDirectory, engine, isNew, warnings });
    return;
  }
  const data = isNew ? `marked for a first start, with ${engine}` : `complete, with ${engine}`;
  context.out(`Valid: replica ${configuration.replica} (${name}) of the cluster ${clusterName}, id ${clusterId}\n`);
  context.out(`Data in ${configuration.dataDirectory}: ${data}\n`);
  for (const warning of warnings) {
    context.note(`pbft: warning: ${warning}`);
  }
}

/** Adds the commands. */
export function addConfig(program: Command, context: Context): void {
  const config = program.command('config').description("judge a replica's configuration");
  config
    .command('print')
    .description('print every setting, its value and where that came from')
    .addOption(configOption(context))
    .addOption(settingOption())
    .addOption(jsonOption())
    .action((flags: ConfigFlags) => print(flags, context));
  config
    .command('validate')
    .description('check settings, genesis, keys, certificates and the data directory as a start would; changes nothing')
    .addOption(configOption(context))
    .addOption(settingOption())
    .addOption(jsonOption())
    .action((flags: ConfigFlags) => validate(flags, context));
}
