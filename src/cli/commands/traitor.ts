/**
 * `pbft traitor start`: the process of a replica that `pbft cluster --byzantine` makes a traitor; not for people. It is
 * the one place that loads the adversary, and only here: `pbft start` runs correct replicas, whatever it is told.
 */
import { type Command, Option } from 'commander';
import { loadConfiguration } from '../../config/load-configuration.js';
import {
  addressesBeyondLoopback,
  refuseBeyondLoopback,
  TRAITOR_KINDS,
  type TraitorKind,
} from '../cluster/byzantine.js';
import type { Context } from '../context.js';
import { configurationSources } from '../input/flags.js';
import { addStartOptions, runReplica, type StartFlags } from './start.js';

interface TraitorFlags extends StartFlags {
  readonly kind: TraitorKind;
}

async function runTraitor(flags: TraitorFlags, context: Context): Promise<void> {
  const { kind } = flags;
  // Checked by the one who lies, too: it may be started with other settings than the cluster was looked at with.
  refuseBeyondLoopback(addressesBeyondLoopback(loadConfiguration(configurationSources(flags, context)).configuration));
  const { answerOfTraitor, createTraitorTransport, statusOfTraitor } = await import('../../adversary/traitor.js');
  await runReplica(flags, context, {
    warning: `a traitor: ${TRAITOR_KINDS[kind]}`,
    wrapping: {
      transport: (transport, parts) => createTraitorTransport(kind, transport, parts),
      answer: (answer) => answerOfTraitor(kind, answer),
      status: (status) => statusOfTraitor(kind, status),
    },
  });
}

/** Adds the command. */
export function addTraitor(program: Command, context: Context): void {
  const traitor = program.command('traitor', { hidden: true }).description('what `pbft cluster --byzantine` starts');
  const start = traitor
    .command('start')
    .addOption(new Option('--kind <kind>', 'how it betrays').choices(Object.keys(TRAITOR_KINDS)).makeOptionMandatory());
  addStartOptions(start, context).action((flags: TraitorFlags) => runTraitor(flags, context));
}
