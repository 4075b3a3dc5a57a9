/** Unary calls to one replica over one channel, and whether a call could leave this machine at all. */
import {
  Client as Channel,
  ChannelCredentials,
  type ClientUnaryCall,
  connectivityState,
  type ServiceError,
} from '@grpc/grpc-js';
import type { Result } from '../util/result.js';
import { type Decodable, type DecodeFault, decodeJudged } from '../wire/strict-decode.js';
import { cancelledCall, clientErrorOf, notAnAnswer } from './client-error.js';

/** How the replica's side of the connection is trusted. */
export interface TlsOptions {
  /** The authorities to trust, in PEM. */
  readonly rootCertificates: Uint8Array;
  /** The name in the replica's certificate, where it isn't the host of the address. */
  readonly serverName?: string;
}

/** A replica that may be asked. */
export interface Endpoint {
  /** `host:port` of its client port, an IPv6 host in brackets. */
  readonly address: string;
  /** What errors call it; the address by default. */
  readonly name?: string;
  /** Absent for plaintext. */
  readonly tls?: TlsOptions;
}

/** A method of a replica. */
export interface Method<Request, Response> {
  readonly path: string;
  readonly request: { encode(message: Request): { finish(): Uint8Array } };
  readonly response: Decodable<Response>;
  /** It can't change anything, so its outcome is never in doubt. */
  readonly readsOnly?: boolean;
}

/** Until when a call is waited for. */
export interface Patience {
  /** Milliseconds since 1970. */
  readonly untilMs: number;
  /** Gives the call up. */
  readonly signal: AbortSignal | undefined;
}

/**
 * Whether a call could leave: the replica has greeted (`ready`), the last try to connect failed, so a call ends at once
 * and says why (`failing`), or neither so far (`silent`): then nothing of a call has left this machine.
 */
export type Reach = 'ready' | 'failing' | 'silent';

/** Far above the longest answer that a replica gives. */
const ANSWER_BYTES_MAX = 67_108_864;
/** A replica that was started again is found again soon. */
const RECONNECT_MIN_MS = 100;
const RECONNECT_MAX_MS = 2_000;

/** Makes unary calls over one channel; it connects at the first. */
export class Caller {
  readonly endpoint: Endpoint;
  private readonly channel: Channel;

  constructor(endpoint: Endpoint) {
    this.endpoint = endpoint;
    const { address, tls } = endpoint;
    const credentials =
      tls === undefined
        ? ChannelCredentials.createInsecure()
        : ChannelCredentials.createSsl(Buffer.from(tls.rootCertificates));
    const serverName = tls?.serverName;
    this.channel = new Channel(address, credentials, {
      'grpc.max_receive_message_length': ANSWER_BYTES_MAX,
      'grpc.initial_reconnect_backoff_ms': RECONNECT_MIN_MS,
      'grpc.max_reconnect_backoff_ms': RECONNECT_MAX_MS,
      ...(serverName === undefined
        ? {}
        : { 'grpc.ssl_target_name_override': serverName, 'grpc.default_authority': serverName }),
    });
  }

  /** Connects, and waits until it is known whether a call could leave. Rejects where it is given up. */
  reach({ untilMs, signal }: Patience): Promise<Reach> {
    const channel = this.channel.getChannel();
    return new Promise((resolve, reject) => {
      const abandon = (): void => reject(cancelledCall());
      const end = (reach: Reach): void => {
        signal?.removeEventListener('abort', abandon);
        resolve(reach);
      };
      const look = (): void => {
        const state = channel.getConnectivityState(true);
        switch (state) {
          case connectivityState.READY:
            end('ready');
            return;
          case connectivityState.TRANSIENT_FAILURE:
          case connectivityState.SHUTDOWN:
            end('failing');
            return;
          default:
            channel.watchConnectivityState(state, untilMs, (late) => (late === undefined ? look() : end('silent')));
        }
      };
      signal?.addEventListener('abort', abandon, { once: true });
      look();
    });
  }

  /** Makes one call. Rejects with a ClientError. */
  call<Request, Response>(
    { path, request, response, readsOnly = false }: Method<Request, Response>,
    message: Request,
    { untilMs, signal }: Patience,
  ): Promise<Response> {
    return new Promise((resolve, reject) => {
      const call: { made?: ClientUnaryCall } = {};
      const cancel = (): void => call.made?.cancel();
      const done = (error: ServiceError | null, answer?: Result<Response, DecodeFault>): void => {
        signal?.removeEventListener('abort', cancel);
        if (error !== null) {
          reject(clientErrorOf(error, this.endpoint, readsOnly));
        } else if (answer?.ok !== true) {
          reject(notAnAnswer(this.endpoint, readsOnly, answer?.error));
        } else {
          resolve(answer.value);
        }
      };
      signal?.addEventListener('abort', cancel, { once: true });
      call.made = this.channel.makeUnaryRequest<Request, Result<Response, DecodeFault>>(
        path,
        (value) => Buffer.from(request.encode(value).finish()),
        (bytes) => decodeJudged(response, bytes),
        message,
        { deadline: untilMs },
        done,
      );
    });
  }

  close(): void {
    this.channel.close();
  }
}
