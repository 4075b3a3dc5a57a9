/** `pbft cluster`: all replicas of a cluster as processes of this machine, for development and demonstration. */
import { type Command, Option } from 'commander';
import { formatAddress } from '../../config/address.js';
import { initializeCluster, isInitialized } from '../../replica/initialize.js';
import { type Plan, planCluster } from '../../replica/initialize-plan.js';
import { shellCommand } from '../../util/shell.js';
import { type ByzantineFlags, byzantineOptions, chooseTraitors, refuseBeyondLoopback } from '../cluster/byzantine.js';
import { removeClusterFile, writeClusterFile } from '../cluster/cluster-file.js';
import { startDetached } from '../cluster/detached.js';
import { type LocalCluster, loadLocalCluster } from '../cluster/members.js';
import { checkPorts, type PortUser } from '../cluster/port-check.js';
import { formatClusterReport, programName } from '../cluster/report.js';
import { refuseRunning, stopCluster } from '../cluster/stop.js';
import { ClusterSupervisor } from '../cluster/supervisor.js';
import type { Context } from '../context.js';
import { CommandError, EXIT } from '../exit.js';
import { applicationChoices, checkSameApplication } from '../input/application-choice.js';
import { directoryOption } from '../input/flags.js';
import { StopSignals } from '../stop-signals.js';
import { type NewClusterFlags, newClusterChoices, newClusterOptions } from './init.js';

/** With what comes before it, `--detach` is over within 60 s. */
const DETACH_MAX_MS = 50_000;

interface ClusterFlags extends NewClusterFlags, ByzantineFlags {
  readonly dir: string;
  readonly detach?: boolean;
  readonly stop?: boolean;
}

/** Throws a CommandError where the flags say something else than the cluster that is there. */
function checkSame(
  { genesis, members, directory }: LocalCluster,
  { replicas, names, basePort }: NewClusterFlags,
): void {
  const count = genesis.replicas.length;
  if (replicas !== undefined && replicas !== count) {
    throw new CommandError(
      `the cluster in ${directory} has ${count} replicas, not ${replicas}, and that can't be changed\n` +
        'Leave out the number, or name another folder for a new cluster',
    );
  }
  const existing = genesis.replicas.map(({ name }) => name);
  if (names !== undefined && names.join() !== existing.join()) {
    throw new CommandError(
      `the replicas of the cluster in ${directory} are called ${existing.join(', ')}, not ${names.join(', ')}\n` +
        'Leave out the names, or name another folder for a new cluster',
    );
  }
  const [first] = members;
  if (basePort !== undefined && first !== undefined && !first.client.endsWith(`:${basePort}`)) {
    throw new CommandError(
      `the cluster in ${directory} begins at ${first.client}, not at port ${basePort}\n` +
        'Leave out the base port, or change listen and peers in each replica-*/config.yaml',
    );
  }
}

function membersOfPlan({ replicas }: Plan): readonly PortUser[] {
  return replicas.map(({ name, listen }) => ({
    name,
    client: formatAddress(listen.client),
    peer: formatAddress(listen.peer),
    http: formatAddress(listen.http),
  }));
}

/** The cluster with the traitors that the flags ask for. Throws a CommandError. */
function betray(cluster: LocalCluster, flags: ByzantineFlags): LocalCluster {
  const { genesis, members } = cluster;
  const { faultsMax } = genesis.quorumSizes;
  const traitors = chooseTraitors(flags, { names: genesis.replicas.map(({ name }) => name), faultsMax });
  if (traitors.size > 0) {
    refuseBeyondLoopback(members.flatMap(({ beyondLoopback }) => beyondLoopback));
  }
  return { ...cluster, members: members.map((member) => ({ ...member, traitor: traitors.get(member.id) })) };
}

async function prepare(flags: ClusterFlags, context: Context): Promise<LocalCluster> {
  const { dir } = flags;
  if (!isInitialized(dir)) {
    const options = { directory: dir, ...newClusterChoices(flags), ...(await applicationChoices(flags)) };
    const plan = planCluster(options);
    chooseTraitors(flags, plan);
    // Before it is made: afterwards its ports would be settled.
    await checkPorts(membersOfPlan(plan));
    const made = await initializeCluster(options);
    context.out(`Made a new cluster in ${made.directory}\n`);
  }
  const cluster = betray(loadLocalCluster(dir, context.environment), flags);
  checkSame(cluster, flags);
  checkSameApplication(cluster, flags, context.environment);
  refuseRunning(dir, `${programName(process.argv[1])} ${shellCommand('cluster', '--dir', dir, '--stop')}`, context);
  await checkPorts(cluster.members);
  return cluster;
}

async function runInForeground(cluster: LocalCluster, directory: string, context: Context): Promise<void> {
  const supervisor = new ClusterSupervisor(cluster, context);
  const signals = new StopSignals(() => supervisor.kill());
  writeClusterFile(cluster.directory, supervisor.describe(cluster));
  const program = programName(process.argv[1]);
  supervisor.serving().then((serving) => {
    if (signals.first === undefined && serving.length > 0) {
      context.out(
        `${formatClusterReport({ cluster, serving, directory, program, isDetached: false }, context.colours)}\n`,
      );
    }
  });
  const first = await Promise.race([signals.requested, supervisor.ended()]);
  if (first === undefined) {
    context.note('pbft: all replicas have ended');
    context.exitCode = EXIT.failed;
  } else {
    context.out(`Stopping (${first}); once more to kill\n`);
    context.exitCode = (await supervisor.stop()) ? EXIT.done : EXIT.failed;
  }
  signals.release();
  removeClusterFile(cluster.directory);
}

async function runCluster(flags: ClusterFlags, context: Context): Promise<void> {
  const { dir } = flags;
  if (flags.stop === true) {
    await stopCluster(dir, context);
    return;
  }
  const deadlineMs = Date.now() + DETACH_MAX_MS;
  const cluster = await prepare(flags, context);
  if (flags.detach !== true) {
    await runInForeground(cluster, dir, context);
    return;
  }
  await startDetached(cluster, context, deadlineMs);
  const program = programName(process.argv[1]);
  context.out(
    formatClusterReport(
      { cluster, serving: cluster.members, directory: dir, program, isDetached: true },
      context.colours,
    ),
  );
}

/** Adds the command. */
export function addCluster(program: Command, context: Context): void {
  const command = program
    .command('cluster')
    .description('run all replicas of a cluster on this machine; makes it first where there is none')
    .addOption(directoryOption());
  for (const option of [...newClusterOptions(), ...byzantineOptions()]) {
    command.addOption(option);
  }
  command
    .option('--detach', 'return when all replicas serve; they log to replica-*/replica.log')
    .addOption(new Option('--stop', 'stop all replicas of the folder that run').conflicts(['detach']))
    .action((flags: ClusterFlags) => runCluster(flags, context));
}
