/** The file of an authority's certificates, `--ca`: read and judged before anybody is asked. */
import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { CommandError } from '../exit.js';

const CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;
const REMEDY = "Name the authority's certificate, in PEM form: client-0/ca.crt in the cluster's folder";

/** Reads the file. Throws a CommandError that says what is wrong with it. */
export function readAuthorityFile(file: string): Uint8Array {
  const bytes = read(file);
  const text = bytes.toString('latin1');
  const certificates = text.match(CERTIFICATE) ?? [];
  if (certificates.length === 0) {
    throw refusal(file, text.includes('PRIVATE KEY') ? 'holds a key, not a certificate' : 'holds no certificate');
  }
  for (const pem of certificates) {
    const certificate = parse(pem);
    if (certificate === undefined) {
      throw refusal(file, 'holds a certificate that can not be read');
    }
    if (!certificate.ca) {
      throw refusal(file, `holds the certificate of "${nameOf(certificate)}", which is no authority`);
    }
  }
  return bytes;
}

function read(file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (error) {
    throw refusal(file, reasonOf(error));
  }
}

function reasonOf(error: unknown): string {
  switch (error instanceof Error && 'code' in error ? error.code : undefined) {
    case 'ENOENT':
    case 'ENOTDIR':
      return 'does not exist';
    case 'EISDIR':
      return 'is a folder';
    case 'EACCES':
    case 'EPERM':
      return 'may not be read by this user';
    default:
      return `can not be read (${error instanceof Error ? error.message : String(error)})`;
  }
}

function parse(pem: string): X509Certificate | undefined {
  try {
    return new X509Certificate(pem);
  } catch {
    return undefined;
  }
}

function nameOf({ subject }: X509Certificate): string {
  return subject.replace(/^CN=/, '');
}

function refusal(file: string, what: string): CommandError {
  return new CommandError(`the authority's file ${file} ${what}\n${REMEDY}`);
}
