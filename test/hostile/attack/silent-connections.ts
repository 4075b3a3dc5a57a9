/** 512 silent connections from each of two addresses, made anew as they are closed; newcomers ask meanwhile. */
import { connect as connectHttp2 } from 'node:http2';
import { connect, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import type { Attack } from './attack.js';

const OF_ADDRESS = 512;
const ADDRESSES = ['127.0.0.1', '127.0.0.2'];
/** One that shares its address with an attacker, and one that doesn't. */
const NEWCOMERS = ['127.0.0.1', '127.0.0.3'];
const AGAIN_MS = 100;
const ASK_EVERY_MS = 100;
const ASK_MAX_MS = 2_000;

function keepSilent(port: number, localAddress: string, isOver: () => boolean, onOpen: (socket: Socket) => void): void {
  const socket = connect({ port, host: '127.0.0.1', localAddress }, () => onOpen(socket));
  socket.on('error', () => undefined).resume();
  socket.once('close', () => {
    if (!isOver()) {
      setTimeout(() => keepSilent(port, localAddress, isOver, onOpen), AGAIN_MS);
    }
  });
}

/** Whether a caller with a new connection gets an answer. */
function asks(port: number, localAddress: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1', localAddress });
    const session = connectHttp2(`http://127.0.0.1:${port}`, { createConnection: () => socket });
    const end = (isServed: boolean): void => {
      clearTimeout(timer);
      session.destroy();
      resolve(isServed);
    };
    const timer = setTimeout(() => end(false), ASK_MAX_MS);
    session.on('error', () => end(false));
    socket.on('error', () => end(false));
    const path = '/pbft.v1.AdminService/GetStatus';
    const headers = { ':method': 'POST', ':path': path, 'content-type': 'application/grpc', te: 'trailers' };
    const stream = session.request(headers).on('error', () => end(false));
    stream.once('response', () => end(true));
    stream.end(Buffer.alloc(5));
  });
}

export const silentConnections: Attack = {
  name: 'silent-connections',
  fault: 'FU-06',
  title: `${OF_ADDRESS} silent connections from each of ${ADDRESSES.length} addresses, made anew when they are closed`,
  by: 'caller',
  async run({ clientPorts, target }, isOver) {
    const tally = { opened: 0, served: 0, lockedOut: 0 };
    const port = clientPorts[target] ?? 0;
    for (const address of ADDRESSES) {
      for (let index = 0; index < OF_ADDRESS; index++) {
        keepSilent(port, address, isOver, () => {
          tally.opened++;
        });
      }
    }
    while (!isOver()) {
      for (const isServed of await Promise.all(NEWCOMERS.map((address) => asks(port, address)))) {
        tally[isServed ? 'served' : 'lockedOut']++;
      }
      await delay(ASK_EVERY_MS);
    }
    return tally;
  },
};
