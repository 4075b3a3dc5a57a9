/**
 * Plays a scenario on cores that a network in memory joins. A command tells the network or one replica something and
 * gives the lines of what followed at once; what was sent waits for `run`, `round` or the passing of time.
 */
import { isReplicaCountAllowed } from '../../src/protocol/quorum.js';
import { CONSENSUS, LOCAL } from '../support/core-cluster.js';
import { CoreNetwork, type Filter } from '../support/core-network.js';
import { makeStatement, spoilNewViews } from './lies.js';
import { DETAILS, type Detail, Narrator } from './narrator.js';
import { CommandWords } from './script.js';
import { Vocabulary } from './vocabulary.js';

/** What is played on. */
interface Stage {
  readonly network: CoreNetwork;
  readonly narrator: Narrator;
}

/** What can still be read and drawn. */
const REPLICAS_MAX = 16;
const ADVANCE_MAX_MS = 3_600_000;

type Command = (stage: Stage, words: CommandWords) => void;

/** Plays the commands of one scenario. */
export class Player {
  private readonly vocabulary = new Vocabulary();
  private stage: Stage | undefined;
  private losses: Filter[] = [];
  /** Is told what arrives at another replica, in the words in which it was told that it was sent. */
  onDelivered: (from: number, to: number, message: string) => void = () => undefined;

  private readonly commands: Readonly<Record<string, Command>> = {
    // Requests and messages.
    ask: (stage, words) => this.ask(stage, words),
    round: ({ network }) => network.runRound(),
    run: ({ network }) => network.run(),
    // Time.
    advance: ({ network }, words) => {
      const ms = words.toNumber(words.next('milliseconds'));
      network.advance(ms <= ADVANCE_MAX_MS ? ms : words.fail(`it advances by at most ${ADVANCE_MAX_MS} ms`));
    },
    expire: (stage, words) => this.expire(stage, words),
    // Faults of the network.
    drop: (stage, words) => this.drop(stage, words),
    heal: () => {
      this.losses = [];
    },
    // Faults of processes.
    crash: ({ network }, words) => {
      const replica = replicaOf(network, words);
      network.crash(network.at(replica).isUp ? replica : words.fail(`replica ${replica} is down already`));
    },
    restart: ({ network }, words) => {
      const replica = replicaOf(network, words);
      network.at(replica).loseRecords(words.number('lost') ?? 0);
      network.restart(network.at(replica).isUp ? words.fail(`replica ${replica} is not down`) : replica);
    },
    // Faulty replicas.
    say: (stage, words) => this.say(stage, words),
    spoil: ({ network }, words) => {
      const liar = replicaOf(network, words);
      if (words.next('NewView') !== 'NewView') {
        words.fail('only a NewView can be spoilt');
      }
      network.liars.add(liar);
      network.rewrite = spoilNewViews(liar, words, this.vocabulary);
    },
    // What replicas hold.
    state: (stage) => this.state(stage),
    ledger: (stage) => this.ledger(stage),
  };

  /** Does one command; gives the lines of what followed. Throws where it can't be done, with the reason. */
  play(text: string): readonly string[] {
    const words = new CommandWords(text);
    if (words.verb === 'cluster') {
      if (this.stage !== undefined) {
        words.fail('there is a cluster already');
      }
      this.stage = this.build(words);
      words.finish();
      return ['ok'];
    }
    const command =
      this.commands[words.verb] ??
      words.fail(`there is no such command; there are cluster, ${Object.keys(this.commands).join(', ')}`);
    const stage = this.stage ?? words.fail('it needs a cluster');
    command(stage, words);
    words.finish();
    const lines = stage.narrator.take();
    return lines.length === 0 ? ['ok'] : lines;
  }

  /** The network that is played on. */
  get network(): CoreNetwork | undefined {
    return this.stage?.network;
  }

  /** Whatever happened, replicas agree on what they executed. */
  finish(): void {
    if (this.stage === undefined) {
      throw new Error('there is no cluster: begin with a command such as "cluster 4"');
    }
    this.stage.network.executedRequests();
  }

