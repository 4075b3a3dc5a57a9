/** Reports: what operators see of a replica. It is told, and decides nothing. */
import type { RoomOptions } from '../replica-runtime-options.js';
import { Instrumentation } from './instrumentation.js';

/** Makes it. */
export function createReport(options: RoomOptions): Instrumentation {
  const { identity, consensus } = options;
  return new Instrumentation({ ...options, replica: identity.replica, windowSize: consensus.windowSize });
}
