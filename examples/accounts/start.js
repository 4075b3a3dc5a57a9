// @ts-check
/** Runs one replica of the accounts, as a program that embeds one does: `node start.js CONFIG`. */
import { startReplica } from 'pbft';
import { stateMachine } from './accounts.js';

const [file = 'config.yaml'] = process.argv.slice(2);
const replica = await startReplica({
  file,
  environment: process.env,
  stateMachine,
  // It gave up, for good reasons: it must not vote any more.
  onFatal: () => process.exit(1),
});
replica.logger.info({ ...replica.addresses }, 'serving');
process.once('SIGTERM', () => replica.stop().then(() => process.exit(0)));
