/**
 * A replica can't start: the message says what is wrong and what to do. Never shown with a stack trace.
 *
 * @example
 * ```ts
 * import { initializeCluster, StartError, startReplica } from 'pbft';
 *
 * const { replicas } = await initializeCluster({ directory: 'bank', replicaCount: 1, application: 'accounts' });
 * try {
 *   await startReplica({ file: replicas[0]?.configurationFile ?? '', onFatal: () => undefined });
 * } catch (error) {
 *   console.log(error instanceof StartError && error.message.includes('which is not built in')); //> true
 * }
 * ```
 */
export class StartError extends Error {
  override readonly name: string = 'StartError';
}

/** Enough peers to contain a correct one have a live link of this replica's identity: it runs elsewhere. */
export class IdentityInUseError extends StartError {
  override readonly name = 'IdentityInUseError';
}
