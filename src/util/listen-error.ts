/** Why a port can't be listened at, in words that name the address and what to do. The same for every port of a replica. */

/** A port that was to be opened. */
export interface ListenPort {
  /** For whom, as in "can't listen for callers at". */
  readonly purpose: string;
  readonly host: string;
  readonly port: number;
  /** The setting that holds the address, such as `listen.client`. */
  readonly setting: string;
}

const REASONS: Readonly<Record<string, { readonly message: string; readonly remedy: string }>> = {
  EADDRINUSE: { message: 'another process uses the port', remedy: 'stop it, or choose another port' },
  EACCES: { message: 'this user may not use the port', remedy: 'choose one above 1023' },
  EADDRNOTAVAIL: { message: 'the machine has no such address', remedy: 'choose another host' },
  ENOTFOUND: { message: 'no address has that name', remedy: 'choose another host' },
};

/** The error of a failed attempt to listen, for the operator. */
export function describeListenError({ purpose, host, port, setting }: ListenPort, error: Error): Error {
  const address = host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
  const code = 'code' in error && typeof error.code === 'string' ? error.code : error.name;
  const { message, remedy } = REASONS[code] ?? { message: error.message, remedy: 'choose another address' };
  const text = `can't listen for ${purpose} at ${address}: ${message} (${code}); ${remedy} in \`${setting}\``;
  return new Error(text, { cause: error });
}
