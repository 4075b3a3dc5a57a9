/**
 * The birth mark: a small file that `pbft init` puts into each replica's data directory, and that the first start
 * consumes. It is what tells a replica that has never voted from one that lost its memory of its votes: without the mark
 * an empty data directory is a lost one (FU-01).
 *
 * It stands inside the data directory and not beside the configuration: a folder of configuration is often deployed again
 * as a whole, and a mark that came back with it would hide a lost disk.
 */
import { failed, ok, type Result } from '../util/result.js';
import { type DirectoryIdentity, describeDifference } from './directory-identity.js';

const FORMAT = 'pbft-birth-1';
const PURPOSE = 'The first start of this replica consumes this file. Never put it back, never make another one.';

/** The mark's text: JSON, so that an operator can read it. */
export function encodeBirthMark({ clusterId, replica, keyFingerprint }: DirectoryIdentity): string {
  return `${JSON.stringify({ format: FORMAT, purpose: PURPOSE, clusterId, replica, keyFingerprint }, undefined, 2)}\n`;
}

/** Whether the text is the mark of this replica, or why it isn't. */
export function judgeBirthMark(text: string, asked: DirectoryIdentity): Result<void, string> {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    return failed('it is not JSON');
  }
  const fields = new Map<string, unknown>(typeof parsed === 'object' && parsed !== null ? Object.entries(parsed) : []);
  const clusterId = fields.get('clusterId');
  const replica = fields.get('replica');
  const keyFingerprint = fields.get('keyFingerprint');
  if (fields.get('format') !== FORMAT) {
    return failed(`its format is not ${FORMAT}`);
  }
  if (typeof clusterId !== 'string' || typeof replica !== 'number' || typeof keyFingerprint !== 'string') {
    return failed('clusterId, replica or keyFingerprint is missing');
  }
  const difference = describeDifference({ clusterId, replica, keyFingerprint }, asked);
  return difference === undefined ? ok(undefined) : failed(difference);
}
