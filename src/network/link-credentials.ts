/**
 * The TLS side of dialling. grpc-js opens the connection and TLS checks the authority; here the certificate is compared
 * with the replica that was dialled before anything is sent to it, and the socket is kept at hand: grpc-js drops one
 * whose other side accepts and then says nothing only when that side does.
 */
import type { Socket } from 'node:net';
import { createSecureContext, TLSSocket } from 'node:tls';
import { ChannelCredentials } from '@grpc/grpc-js';
import type { LinkTls } from './transport-options.js';

/** Tells a certificate that is refused from a connection that broke: the system's errors name a call or a reset. */
function isCertificateError(error: unknown): error is Error {
  return error instanceof Error && 'code' in error && error.code !== 'ECONNRESET' && !('syscall' in error);
}

/** The credentials of one attempt to dial. */
export interface LinkCredentialsOptions {
  readonly base: ChannelCredentials;
  /** The connection stands, TLS begins. */
  readonly onSocket: (socket: Socket) => void;
  /** TLS stands; throws where the certificate is not the right one. */
  readonly onSecured: (socket: TLSSocket) => void;
  /** The other side answered, and its certificate is none of the cluster's authority. */
  readonly onRefused: (error: Error) => void;
}

type Connector = ReturnType<ChannelCredentials['_createSecureConnector']>;

/** The part that all attempts have in common: own key, own certificate, the authority. */
export function createBaseCredentials(tls: LinkTls): ChannelCredentials {
  const context = createSecureContext({
    key: tls.keyPem,
    cert: tls.certificatePem,
    ca: tls.authorityPem,
    minVersion: 'TLSv1.3',
  });
  // Hosts are not compared: a replica is who its certificate's URI and pin say, wherever it runs.
  return ChannelCredentials.createFromSecureContext(context, { checkServerIdentity: () => undefined });
}

/** Credentials that show their sockets. */
export class LinkCredentials extends ChannelCredentials {
  private readonly options: LinkCredentialsOptions;

  constructor(options: LinkCredentialsOptions) {
    super();
    this.options = options;
  }

  override _isSecure(): boolean {
    return true;
  }

  override _equals(other: ChannelCredentials): boolean {
    return other === this;
  }

  override _createSecureConnector(...target: Parameters<ChannelCredentials['_createSecureConnector']>): Connector {
    const { base, onSocket, onSecured, onRefused } = this.options;
    const connector = base._createSecureConnector(...target);
    let isDestroyed = false;
    return {
      connect: async (socket) => {
        onSocket(socket);
        const result = await connector.connect(socket).catch((error: unknown) => {
          if (isCertificateError(error)) {
            onRefused(error);
          }
          throw error;
        });
        if (!(result.socket instanceof TLSSocket)) {
          throw new Error('the connection has no TLS');
        }
        onSecured(result.socket);
        return result;
      },
      // grpc-js tries once more after its channel was closed: nobody wants that connection, and the peer logs its end.
      waitForReady: () =>
        isDestroyed ? Promise.reject(new Error('the attempt to dial is over')) : connector.waitForReady(),
      getCallCredentials: () => connector.getCallCredentials(),
      destroy: () => {
        isDestroyed = true;
        connector.destroy();
      },
    };
  }
}
