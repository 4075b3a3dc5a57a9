/**
 * The package's public face: making and running replicas, calling them, writing an own state machine. Anything else is
 * internal and may change in any version.
 */

export type { Endpoint, TlsOptions } from './client/caller.js';
export {
  type CallOptions,
  type Client,
  type ClientEntry,
  type ClientExpectation,
  type ClientValue,
  type ConnectOptions,
  connect,
  type Place,
  type ReadOptions,
  type WriteOptions,
} from './client/client.js';
export {
  CLIENT_ERROR_CODES,
  ClientError,
  type ClientErrorCode,
  type ClientErrorFields,
} from './client/client-error.js';
export type { Address } from './config/address.js';
export type { ConfigurationSources } from './config/load-configuration.js';
export { sha256 } from './crypto/hash.js';
export { type Header, OUTCOME, type Outcome } from './ledger/header.js';
export { computeHeaderDigest, decodeHeader, encodeHeader, HEADER_BYTES, isNextHeader } from './ledger/header-codec.js';
export { computeResultsDigest, encodeLeaf, type Leaf } from './ledger/leaf.js';
export { computeMerklePaths, computeMerkleRoot, type MerklePaths, verifyMerklePath } from './ledger/merkle.js';
export type { Logger } from './ports/logger.js';
export type {
  ApplicationRange,
  ExecutionContext,
  ExecutionStore,
  Key,
  PreparedOperation,
  QueryStore,
  StateMachine,
} from './ports/state-machine.js';
export type { ConsensusParameters } from './protocol/parameters.js';
export {
  type InitializedCluster,
  type InitializeProgress,
  initializeCluster,
  isInitialized,
} from './replica/initialize.js';
export type { InitializedReplica, InitializeOptions } from './replica/initialize-plan.js';
export { StartError } from './replica/start-error.js';
export { type StartedReplica, type StartOptions, startReplica } from './replica/start-replica.js';
export { PROTOCOL_VERSION, VERSION } from './replica/version.js';
export type { ReplicaStatus } from './runtime/face.js';
export { ConfigurationError, type ConfigurationProblem } from './util/configuration-error.js';
export type { ClientId, Digest, Hash } from './util/digest.js';
export type { GetStatusResponse } from './wire/gen/pbft/v1/admin.js';
