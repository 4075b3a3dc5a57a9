/**
 * What a program gives to the client library, judged before anything leaves this machine: it may come from plain
 * JavaScript, or from input that nobody looked at. What is wrong is a ClientError like every other failure.
 */
import { X509Certificate } from 'node:crypto';
import type { ExpectedValue } from '../wire/gen/pbft/v1/key_value.js';
import type { Endpoint, TlsOptions } from './caller.js';
import { wrongArgument } from './client-error.js';

/** A value: text as a string, anything else as bytes. It is given back in the form in which it was put. */
export type ClientValue = string | Uint8Array;

/** What a compare-and-swap expects of the key: that it is absent, its version, or its value. */
export type ClientExpectation =
  | { readonly absent: true }
  | { readonly version: number }
  | { readonly value: ClientValue };

/** Timers of Node.js hold no more. */
const TIMEOUT_MAX_MS = 2_147_483_647;
const UINT32_MAX = 4_294_967_295;
const PORT_MAX = 65_535;
const CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]*(?:-----END CERTIFICATE-----)?/g;
const ADDRESS = /^(?:\[[0-9a-fA-F:.]+(?:%[\w.-]+)?\]|[^\s:/[\]]+):([0-9]{1,5})$/;

function isObject(given: unknown): given is object {
  return typeof given === 'object' && given !== null;
}

/** A string that is Unicode: what isn't would change on its way. */
export function textOf(field: string, given: unknown): string {
  if (typeof given !== 'string') {
    throw wrongArgument(field, `must be a string, not ${kindOf(given)}`);
  }
  if (!given.isWellFormed()) {
    throw wrongArgument(field, 'must be well-formed Unicode: half of a surrogate pair stands there');
  }
  return given;
}

/** Bytes. */
export function bytesOf(field: string, given: unknown): Buffer {
  if (!(given instanceof Uint8Array)) {
    throw wrongArgument(field, `must be a Uint8Array, not ${kindOf(given)}`);
  }
  return Buffer.from(given.buffer, given.byteOffset, given.length);
}

/** A value in the form in which it travels. */
export function formOf(
  field: string,
  given: unknown,
): { $case: 'text'; value: string } | { $case: 'data'; value: Buffer } {
  if (typeof given !== 'string' && !(given instanceof Uint8Array)) {
    throw wrongArgument(field, `must be a string or a Uint8Array, not ${kindOf(given)}`);
  }
  return typeof given === 'string'
    ? { $case: 'text', value: textOf(field, given) }
    : { $case: 'data', value: bytesOf(field, given) };
}

/** What a compare-and-swap expects, in the form in which it travels. */
export function expectationOf(given: unknown): NonNullable<ExpectedValue['expected']> {
  if (isObject(given) && 'absent' in given && given.absent === true) {
    return { $case: 'absent', value: true };
  }
  if (isObject(given) && 'version' in given) {
    return { $case: 'version', value: integerOf('expected.version', given.version, Number.MAX_SAFE_INTEGER) };
  }
  if (isObject(given) && 'value' in given) {
    return formOf('expected.value', given.value);
  }
  throw wrongArgument('expected', 'must be { absent: true }, { version } or { value }');
}

/** A whole number from 0 on. */
export function integerOf(field: string, given: unknown, max = UINT32_MAX): number {
  if (typeof given !== 'number' || !Number.isSafeInteger(given) || given < 0 || given > max) {
    throw wrongArgument(field, `must be a whole number from 0 to ${max}, not ${kindOf(given)}`);
  }
  return given;
}

/** An object of named arguments; none is an empty one. */
export function objectOf<T extends object>(field: string, given: T | undefined): Partial<T> {
  if (given !== undefined && !isObject(given)) {
    throw wrongArgument(field, `must be an object, not ${kindOf(given)}`);
  }
  return given ?? {};
}

/** Milliseconds to wait. */
export function timeoutOf(given: unknown): number {
  if (typeof given !== 'number' || !(given >= 0 && given <= TIMEOUT_MAX_MS)) {
    throw wrongArgument('timeoutMs', `must be a number from 0 to ${TIMEOUT_MAX_MS}, not ${kindOf(given)}`);
  }
  return given;
}

/** What gives a call up, or undefined. */
export function signalOf(given: unknown): AbortSignal | undefined {
  if (given !== undefined && !(given instanceof AbortSignal)) {
    throw wrongArgument('signal', `must be an AbortSignal, not ${kindOf(given)}`);
  }
  return given;
}

/** Whether a read is ordered. */
export function isLocal(given: unknown): boolean {
  if (given !== undefined && given !== 'ordered' && given !== 'local') {
    throw wrongArgument('consistency', "must be 'ordered' or 'local'");
  }
  return given === 'local';
}

/** The replicas to be asked, at least one; `tls` for those that say nothing else. */
export function endpointsOf(given: unknown, tls: TlsOptions | undefined): readonly Endpoint[] {
  const several: readonly unknown[] = Array.isArray(given) ? given : [given];
  if (several.length === 0) {
    throw wrongArgument('replicas', 'must name at least one replica');
  }
  return several.map((one) => {
    const endpoint = (isObject(one) ? one : { address: one }) as Endpoint;
    checkAddress(endpoint.address);
    const own = endpoint.tls ?? tls;
    if (own === undefined) {
      return endpoint;
    }
    checkCertificates(bytesOf('tls.rootCertificates', objectOf('tls', own).rootCertificates));
    return { ...endpoint, tls: own };
  });
}

/** Node.js takes anything for authorities and trusts nobody where it could read none. */
function checkCertificates(bytes: Buffer): void {
  const blocks = bytes.toString('latin1').match(CERTIFICATE) ?? [];
  try {
    for (const block of blocks) {
      new X509Certificate(block);
    }
  } catch {
    throw wrongArgument('tls.rootCertificates', 'hold a certificate that can not be read');
  }
  if (blocks.length === 0) {
    throw wrongArgument('tls.rootCertificates', 'hold no certificate in PEM');
  }
}

function checkAddress(given: unknown): void {
  const port = typeof given === 'string' ? Number(ADDRESS.exec(given)?.[1] ?? 0) : 0;
  if (port < 1 || port > PORT_MAX) {
    const shown = typeof given === 'string' ? JSON.stringify(given) : kindOf(given);
    throw wrongArgument('address', `must be host:port, such as 127.0.0.1:7400 or [::1]:7400, not ${shown}`);
  }
}

function kindOf(given: unknown): string {
  if (typeof given === 'number') {
    return String(given);
  }
  return given === null || given === undefined ? String(given) : Array.isArray(given) ? 'an array' : typeof given;
}