  private build(words: CommandWords): Stage {
    const replicaCount = words.toNumber(words.next('the number of replicas'));
    if (replicaCount > REPLICAS_MAX || !isReplicaCountAllowed(replicaCount)) {
      words.fail(`a cluster has 1 replica or 4 to ${REPLICAS_MAX}`);
    }
    const consensus = {
      checkpointInterval: words.positive('interval') ?? CONSENSUS.checkpointInterval,
      windowSize: words.positive('window') ?? CONSENSUS.windowSize,
      batchOperationsMax: words.positive('batch') ?? CONSENSUS.batchOperationsMax,
    };
    const { checkpointInterval, windowSize } = consensus;
    if (windowSize % checkpointInterval !== 0 || windowSize < 2 * checkpointInterval) {
      words.fail(
        `the window, ${windowSize}, must be a multiple of the interval, ${checkpointInterval}, and at least twice it`,
      );
    }
    const local = {
      requestTimeoutMs: words.positive('timeout') ?? LOCAL.requestTimeoutMs,
      pipeline: words.positive('pipeline') ?? LOCAL.pipeline,
    };
    const network = new CoreNetwork(replicaCount, { consensus, local });
    const shown = new Set(words.get('show')?.split(',') ?? []);
    const details = new Set<Detail>(DETAILS.filter((detail) => shown.delete(detail)));
    if (shown.size > 0) {
      words.fail(`it can show ${DETAILS.join(', ')}`);
    }
    const narrator = new Narrator(network, this.vocabulary, details);
    narrator.onDelivered = ({ from, to, event }) => {
      const message = this.vocabulary.describeEvent(event);
      if (message !== undefined) {
        this.onDelivered(from, to, message);
      }
    };
    network.observer = narrator;
    network.filter = (message) => !this.losses.some((isLost) => isLost(message));
    return { network, narrator };
  }

  private ask({ network }: Stage, words: CommandWords): void {
    const replica = replicaOf(network, words);
    if (!network.at(replica).isUp) {
      words.fail(`replica ${replica} is down`);
    }
    const first = words.next('a request, like a1');
    for (const name of [first, ...words.rest()]) {
      const { client, number } = this.vocabulary.request(name);
      network.ask(replica, client, number);
    }
  }

  /** Messages that fit all that is said are lost, `times` of them or all. */
  private drop({ network }: Stage, words: CommandWords): void {
    const from = replicasOf(network, words, 'from');
    const to = replicasOf(network, words, 'to');
    const type = words.get('type');
    const client = words.get('client');
    let left = words.number('times') ?? Number.POSITIVE_INFINITY;
    this.losses.push((message) => {
      const { event } = message;
      const isMeant =
        left > 0 &&
        (from?.has(message.from) ?? true) &&
        (to?.has(message.to) ?? true) &&
        (type === undefined || this.vocabulary.describeEvent(event)?.split(' ')[0] === type) &&
        (client === undefined ||
          (event.kind === 'requestReceived' && this.vocabulary.nameOf(event.request).replace(/\d+$/, '') === client));
      left -= isMeant ? 1 : 0;
      return isMeant;
    });
  }

  private expire({ network }: Stage, words: CommandWords): void {
    const replica = replicaOf(network, words);
    const timer = words.next('a timer, such as request');
    const { isUp, timers } = network.at(replica);
    const running = isUp ? [...timers.keys()].sort().join(', ') : '';
    if (!isUp || !timers.has(timer)) {
      words.fail(`replica ${replica} has no ${timer} timer running${running === '' ? '' : `; it has ${running}`}`);
    }
    network.expire(replica, timer);
  }

  private say({ network, narrator }: Stage, words: CommandWords): void {
    const liar = replicaOf(network, words);
    const event = makeStatement(liar, words, this.vocabulary);
    network.liars.add(liar);
    const receivers = [...(replicasOf(network, words, 'to') ?? words.fail('it needs to=, whom it is said to'))];
    for (const to of receivers) {
      network.inject(liar, to, event);
    }
    narrator.send(liar, receivers, this.vocabulary.describeEvent(event) ?? '');
  }

  private state({ network, narrator }: Stage): void {
    for (const { replica, isUp, under } of network.replicas) {
      const { view, active, lowWatermark, lastExecuted, waitingRequests } = under.core.inspect(network.elapsedMs);
      const waits = waitingRequests === 0 ? '' : `, ${waitingRequests} waiting`;
      const standing = `view ${view}${active ? '' : ', not active'}, h ${lowWatermark}, executed ${lastExecuted}${waits}`;
      narrator.tell(replica, isUp ? standing : 'is down');
    }
  }

  private ledger({ network, narrator }: Stage): void {
    for (const { replica, executed } of network.replicas) {
      const rows = executed.map(
        ({ sequence, batchDigest }) => `${sequence} ${this.vocabulary.nameOfBatch(batchDigest)}`,
      );
      narrator.tell(replica, rows.join(', ') || 'nothing');
    }
  }
}

function replicaOf(network: CoreNetwork, words: CommandWords): number {
  return existing(network, words, words.toNumber(words.next('a replica')));
}

function replicasOf(network: CoreNetwork, words: CommandWords, name: string): ReadonlySet<number> | undefined {
  const list = words.get(name);
  return list === undefined
    ? undefined
    : new Set(list.split(',').map((word) => existing(network, words, words.toNumber(word))));
}

function existing({ replicas }: CoreNetwork, words: CommandWords, replica: number): number {
  return replica < replicas.length ? replica : words.fail(`there is no replica ${replica}`);
}
