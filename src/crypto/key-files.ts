/**
 * Reading key files. Public ones are judged by their content; private ones by who else could have read or replaced them
 * too, as ssh does (MK-06).
 *
 * 1. A private key is a regular file of this process's user that group and others can't touch.
 * 2. It is not a symbolic link: whoever may write the link's folder would choose the key. Orchestrators mount secrets
 *    as links to files of root that the process's group may read; the policy `mounted` allows just that.
 * 3. The file that is judged is the one that is read: one descriptor.
 * 4. No error quotes a file's content.
 */

import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import { ConfigurationError } from '../util/configuration-error.js';
import type { Result } from '../util/result.js';
import { shellCommand } from '../util/shell.js';
import { describeFileFault } from '../util/system-error.js';
import { type KeyFault, readPrivateKey } from './keys.js';

/** How strictly a private key's file is judged: `mounted` for secrets that an orchestrator mounts. */
export type KeyFilePolicy = 'strict' | 'mounted';

/** No key or certificate comes near it. */
const FILE_BYTES_MAX = 65_536;
const MODE_OF_OTHERS = 0o077;
/** Group may read. */
const MODE_OF_OTHERS_MOUNTED = 0o037;

function errorCode(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : '';
}

/** Says why a file can't be opened. */
function openFault(error: unknown): KeyFault {
  switch (errorCode(error)) {
    case 'ENOENT':
      return { message: 'the file is missing', remedy: 'Correct the path, or make the files with `pbft init`' };
    case 'ELOOP':
      return {
        message: 'the private key is a symbolic link',
        remedy: 'Name the file itself, or set `keyFilePolicy: mounted` where an orchestrator mounts it',
      };
    default:
      return describeFileFault(error, 'read', 'Correct the path');
  }
}

function judgeOwner(file: string, stat: { uid: number; mode: number }, policy: KeyFilePolicy): KeyFault | undefined {
  const user = process.getuid?.();
  const mayBeRoots = policy === 'mounted' && stat.uid === 0;
  if (user !== undefined && stat.uid !== user && !mayBeRoots) {
    return {
      message: `the private key belongs to user ${stat.uid}, this process runs as user ${user}`,
      remedy: `Run \`${shellCommand('chown', String(user), file)}\``,
    };
  }
  const open = stat.mode & (policy === 'mounted' ? MODE_OF_OTHERS_MOUNTED : MODE_OF_OTHERS);
  if (open !== 0) {
    const mode = (stat.mode & 0o777).toString(8).padStart(4, '0');
    const command = shellCommand('chmod', '600', file);
    return { message: `the private key is open to others (mode ${mode})`, remedy: `Run \`${command}\`` };
  }
  return undefined;
}

function readDescriptor(descriptor: number, sizeBytes: number): string {
  const bytes = Buffer.alloc(sizeBytes);
  let length = 0;
  while (length < sizeBytes) {
    const read = readSync(descriptor, bytes, length, sizeBytes - length, null);
    if (read === 0) {
      break;
    }
    length += read;
  }
  return bytes.toString('utf8', 0, length);
}

function fail(file: string, fault: KeyFault): never {
  throw new ConfigurationError({ file, path: '', message: fault.message, remedy: fault.remedy });
}

/** Opens, judges and reads a file; `policy` is undefined for files that are not secret. */
function readFile(file: string, policy: KeyFilePolicy | undefined): string {
  // Without O_NONBLOCK a named pipe would hold the process.
  const flags = constants.O_RDONLY | constants.O_NONBLOCK | (policy === 'strict' ? constants.O_NOFOLLOW : 0);
  let descriptor: number;
  try {
    descriptor = openSync(file, flags);
  } catch (error) {
    return fail(file, openFault(error));
  }
  try {
    const stat = fstatSync(descriptor);
    if (!stat.isFile()) {
      return fail(file, { message: 'this is not a regular file', remedy: 'Correct the path' });
    }
    const fault = policy === undefined ? undefined : judgeOwner(file, stat, policy);
    if (fault !== undefined) {
      return fail(file, fault);
    }
    if (stat.size > FILE_BYTES_MAX) {
      return fail(file, { message: `the file has ${stat.size} bytes, too many for a key`, remedy: 'Correct the path' });
    }
    return readDescriptor(descriptor, stat.size);
  } finally {
    closeSync(descriptor);
  }
}

function valueOrFail<T>(file: string, result: Result<T, KeyFault>): T {
  return result.ok ? result.value : fail(file, result.error);
}

/** Loads a private key. Throws a ConfigurationError where the file or the key is refused. */
export function loadPrivateKey(file: string, policy: KeyFilePolicy = 'strict'): KeyObject {
  return valueOrFail(file, readPrivateKey(readFile(file, policy)));
}

/** A certificate of an own file. */
export interface LoadedCertificate {
  readonly pem: string;
  readonly certificate: X509Certificate;
}

/** Loads one certificate in PEM form. Throws a ConfigurationError where there is none. */
export function loadCertificate(file: string): LoadedCertificate {
  const pem = readFile(file, undefined);
  try {
    return { pem, certificate: new X509Certificate(pem) };
  } catch {
    return fail(file, { message: 'this is no certificate in PEM form', remedy: 'Give the certificate, not its key' });
  }
}

/** A TLS server's key and certificate chain. */
export interface TlsPair {
  readonly keyPem: string;
  readonly certificatePem: string;
}

/**
 * Loads the key and certificate of the client port: any type of key that TLS takes, as an ordinary authority issues it.
 * Throws a ConfigurationError where the file is refused or the two don't belong together.
 */
export function loadTlsPair(files: {
  readonly keyFile: string;
  readonly certificateFile: string;
  readonly policy: KeyFilePolicy;
}): TlsPair {
  const keyPem = readFile(files.keyFile, files.policy);
  const { pem, certificate } = loadCertificate(files.certificateFile);
  let isPair: boolean;
  try {
    isPair = certificate.checkPrivateKey(createPrivateKey(keyPem));
  } catch {
    return fail(files.keyFile, { message: 'this is no unencrypted private key in PEM form', remedy: 'Give the key' });
  }
  return isPair
    ? { keyPem, certificatePem: pem }
    : fail(files.keyFile, { message: `the key does not belong to ${files.certificateFile}`, remedy: 'Give the pair' });
}
