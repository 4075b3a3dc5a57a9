/**
 * Server reflection (v1 and v1alpha), so that grpcurl and buf need no .proto files: from the descriptor set that is
 * generated with the code.
 *
 * The library answers each request as it comes and never looks whether its answers are read: a caller that asks without
 * reading would fill the memory with descriptors (GR-04). So its streams are given backpressure here.
 */
import type { handleBidiStreamingCall, Server, ServerDuplexStream } from '@grpc/grpc-js';
import { ReflectionService } from '@grpc/reflection';
import { readFileDescriptors } from '../wire/file-descriptors.js';

/** Registers reflection of these services (full names) and everything they refer to. */
export function serveReflection(server: Server, serviceNames: readonly string[]): void {
  const format = 'Protocol Buffer 3 DescriptorProto' as const;
  const files = { format, type: {}, fileDescriptorProtos: readFileDescriptors() };
  const reflection = new ReflectionService({ files }, { services: [...serviceNames] });
  reflection.addToServer({
    addService(definition, implementation) {
      const backpressured = Object.entries(implementation).map(([name, handle]) => [
        name,
        withBackpressure(handle as handleBidiStreamingCall<unknown, unknown>),
      ]);
      server.addService(definition, Object.fromEntries(backpressured));
    },
  });
}

function withBackpressure(
  handle: handleBidiStreamingCall<unknown, unknown>,
): handleBidiStreamingCall<unknown, unknown> {
  return (call: ServerDuplexStream<unknown, unknown>) => {
    const write = call.write.bind(call);
    call.write = (message: unknown): boolean => {
      const takesMore = write(message);
      if (!takesMore) {
        call.pause();
        call.once('drain', () => call.resume());
      }
      return takesMore;
    };
    handle(call);
  };
}
