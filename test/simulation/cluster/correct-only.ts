/** Checks judge correct replicas: of what the others do they see only what is signed. */
import type { ReplicaId } from '../../../src/protocol/identifiers.js';
import type { Observer } from '../checks/observer.js';

/** Passes on what correct replicas do. */
export function correctOnly(
  observer: Required<Observer>,
  isCorrect: (replica: ReplicaId) => boolean,
): Required<Observer> {
  const when =
    <P extends readonly unknown[]>(tell: (replica: ReplicaId, ...rest: P) => void) =>
    (replica: ReplicaId, ...rest: P): void => {
      if (isCorrect(replica)) {
        tell(replica, ...rest);
      }
    };
  return {
    onSigned: (signer, type, payload) => observer.onSigned(signer, type, payload),
    onSent: when((...what) => observer.onSent(...what)),
    onAppended: when((...what) => observer.onAppended(...what)),
    onDurable: when((...what) => observer.onDurable(...what)),
    onRecovered: when((...what) => observer.onRecovered(...what)),
    onExecuted: when((...what) => observer.onExecuted(...what)),
    onGauge: when((...what) => observer.onGauge(...what)),
    onStarted: when((...what) => observer.onStarted(...what)),
    onCrashed: when((...what) => observer.onCrashed(...what)),
    onAnswered: when((...what) => observer.onAnswered(...what)),
  };
}
