/** The versions of the software and of what it speaks. */
import { readFileSync } from 'node:fs';

/**
 * The version of the protocol between replicas; both ends of a link must speak the same.
 *
 * @example
 * ```ts
 * import { PROTOCOL_VERSION } from 'pbft';
 *
 * console.log(Number.isInteger(PROTOCOL_VERSION)); //> true
 * ```
 */
export const PROTOCOL_VERSION = 3;

/**
 * The package's version.
 *
 * @example
 * ```ts
 * import { VERSION } from 'pbft';
 *
 * console.log(/^\d+\.\d+\.\d+/.test(VERSION)); //> true
 * ```
 */
export const VERSION: string = readVersion();

function readVersion(): string {
  const manifest: unknown = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));
  return typeof manifest === 'object' && manifest !== null && 'version' in manifest
    ? String(manifest.version)
    : 'unknown';
}
