/**
 * What is wrong with files and settings that the operator gave: named so that it can be put right without reading the
 * source. The command line prints these without a stack trace; anything else that is thrown is a bug.
 */

/** One thing that is wrong. */
export interface ConfigurationProblem {
  /** The file it stands in, or where the value came from (`environment`, `flags`); empty for none. */
  readonly file: string;
  /** The setting or the place in the file, such as `agreement.pipeline`; empty for the file as a whole. */
  readonly path: string;
  /** What is wrong, with the values that don't fit. */
  readonly message: string;
  /** What to do about it. */
  readonly remedy: string;
}

/** One line: where, what, and what to do. */
export function describeProblem(problem: ConfigurationProblem): string {
  const where = [problem.file, problem.path].filter((part) => part !== '').join(': ');
  const what = problem.remedy === '' ? problem.message : `${problem.message}. ${problem.remedy}`;
  return where === '' ? what : `${where}: ${what}`;
}

/**
 * Thrown where files or settings are refused. The fields are those of the first problem; `problems` has all.
 *
 * @example
 * ```ts
 * import { ConfigurationError, startReplica } from 'pbft';
 *
 * try {
 *   await startReplica({ flags: { 'agreement.pipelin': '4' }, onFatal: () => undefined });
 * } catch (error) {
 *   for (const { path, remedy } of error instanceof ConfigurationError ? error.problems : []) {
 *     console.log(path, remedy);
 *     break;
 *   }
 * }
 * //> agreement.pipelin Did you mean `agreement.pipeline`?
 * ```
 */
export class ConfigurationError extends Error {
  override readonly name = 'ConfigurationError';
  readonly file: string;
  readonly path: string;
  readonly remedy: string;
  readonly problems: readonly ConfigurationProblem[];

  constructor(problem: ConfigurationProblem, others: readonly ConfigurationProblem[] = []) {
    super(problem.message);
    this.file = problem.file;
    this.path = problem.path;
    this.remedy = problem.remedy;
    this.problems = [problem, ...others];
  }
}
