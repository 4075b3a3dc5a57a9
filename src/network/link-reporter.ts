/**
 * Counts and logs what becomes of links. A peer that misbehaves fast is counted each time and logged at most once a
 * second; a label is a replica's id or `unknown`, whatever the other side says it is.
 */

import type { Logger } from '../ports/logger.js';
import type { Metrics } from '../ports/metrics.js';
import type { TimerService } from '../ports/timer-service.js';
import type { ReplicaId } from '../protocol/identifiers.js';
import { unreachable } from '../util/assert.js';
import { type BucketLimits, TokenBucket } from '../util/token-bucket.js';
import type { EndReason, LinkEnd } from './link-end.js';

const LOG_LINES: BucketLimits = { max: 3, perSecond: 1 };
/** Of two processes with one identity, which go on trying for as long as both run. */
const CONFLICT_LINES: BucketLimits = { max: 1, perSecond: 0.1 };

/** What the reporter writes to. */
export interface ReporterOptions {
  readonly metrics: Metrics;
  readonly logger: Logger;
  readonly timers: TimerService;
}

type Level = keyof Logger;

/** By who must act: the operator now for a misconfiguration, today for a peer that misbehaves, else nobody. */
function levelOf(reason: EndReason): Level {
  switch (reason) {
    case 'mismatch':
    case 'identity':
    case 'conflict':
      return 'error';
    case 'handshake':
    case 'malformed':
    case 'oversized':
    case 'throttled':
      return 'warn';
    case 'closed':
    case 'replaced':
    case 'timeout':
      return 'info';
    case 'unreachable':
    case 'stopped':
      return 'debug';
    default:
      return unreachable(reason);
  }
}

/** Reports for all links of one replica. */
export class LinkReporter {
  private readonly options: ReporterOptions;
  private readonly logLimits = new Map<string, TokenBucket>();
  private suppressedCount = 0;

  constructor(options: ReporterOptions) {
    this.options = options;
  }

  /** A link, or an attempt to make one, ended. */
  ended(peer: ReplicaId | undefined, end: LinkEnd): void {
    const label = peer === undefined ? 'unknown' : String(peer);
    this.options.metrics.increment('pbft_link_resets_total', { peer: label, reason: end.reason });
    if (end.reason === 'mismatch' && peer !== undefined) {
      this.options.metrics.set('pbft_config_mismatch', { peer: label }, 1);
    }
    if (!(end.reason === 'conflict' ? this.mayLogConflict(label) : this.mayLog(label))) {
      this.suppressedCount += 1;
      return;
    }
    const fields = { peer: label, reason: end.reason, detail: end.text, suppressed: this.suppressedCount };
    this.suppressedCount = 0;
    this.options.logger[levelOf(end.reason)](fields, 'peer link ended');
  }

  /** A message of this replica is above the limit: dropped here, where sending it would end the link each time. */
  refusedOversized(peer: ReplicaId, sizeBytes: number): void {
    if (this.mayLog('own')) {
      this.options.logger.error({ peer, sizeBytes }, 'message above the link limit not sent');
    }
  }

  /** Two processes run as the peer: one has a live link, one showed up beside it. */
  conflict(peer: ReplicaId, addresses: { readonly live: string; readonly rival: string }): void {
    const label = { peer: String(peer) };
    this.options.metrics.increment('pbft_identity_conflicts_total', label);
    if (this.mayLogConflict(String(peer))) {
      const text = 'two processes run as one replica: stop one of them, and never start two with the same data or keys';
      this.options.logger.error({ ...label, ...addresses }, text);
    }
  }

  /** A peer says that somebody else connected to it as this replica. It may lie: nothing follows from it here. */
  toldOfRival(peer: ReplicaId, rival: string): void {
    if (this.mayLogConflict('rival')) {
      const text = 'a peer reports another process that runs as this replica: never run two with the same data or keys';
      this.options.logger.error({ peer: String(peer), rival }, text);
    }
  }

  /** The system gave no descriptor for a connection to the peer port. */
  acceptFailed(error: Error): void {
    if (this.mayLog('accept')) {
      const fields = { port: 'peer', error: error.message };
      this.options.logger.warn(fields, 'peer port: a connection could not be accepted; raise the limit of descriptors');
    }
  }

  /** A link is up: both ends agree on everything. */
  connected(peer: ReplicaId): void {
    const label = String(peer);
    this.options.metrics.set('pbft_config_mismatch', { peer: label }, 0);
    this.options.metrics.set('pbft_peer_connected', { peer: label }, 1);
    this.options.logger.info({ peer: label }, 'peer link up');
  }

  /** A link that was up is down. */
  disconnected(peer: ReplicaId): void {
    this.options.metrics.set('pbft_peer_connected', { peer: String(peer) }, 0);
  }

  private mayLog(label: string): boolean {
    return this.take(label, LOG_LINES);
  }

  private mayLogConflict(label: string): boolean {
    return this.take(`conflict ${label}`, CONFLICT_LINES);
  }

  private take(name: string, limits: BucketLimits): boolean {
    const nowMs = this.options.timers.elapsedMs();
    let limit = this.logLimits.get(name);
    if (limit === undefined) {
      limit = new TokenBucket(limits, nowMs);
      this.logLimits.set(name, limit);
    }
    return limit.take(nowMs);
  }
}
