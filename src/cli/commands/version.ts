/** `pbft version`. */
import type { Command } from 'commander';
import { PROTOCOL_VERSION, VERSION } from '../../replica/version.js';
import { type Context, writeJson } from '../context.js';
import { jsonOption } from '../input/flags.js';

/** Adds the command. */
export function addVersion(program: Command, context: Context): void {
  program
    .command('version')
    .description('print the versions of the program and of its protocol')
    .addOption(jsonOption())
    .action(({ json }: { readonly json?: boolean }) => {
      const node = process.versions.node;
      if (json === true) {
        writeJson(context, { version: VERSION, protocolVersion: PROTOCOL_VERSION, node });
      } else {
        context.out(`pbft ${VERSION} (protocol ${PROTOCOL_VERSION}, Node.js ${node})\n`);
      }
    });
}
