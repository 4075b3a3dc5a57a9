/** `pbft keys`: what becomes of keys and certificates after `init`. */
import { type Command, Option } from 'commander';
import { type RenewedCertificate, renewCertificates } from '../../replica/renew-certificates.js';
import { type Context, writeJson } from '../context.js';
import { directoryOption, integerBetween, jsonOption } from '../input/flags.js';
import { formatTable } from '../output/table.js';

interface RenewFlags {
  readonly dir: string;
  readonly replica?: number;
  readonly authority?: boolean;
  readonly json?: boolean;
}

function dayOf(timeMs: number): string {
  return new Date(timeMs).toISOString().slice(0, 10);
}

/** What is left to do. */
function nextStep(renewed: readonly RenewedCertificate[]): string {
  const names = renewed.flatMap(({ replica }) => (replica === undefined ? [] : [replica.name]));
  if (names.length === 0) {
    return 'Nothing has to be started again.';
  }
  const which = names.length === 1 ? names[0] : `${names.join(', ')}, one after the other, each when the last is ready`;
  return `Restart ${which}: until then the old certificate is used.`;
}

function renew(flags: RenewFlags, context: Context): void {
  const { dir, replica, authority } = flags;
  const renewed = renewCertificates({
    directory: dir,
    ...(replica === undefined ? {} : { replica }),
    ...(authority === undefined ? {} : { authority }),
  });
  if (flags.json === true) {
    const rows = renewed.map(({ file, replica: whose, oldExpiryMs, expiryMs }) => ({
      file,
      replica: whose?.id ?? null,
      previouslyExpires: new Date(oldExpiryMs).toISOString(),
      expires: new Date(expiryMs).toISOString(),
    }));
    writeJson(context, { renewed: rows });
    return;
  }
  const rows = renewed.map(({ file, oldExpiryMs, expiryMs }) => [file, dayOf(oldExpiryMs), dayOf(expiryMs)]);
  context.out(formatTable(['certificate', 'old ends', 'new ends'], rows, context.colours));
  context.out(`\n${nextStep(renewed)}\n`);
}

/** Adds the commands. */
export function addKeys(program: Command, context: Context): void {
  program
    .command('keys')
    .description("what becomes of a cluster's keys and certificates")
    .command('renew')
    .description('make new certificates for the keys that the genesis pins, where the folder `ca` is; keys stay')
    .addOption(directoryOption())
    .addOption(new Option('--replica <i>', 'of one replica; of all by default').argParser(integerBetween(0, 99)))
    .addOption(new Option('--authority', "the authority's own certificate instead").conflicts('replica'))
    .addOption(jsonOption())
    .action((flags: RenewFlags) => renew(flags, context));
}
