/** ClientService: operations of any application as bytes. */
import type { Server } from '@grpc/grpc-js';
import type { ReplicaFace } from '../runtime/face.js';
import { digestBytes } from '../util/digest.js';
import { failed, ok } from '../util/result.js';
import { ClientServiceService, SubmitRequest, SubmitResponse } from '../wire/gen/pbft/v1/client.js';
import { ANSWERS_RETRY_AFTER_MS } from './failures.js';
import type { Submitter } from './submitter.js';
import { type CallServices, serveUnary } from './unary-method.js';

/** Registers the service. */
export function serveClientService(
  server: Server,
  services: CallServices,
  submitter: Submitter,
  face: Pick<ReplicaFace, 'costOf'>,
): void {
  serveUnary(server, services, {
    path: ClientServiceService.submit.path,
    request: SubmitRequest,
    response: SubmitResponse,
    async handle({ operation, requestId }, budgetMs, memory) {
      // What it costs bounds its result: a longer one is dropped.
      if (!memory.hold(face.costOf(operation))) {
        return failed({ code: 'answersExhausted', retryAfterMs: ANSWERS_RETRY_AFTER_MS });
      }
      const executed = await submitter.submit({ operation, requestId, budgetMs });
      if (!executed.ok) {
        return executed;
      }
      const { result, sequence, view, headerDigest } = executed.value;
      return ok({
        result: Buffer.from(result.buffer, result.byteOffset, result.length),
        execution: { sequence, view, headerDigest: Buffer.from(digestBytes(headerDigest)) },
      });
    },
  });
}
