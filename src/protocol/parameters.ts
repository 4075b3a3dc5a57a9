/** What the core is configured with. Range checks are made where the configuration is loaded; here they are asserted. */

/** Parameters that must be equal at all replicas: they stand in the genesis. */
export interface ConsensusParameters {
  /** K: a checkpoint is taken at each multiple of it. 128 by default. */
  readonly checkpointInterval: number;
  /** H − h, a multiple of K, at least 2K. 256 by default. */
  readonly windowSize: number;
  /** The most operations in a batch, at most 65,536. 1,000 by default. */
  readonly batchOperationsMax: number;
  /** The longest encoded batch. 2 MiB by default. */
  readonly batchBytesMax: number;
  /** The longest encoded request. 1 MiB + 64 KiB by default. */
  readonly requestBytesMax: number;
  /** The most that the operations of a request cost together (`PreparedOperation.cost`). 2 MiB by default. */
  readonly requestCostMax: number;
  /** The most that the requests of a batch cost together. 8 MiB by default. */
  readonly batchCostMax: number;
  /** The longest result of an operation. 1 MiB + 64 KiB by default. */
  readonly resultBytesMax: number;
  /** The most bytes of results kept of a client. 4 MiB by default. */
  readonly keptResultBytesMax: number;
  /** How far a request's number may be above the client's acknowledged one. 1,024 by default. */
  readonly clientWindow: number;
  /** A multiple of K: a snapshot is taken at each multiple of it. 64 × K by default. */
  readonly snapshotInterval: number;
  /** How far ahead of the own clock a batch's timestamp may be before its vote waits. 10 s by default. */
  readonly clockDriftMs: number;
}

/** Parameters that each replica chooses for itself. */
export interface LocalParameters {
  /** The most sequences in flight while this replica is primary, 1 to the window. 8 by default. */
  readonly pipeline: number;
  /** How long a request may wait before this replica acts on it. 2 s by default. */
  readonly requestTimeoutMs: number;
  /** The longest that timeouts grow to. 60 s by default. */
  readonly requestTimeoutMaxMs: number;
  /** How long a batch that isn't full waits while another is in flight. 20 ms by default. */
  readonly batchDelayMs: number;
  /** The most requests that wait at this replica of one client, and of all. */
  readonly waitingRequestsOfClientMax: number;
  readonly waitingRequestsMax: number;
  /** The most bytes of requests that wait at this replica. */
  readonly waitingBytesMax: number;
}
