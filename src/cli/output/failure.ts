/**
 * What a failed command prints, and the code it ends with. Every error that is meant for people is a message with what
 * to do; anything else is a bug of this program and gets one line, with the stack trace only on request.
 */
import { ClientError } from '../../client/client-error.js';
import { IdentityInUseError, StartError } from '../../replica/start-error.js';
import { ConfigurationError, describeProblem } from '../../util/configuration-error.js';
import { describeSystemFault, pathOf, systemFaultOf } from '../../util/system-error.js';
import { CommandError, EXIT, type ExitCode } from '../exit.js';
import { harmless } from './colours.js';

/** What is printed of a failure. */
export interface Failure {
  readonly lines: readonly string[];
  readonly exitCode: ExitCode;
}

/** Places of values that stand on the command line. */
const COMMAND_LINE: ReadonlySet<string> = new Set(['', 'flags']);

function describeConfigurationError({ problems }: ConfigurationError): Failure {
  const isUsage = problems.every(({ file }) => COMMAND_LINE.has(file));
  return { lines: problems.map(describeProblem), exitCode: isUsage ? EXIT.usage : EXIT.failed };
}

/** What to do on the command line about a connection that never was. */
const CONNECTION_HINTS: ReadonlyMap<string, string> = new Map([
  ['NOT_TLS', 'Leave out --ca'],
  [
    'NOT_PLAINTEXT',
    "Where callers are served with TLS, name the authority with --ca: client-0/ca.crt in the cluster's folder",
  ],
  ['CERTIFICATE_UNTRUSTED', 'Name the authority of this very cluster with --ca: client-0/ca.crt in its folder'],
  ['CERTIFICATE_NAME', 'Ask by a name that the certificate has, or give one of them with --server-name'],
  ['NOT_FOR_CALLERS', 'Callers are served at listen.client of config.yaml; `pbft cluster` and cluster.json name it'],
]);

function describeClientError({ message, reason, outcomeKnown, replica }: ClientError): Failure {
  const lines = harmless(message).split('\n');
  if (outcomeKnown) {
    const hint = CONNECTION_HINTS.get(reason);
    return { lines: hint === undefined ? lines : [...lines, hint], exitCode: EXIT.failed };
  }
  const where = replica === undefined ? 'the replica that was asked' : harmless(replica);
  const hint =
    `Read before you repeat it. A repeat with the same --request-id is not executed again at ${where}, unless that was ` +
    'started again meanwhile: no other replica knows the id';
  return { lines: [...lines, hint], exitCode: EXIT.outcomeUnknown };
}

/** An error of the operating system, such as a file that is missing: its message names the file. */
function isSystemError(error: Error): boolean {
  return 'syscall' in error && 'code' in error;
}

/** Says what went wrong. `showStack`: a bug is shown with where it happened. */
export function describeFailure(error: unknown, showStack = false): Failure {
  if (error instanceof CommandError) {
    return { lines: error.message.split('\n'), exitCode: error.exitCode };
  }
  if (error instanceof ConfigurationError) {
    return describeConfigurationError(error);
  }
  if (error instanceof ClientError) {
    return describeClientError(error);
  }
  if (error instanceof IdentityInUseError) {
    return { lines: [error.message], exitCode: EXIT.identityInUse };
  }
  if (error instanceof StartError) {
    return { lines: [error.message], exitCode: EXIT.failed };
  }
  if (error instanceof Error && isSystemError(error)) {
    const fault = systemFaultOf(error);
    const line = fault === undefined ? error.message : describeSystemFault(fault, pathOf(error));
    return { lines: [line], exitCode: EXIT.failed };
  }
  const text = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  const stack = showStack && error instanceof Error ? (error.stack ?? '').split('\n').slice(1) : [];
  const hint = showStack
    ? 'Please report this'
    : 'This is a bug: please report what DEBUG=pbft in the environment shows';
  return { lines: [`unexpected error: ${text.split('\n', 1)[0] ?? ''}`, ...stack, hint], exitCode: EXIT.failed };
}
