/** Network addresses as `host:port`, an IPv6 host in brackets. */
import { isIP } from 'node:net';

/** Where something listens or is reached. */
export interface Address {
  /** A name or an IP address, without brackets. */
  readonly host: string;
  /** 1 to 65,535, or 0 for any free port where something listens. */
  readonly port: number;
}

const ADDRESS = /^(?:\[([0-9A-Fa-f:.]+)\]|([^:[\]\s/]+)):([0-9]{1,5})$/;
const PORT_MAX = 65_535;

/** The address in `text`, or undefined where it is none. */
export function parseAddress(text: string): Address | undefined {
  const [, bracketed, plain, digits] = ADDRESS.exec(text) ?? [];
  const host = bracketed ?? plain;
  const port = Number(digits);
  if (host === undefined || port > PORT_MAX || (bracketed !== undefined && isIP(bracketed) !== 6)) {
    return undefined;
  }
  return { host, port };
}

/** `host:port`, an IPv6 host in brackets. */
export function formatAddress({ host, port }: Address): string {
  return isIP(host) === 6 ? `[${host}]:${port}` : `${host}:${port}`;
}

/** Whether only this machine reaches the address. A name other than localhost could be anything. */
export function isLoopback({ host }: Address): boolean {
  return host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'));
}
