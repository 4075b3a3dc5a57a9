/** A failure's answer as the RPC library sends it: code, message, and the details in a trailer. */
import { Metadata, type StatusObject } from '@grpc/grpc-js';
import { encodeRichStatus, STATUS_DETAILS_TRAILER } from '../wire/rich-status.js';
import type { FailureAnswer } from './failures.js';

/** The longest text to a caller, in UTF-16 code units: it travels in a header. */
const TEXT_LENGTH_MAX = 1_000;

/** The status that a call ends with. */
export function statusOfAnswer({ status: code, violation, ...answer }: FailureAnswer): StatusObject {
  const message = headerText(answer.message);
  const metadata = new Metadata();
  const bytes = encodeRichStatus({
    ...answer,
    code,
    message,
    violation: violation && { field: headerText(violation.field), description: headerText(violation.description) },
  });
  metadata.set(STATUS_DETAILS_TRAILER, Buffer.from(bytes));
  return { code, details: message, metadata };
}

/** Text for a header: of bounded length, and with no half of a surrogate pair, which the library throws at. */
function headerText(text: string): string {
  return Buffer.from(text.slice(0, TEXT_LENGTH_MAX), 'utf8').toString('utf8');
}
