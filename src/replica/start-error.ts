/** A replica can't start: the message says what is wrong and what to do. Never shown with a stack trace. */
export class StartError extends Error {
  override readonly name = 'StartError';
}
