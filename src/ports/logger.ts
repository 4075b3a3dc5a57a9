/**
 * Structured logs. Levels by who must act: error, the operator now; warn, the operator today; info, nobody (rare events
 * of a normal life); debug, a developer. Nothing secret and no caller's data is logged.
 */
export interface Logger {
  error(fields: Readonly<Record<string, unknown>>, message: string): void;
  warn(fields: Readonly<Record<string, unknown>>, message: string): void;
  info(fields: Readonly<Record<string, unknown>>, message: string): void;
  debug(fields: Readonly<Record<string, unknown>>, message: string): void;
}
