/** A caller with a connection of its own: callers of one process share one otherwise, and its flow control slows them all. */
import { type CallOptions, ChannelCredentials, Metadata, type ServiceError, status } from '@grpc/grpc-js';
import {
  type CompareAndSwapRequest,
  type GetRequest,
  KeyValueServiceClient,
  type RangeRequest,
} from '../../../src/wire/gen/pbft/v1/key_value.js';

const CALL_TIMEOUT_MS = 30_000;

type Done = (error: ServiceError | null) => void;

/** Calls that are answered or refused; what is answered is thrown away. */
export class LoneCaller {
  readonly #client: KeyValueServiceClient;

  constructor(port: number) {
    const options = { 'grpc.use_local_subchannel_pool': 1 };
    this.#client = new KeyValueServiceClient(`127.0.0.1:${port}`, ChannelCredentials.createInsecure(), options);
  }

  range(request: RangeRequest): Promise<boolean> {
    return settle((done) => this.#client.range(request, new Metadata(), callOptions(), done));
  }

  get(request: GetRequest): Promise<boolean> {
    return settle((done) => this.#client.get(request, new Metadata(), callOptions(), done));
  }

  compareAndSwap(request: CompareAndSwapRequest): Promise<boolean> {
    return settle((done) => this.#client.compareAndSwap(request, new Metadata(), callOptions(), done));
  }

  close(): void {
    this.#client.close();
  }
}

function callOptions(): Partial<CallOptions> {
  return { deadline: Date.now() + CALL_TIMEOUT_MS };
}

/** Whether it was answered. A refusal is none; what no replica should say is thrown. */
function settle(call: (done: Done) => void): Promise<boolean> {
  return new Promise((resolve, reject) => {
    call((error) => {
      if (error?.code === status.INTERNAL || error?.code === status.UNIMPLEMENTED) {
        reject(error);
      } else {
        resolve(error === null);
      }
    });
  });
}
