/** The console sessions of a document: what a reader would type and see. */

/** A command with what the document says it prints. */
export interface ConsoleStep {
  readonly command: string;
  readonly output: string;
}

/** The steps of all blocks fenced as `console`, in order. A line that begins with `$ ` is a command. */
export function readConsoleSteps(document: string): readonly ConsoleStep[] {
  return [...document.matchAll(/^```console\n(.*?)^```$/gms)].flatMap(([, block = '']) =>
    block
      .split(/^\$ /m)
      .slice(1)
      .map((step) => {
        const [command = '', ...output] = step.split('\n');
        return { command, output: output.join('\n').trim() };
      }),
  );
}

/** The first command of each block fenced as `sh`. */
export function readShellCommands(document: string): readonly string[] {
  return [...document.matchAll(/^```sh\n(.*?)^```$/gms)].map(([, block = '']) => block.trim());
}

/** The output with everything alike that differs from run to run: digests, versions, places in the order, ports. */
export function normalizeOutput(output: string): string {
  return output
    .replace(/127\.0\.0\.1:\d+/g, '127.0.0.1:<port>')
    .replace(/"[A-Za-z0-9+/]{43}="/g, '"<digest>"')
    .replace(/\b[0-9a-f]{64}\b|\b[0-9a-f]{12}\b/g, '<digest>')
    .replace(/("?(?:version|sequence)"?:? )"?\d+"?/g, '$1<number>')
    .replace(/^((?:colour|greeting) +)\d+/gm, '$1<number>')
    .replace(/^(\d +replica-\d +\d+ +(?:primary|backup) +)\d+/gm, '$1<number>')
    .replace(/[ \t]+/g, ' ')
    .trim();
}
