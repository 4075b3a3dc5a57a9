/** A replica can't start: the message says what is wrong and what to do. Never shown with a stack trace. */
export class StartError extends Error {
  override readonly name: string = 'StartError';
}

/** Enough peers to contain a correct one have a live link of this replica's identity: it runs elsewhere. */
export class IdentityInUseError extends StartError {
  override readonly name = 'IdentityInUseError';
}
