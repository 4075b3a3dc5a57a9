/**
 * A replica that misbehaves as the client that it is: one number with two operations, numbers far above the window,
 * requests to some only, signatures that aren't valid, floods. Its replica's part in the protocol is correct.
 */
import type { TimerHandle } from '../ports/timer-service.js';
import { utf8 } from '../util/bytes.js';
import { encodeEnvelope } from '../wire/envelope.js';
import { encodePeerMessage } from '../wire/peer-codec.js';
import { encodeRequestPayload } from '../wire/request-codec.js';
import { drawIndex, type Strategy, type StrategyContext } from './strategy.js';

const PERIOD_MS = 400;
const FLOOD_REQUESTS = 40;
const FAR_NUMBER = 2 ** 40;

/** Asks for what no correct client asks. */
export function createLyingClient(context: StrategyContext): Strategy {
  let number = 1_000_000;
  let timer: TimerHandle | undefined;

  function ask(content: string, at: number, to: (peer: number) => boolean, isSignatureGood = true): void {
    const { ownClientId: clientId, signer, peers } = context;
    const operations = [utf8(content)];
    const payload = encodeRequestPayload({ clientId, number: at, acknowledged: at - 1, operations });
    signer.sign('request', payload, (good) => {
      const signature = isSignatureGood ? good : good.map((byte) => byte ^ 1);
      const bytes = encodeEnvelope({ type: 'request', sender: { kind: 'client', clientId }, payload, signature });
      const message = encodePeerMessage({ kind: 'request', bytes });
      for (const peer of peers.filter(to)) {
        context.send(peer, message);
      }
    });
  }

  function misbehave(): void {
    number++;
    const everybody = (): boolean => true;
    switch (drawIndex(context, 5)) {
      case 0:
        ask('one', number, (peer) => peer % 2 === 0);
        ask('two', number, (peer) => peer % 2 === 1);
        break;
      case 1:
        ask('far', FAR_NUMBER + number, everybody);
        break;
      case 2:
        ask('partly', number, (peer) => peer % 3 === 0);
        break;
      case 3:
        ask('unsigned', number, everybody, false);
        break;
      default:
        for (let count = 0; count < FLOOD_REQUESTS; count++) {
          number++;
          ask(`flood ${count}`, number, everybody);
        }
    }
    timer = context.timers.startTimer(PERIOD_MS, misbehave);
  }

  return {
    onStart: () => {
      timer = context.timers.startTimer(PERIOD_MS, misbehave);
    },
    onSend: (peer, message) => context.send(peer, message),
    onStop: () => timer?.cancel(),
  };
}
