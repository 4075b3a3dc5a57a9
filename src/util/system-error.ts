/**
 * What the operating system's errors mean for an operator: by their code, or by the text that the engines wrap them in.
 * They come before any other reading of an error: a file that may not be read is not a damaged one, and a process without
 * file descriptors has no broken disk.
 */

/** What the operating system refused. */
export interface SystemFault {
  /** Such as `EACCES`. */
  readonly code: string;
  /** What is wrong, as a part of a sentence. */
  readonly meaning: string;
  /** What to do. */
  readonly remedy: string;
}

interface Row {
  /** What C libraries and libuv call it; the engines pass on only this. */
  readonly texts: RegExp;
  readonly meaning: string;
  readonly remedy: (user: string) => string;
}

const DESCRIPTORS = 'the disk is not at fault: raise the limit';

/** Longer texts before those that they contain. */
const ROWS: readonly (readonly [string, Row])[] = [
  [
    'ENFILE',
    {
      texts: /too many open files in system|file table overflow/i,
      meaning: 'the machine has no file descriptors left',
      remedy: () => `${DESCRIPTORS} of the whole machine (sysctl fs.file-max), then start again`,
    },
  ],
  [
    'EMFILE',
    {
      texts: /too many open files|no file descriptors available/i,
      meaning: 'this process has no file descriptors left',
      remedy: () => `${DESCRIPTORS} (ulimit -n, or LimitNOFILE= of systemd), then start again`,
    },
  ],
  [
    'EACCES',
    {
      texts: /permission denied/i,
      meaning: 'this process may not use it',
      remedy: (user) => `give the file, and every folder above it, to ${user} (chown, chmod), or run as its owner`,
    },
  ],
  [
    'EPERM',
    {
      texts: /operation not permitted/i,
      meaning: 'this process may not do that',
      remedy: (user) => `give the file to ${user} (chown), remove its immutable flag (chattr -i), or run as its owner`,
    },
  ],
  [
    'EROFS',
    {
      texts: /read-only file ?system/i,
      meaning: 'the file system is read-only',
      remedy: () =>
        "mount it for writing; a system that found errors mounts it so by itself: look into the kernel's log first",
    },
  ],
  [
    'ENOSPC',
    {
      texts: /no space left on device/i,
      meaning: 'the disk is full',
      remedy: () => 'free space (bytes and inodes: df -h, df -i), then start the replica again',
    },
  ],
  [
    'EDQUOT',
    {
      texts: /quota exceeded/i,
      meaning: 'the disk is full: the quota is used up',
      remedy: (user) => `free space or raise the quota of ${user}, then start the replica again`,
    },
  ],
  [
    'EFBIG',
    {
      texts: /file too large/i,
      meaning: 'the disk is full: a file reached the limit of its size',
      remedy: () => 'raise the limit (ulimit -f), then start the replica again',
    },
  ],
  [
    'EIO',
    {
      texts: /input\/output error|\bi\/o error/i,
      meaning: 'the disk failed',
      remedy: () => "check the device (the kernel's log says more) before the replica is started again",
    },
  ],
  [
    'ENOTDIR',
    {
      texts: /not a directory/i,
      meaning: 'a part of this path is a file and no folder',
      remedy: () => 'correct the path in the configuration, or what stands there',
    },
  ],
  [
    'EISDIR',
    {
      texts: /is a directory|illegal operation on a directory/i,
      meaning: 'this is a folder where a file should be',
      remedy: () => 'correct the path in the configuration, or what stands there',
    },
  ],
  [
    'ELOOP',
    {
      texts: /too many levels of symbolic links|too many symbolic links|symbolic link loop/i,
      meaning: 'symbolic links on this path lead in a circle',
      remedy: () => 'name the folder itself',
    },
  ],
  [
    'ENAMETOOLONG',
    { texts: /file ?name too long|name too long/i, meaning: 'the path is too long', remedy: () => 'use a shorter one' },
  ],
  [
    'ENOLCK',
    {
      texts: /no locks available/i,
      meaning: 'the file system gives no locks',
      remedy: () => 'keep the data on a local disk; a network file system needs its lock service',
    },
  ],
  [
    'ENOMEM',
    {
      texts: /cannot allocate memory|out of memory|not enough memory/i,
      meaning: 'the machine has no memory left',
      remedy: () => 'the disk is not at fault: give the replica more memory, then start it again',
    },
  ],
  [
    'ESTALE',
    {
      texts: /stale (?:nfs )?file handle/i,
      meaning: 'the network file system lost this file',
      remedy: () => 'mount it anew, then start the replica again; a local disk is better',
    },
  ],
];

const BY_CODE: ReadonlyMap<string, Row> = new Map(ROWS);

/** This process's user, in words. */
function describeUser(): string {
  const user = process.geteuid?.();
  return user === undefined ? 'the user of this process' : `user ${user}, as which this process runs`;
}

/** What is behind an error: of Node.js by its code, of a library by the text that it wraps. Undefined for nothing known. */
export function systemFaultOf(thrown: unknown): SystemFault | undefined {
  const causes = causesOf(thrown);
  for (const cause of causes) {
    const code = 'code' in cause && typeof cause.code === 'string' ? cause.code : '';
    const row = BY_CODE.get(code);
    if (row !== undefined) {
      return faultOf(code, row);
    }
  }
  const text = causes.length === 0 ? String(thrown) : causes.map(({ message }) => message).join(': ');
  const found = ROWS.find(([, { texts }]) => texts.test(text));
  return found === undefined ? undefined : faultOf(...found);
}

/** The code of a system call's error, such as `ENOENT`; undefined for anything else. */
export function errorCodeOf(thrown: unknown): string | undefined {
  return thrown instanceof Error && 'code' in thrown && typeof thrown.code === 'string' ? thrown.code : undefined;
}

/** The file that a system call's error names; undefined for none. */
export function pathOf(thrown: unknown): string | undefined {
  const paths = causesOf(thrown).map((cause) => ('path' in cause && typeof cause.path === 'string' ? cause.path : ''));
  return paths.find((path) => path !== '');
}

/** One line about a fault: what, which file, and what to do. */
export function describeSystemFault({ code, meaning, remedy }: SystemFault, file: string | undefined): string {
  return `${file === undefined ? '' : `${file}: `}${meaning} (${code}); ${remedy}`;
}

function faultOf(code: string, { meaning, remedy }: Row): SystemFault {
  return { code, meaning, remedy: remedy(describeUser()) };
}

function causesOf(thrown: unknown): readonly Error[] {
  const causes: Error[] = [];
  for (let cause = thrown; cause instanceof Error && causes.length < 4; cause = cause.cause) {
    causes.push(cause);
  }
  return causes;
}

/** Why a file that an operator named can't be read or written: what is wrong, and what to do. */
export function describeFileFault(
  error: unknown,
  doing: 'read' | 'written',
  remedy: string,
): { readonly message: string; readonly remedy: string } {
  const fault = systemFaultOf(error);
  if (fault !== undefined) {
    return {
      message: `the file can not be ${doing}: ${fault.meaning} (${fault.code})`,
      remedy: capitalize(fault.remedy),
    };
  }
  const code = errorCodeOf(error);
  if (code === 'ENOENT') {
    return { message: 'the file is missing', remedy };
  }
  return { message: `the file can not be ${doing} (${code ?? String(error)})`, remedy };
}

function capitalize(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
