/** `--application`: the module of a cluster's own application. */
import { resolve } from 'node:path';
import { Option } from 'commander';
import { loadConfiguration } from '../../config/load-configuration.js';
import { loadStateMachine } from '../../replica/own-application.js';
import type { LocalCluster } from '../cluster/members.js';
import { CommandError } from '../exit.js';

/** What names an own application. */
export interface ApplicationFlags {
  readonly application?: string;
}

/** The flag of commands that make or start something. */
export function applicationOption(): Option {
  return new Option(
    '--application <module>',
    'an own application: the JavaScript module that exports it as `stateMachine` (else the key-value store)',
  );
}

/** The flag as options of a new cluster; the name is the module's own. Rejects with a ConfigurationError. */
export async function applicationChoices({
  application,
}: ApplicationFlags): Promise<{ readonly application?: string; readonly applicationFile?: string }> {
  if (application === undefined) {
    return {};
  }
  const applicationFile = resolve(application);
  const { name } = await loadStateMachine(applicationFile, { file: 'flags', path: '--application' });
  return { application: name, applicationFile };
}

/** Throws a CommandError where the flag says something else than the replicas of the cluster that is there. */
export function checkSameApplication(
  { members, directory }: LocalCluster,
  { application }: ApplicationFlags,
  environment: Readonly<Record<string, string | undefined>>,
): void {
  const wanted = application === undefined ? undefined : resolve(application);
  for (const { configurationFile } of members) {
    const { applicationFile } = loadConfiguration({ file: configurationFile, environment }).configuration;
    if (wanted !== undefined && applicationFile !== wanted) {
      throw new CommandError(
        `the cluster in ${directory} runs ${applicationFile ?? 'the built-in key-value store'}, not ${wanted}\n` +
          'Leave out --application, or change `applicationFile` in each replica-*/config.yaml',
      );
    }
  }
}
