/**
 * Plays a scenario on cores that a network in memory joins. A command tells the network or one replica something and
 * gives the lines of what followed at once; what was sent waits for `run`, `round` or the passing of time.
 */
import assert from 'node:assert/strict';
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

type Command = (stage: Stage, words: CommandWords) => void;

/** Plays the commands of one scenario. */
export class Player {
  private readonly vocabulary = new Vocabulary();
  private stage: Stage | undefined;
  private losses: Filter[] = [];

  private readonly commands: Readonly<Record<string, Command>> = {
    // Requests and messages.
    ask: (stage, words) => this.ask(stage, words),
    round: ({ network }) => network.runRound(),
    run: ({ network }) => network.run(),
    // Time.
    advance: ({ network }, words) => network.advance(words.toNumber(words.next('milliseconds'))),
    expire: ({ network }, words) => network.expire(replicaOf(words), words.next('a timer')),
    // Faults of the network.
    drop: (_stage, words) => this.drop(words),
    heal: () => {
      this.losses = [];
    },
    // Faults of processes.
    crash: ({ network }, words) => network.crash(replicaOf(words)),
    restart: ({ network }, words) => network.restart(replicaOf(words)),
    // Faulty replicas.
    say: (stage, words) => this.say(stage, words),
    spoil: ({ network }, words) => {
      const liar = replicaOf(words);
      if (words.next('NewView') !== 'NewView') {
        words.fail('only a NewView can be spoilt');
      }
      network.rewrite = spoilNewViews(liar, words, this.vocabulary);
    },
    // What replicas hold.
    state: (stage) => this.state(stage),
    ledger: (stage) => this.ledger(stage),
  };

  /** Does one command; gives the lines of what followed. */
  play(text: string): readonly string[] {
    const words = new CommandWords(text);
    if (words.verb === 'cluster') {
      this.stage = this.build(words);
      words.finish();
      return ['ok'];
    }
    const command = this.commands[words.verb] ?? words.fail('there is no such command');
    const stage = this.stage ?? words.fail('it needs a cluster');
    command(stage, words);
    words.finish();
    const lines = stage.narrator.take();
    return lines.length === 0 ? ['ok'] : lines;
  }

  /** Whatever happened, replicas agree on what they executed. */
  finish(): void {
    assert.ok(this.stage, 'a scenario has a cluster');
    this.stage.network.executedRequests();
  }

  private build(words: CommandWords): Stage {
    const replicaCount = words.toNumber(words.next('the number of replicas'));
    const consensus = {
      checkpointInterval: words.number('interval') ?? CONSENSUS.checkpointInterval,
      windowSize: words.number('window') ?? CONSENSUS.windowSize,
      batchOperationsMax: words.number('batch') ?? CONSENSUS.batchOperationsMax,
    };
    const local = {
      requestTimeoutMs: words.number('timeout') ?? LOCAL.requestTimeoutMs,
      pipeline: words.number('pipeline') ?? LOCAL.pipeline,
    };
    const network = new CoreNetwork(replicaCount, { consensus, local });
    const shown = new Set(words.get('show')?.split(',') ?? []);
    const details = new Set<Detail>(DETAILS.filter((detail) => shown.delete(detail)));
    if (shown.size > 0) {
      words.fail(`it can show ${DETAILS.join(', ')}`);
    }
    const narrator = new Narrator(network, this.vocabulary, details);
    network.observer = narrator;
    network.filter = (message) => !this.losses.some((isLost) => isLost(message));
    return { network, narrator };
  }

  private ask({ network }: Stage, words: CommandWords): void {
    const replica = replicaOf(words);
    const first = words.next('a request');
    for (const name of [first, ...words.rest()]) {
      const { client, number } = this.vocabulary.request(name);
      network.ask(replica, client, number);
    }
  }

  /** Messages that fit all that is said are lost, `times` of them or all. */
  private drop(words: CommandWords): void {
    const from = replicasOf(words, 'from');
    const to = replicasOf(words, 'to');
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

  private say({ network, narrator }: Stage, words: CommandWords): void {
    const liar = replicaOf(words);
    const event = makeStatement(liar, words, this.vocabulary);
    const receivers = [...(replicasOf(words, 'to') ?? words.fail('it needs to=, whom it is said to'))];
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

function replicaOf(words: CommandWords): number {
  return words.toNumber(words.next('a replica'));
}

function replicasOf(words: CommandWords, name: string): ReadonlySet<number> | undefined {
  const list = words.get(name);
  return list === undefined ? undefined : new Set(list.split(',').map((word) => words.toNumber(word)));
}
