/** What an attack among real processes is. The attacks themselves stand beside this file, one kind a file. */

/** Where the attacked cluster is. Indexes of the lists are replicas. */
export interface AttackedCluster {
  /** The cluster's folder: genesis, and each replica's keys. */
  readonly directory: string;
  readonly clientPorts: readonly number[];
  readonly peerPorts: readonly number[];
  readonly httpPorts: readonly number[];
  /** The replica that the attack goes to. */
  readonly target: number;
}

/** What an attacker counted: names to numbers, printed beside the figures. */
export type AttackTally = Readonly<Record<string, number>>;

/** One attack. */
export interface Attack {
  /** In kebab-case: what `ATTACK=` takes. */
  readonly name: string;
  /** Its case in the catalogue of faults, such as `FU-03`. */
  readonly fault: string;
  /** A sentence. */
  readonly title: string;
  /** A `peer` has the keys of the last replica, which does not run. A `caller` has none. */
  readonly by: 'caller' | 'peer';
  /** Puts into the cluster what the attack needs, before anything is measured. */
  readonly prepare?: (cluster: AttackedCluster) => Promise<void>;
  /** Attacks until `isOver`; runs in a process of its own. Says what was done. */
  readonly run: (cluster: AttackedCluster, isOver: () => boolean) => Promise<AttackTally>;
}
