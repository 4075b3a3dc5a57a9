/**
 * Scripted runs (docs/testing.md, Scenarios): each text file beside this one is played on real cores, and what follows
 * each command must be exactly what stands below it, and its picture for docs/scenarios.md is drawn from that text.
 * UPDATE_SCENARIOS=1 writes what followed into the files instead, and draws the pictures.
 */
import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { CoreNetwork } from '../support/core-network.js';
import { chartOf } from './chart.js';
import { drawChart } from './picture.js';
import { play, playDraft } from './play.js';
import { Player } from './player.js';
import { parseScript } from './script.js';

const folder = import.meta.dirname;
const pictures = resolve(folder, '../../docs/scenarios');
const isUpdate = process.env['UPDATE_SCENARIOS'] === '1';
const files = readdirSync(folder)
  .filter((name) => name.endsWith('.txt'))
  .sort();

/** What was sent and what arrived while a scenario was played, as `from → to: message`. */
function watch(text: string): { readonly sent: ReadonlySet<string>; readonly arrived: ReadonlySet<string> } {
  const [sent, arrived] = [new Set<string>(), new Set<string>()];
  const player = new Player();
  let watched: CoreNetwork | undefined;
  for (const part of parseScript(text).parts) {
    for (const line of part.kind === 'step' ? player.play(part.command) : []) {
      const [, by = '', to = '', message = ''] = /^([\d ]+) → (all|[\d ]+): (?:lost: )?(.*)$/.exec(line) ?? [];
      const all = watched?.replicas.map(({ replica }) => String(replica)) ?? [];
      for (const from of by === '' ? [] : by.split(' ')) {
        for (const receiver of to === 'all' ? all.filter((one) => one !== from) : to.split(' ')) {
          sent.add(`${from} → ${receiver}: ${message}`);
        }
      }
    }
    if (player.network !== undefined && watched === undefined) {
      watched = player.network;
      player.onDelivered = (from, to, message) => arrived.add(`${from} → ${to}: ${message}`);
    }
  }
  return { sent, arrived };
}

describe('scenarios', () => {
  for (const file of files) {
    const path = join(folder, file);
    const text = readFileSync(path, 'utf8');
    it(`${file}: ${parseScript(text).title}`, () => {
      const actual = play(text);
      if (isUpdate) {
        writeFileSync(path, actual);
      } else {
        assert.equal(actual, text, 'npm run scenario:update writes what follows now');
      }
    });

    it(`${file}: its picture is drawn from it`, () => {
      const picture = drawChart(chartOf(parseScript(readFileSync(path, 'utf8'))));
      const picturePath = join(pictures, file.replace(/txt$/, 'svg'));
      if (isUpdate) {
        mkdirSync(pictures, { recursive: true });
        writeFileSync(picturePath, picture);
      } else {
        assert.ok(readFileSync(picturePath, 'utf8') === picture, 'npm run scenario:update draws it anew');
      }
    });
  }

  for (const file of files) {
    it(`${file}: the arrows of its picture arrive, or not, as its messages did`, () => {
      const text = readFileSync(join(folder, file), 'utf8');
      const { arrived, sent } = watch(text);
      const told = new Map<string, boolean>();
      for (const row of chartOf(parseScript(text)).rows) {
        for (const { from, to, isLost } of row.kind === 'message' ? row.arrows : []) {
          const message = `${from} → ${to}: ${row.text.replace(/^.*?: (?:lost: )?/, '')}`;
          assert.ok(sent.has(message), `${message} was sent`);
          assert.ok(isLost || arrived.has(message), `${message} arrived`);
          told.set(message, told.get(message) === true || !isLost);
        }
      }
      for (const [message, isTold] of told) {
        assert.equal(arrived.has(message), isTold, `${message} arrived ${arrived.has(message)}, drawn ${isTold}`);
      }
    });
  }

  it('have no pictures but theirs', () => {
    assert.deepEqual(
      readdirSync(pictures).sort(),
      files.map((file) => file.replace(/txt$/, 'svg')),
    );
  });

  it('stand on their page once each, with their titles and pictures', () => {
    const page = readFileSync(join(pictures, '../scenarios.md'), 'utf8');
    for (const file of files) {
      const { title } = parseScript(readFileSync(join(folder, file), 'utf8'));
      const name = file.replace(/\.txt$/, '');
      const link = `[\`${file}\`](../test/scenario/${file})`;
      assert.equal(page.split(link).length, 2, `${link} stands there once`);
      assert.ok(page.includes(`![${title}](scenarios/${name}.svg)`), `![${title}](scenarios/${name}.svg)`);
    }
  });
});

describe('the page of scenarios', () => {
  it('shows what its own example prints', () => {
    const page = readFileSync(join(pictures, '../scenarios.md'), 'utf8');
    const [, commands = '', printed = ''] = /^\$ printf '(.*?)' > my\.txt\n\$ make .*?\n(.*?)^```$/ms.exec(page) ?? [];
    assert.ok(commands.length > 0);
    assert.equal(playDraft(commands.replaceAll('\\n', '\n')).text, printed);
  });
});

describe('a scenario', () => {
  it("of one's own needs commands alone, and is completed", () => {
    const { text, differences } = playDraft('cluster 4\nask 0 a1  \r\nrun\n\n# Done.\nledger');
    assert.deepEqual(differences, []);
    assert.match(
      text,
      /^cluster 4\n----\nok\n\nask 0 a1\n----\n0 → all: PrePrepare .*\n\nrun\n----\n1 2 3 → all: Prepare/,
    );
    assert.match(text, /\n\n# Done\.\nledger\n----\n0 1 2 3: 1 \[a1\]\n$/);
    assert.equal(playDraft(text).text, text, 'what came out can go in again');
  });

  it("of one's own says what follows otherwise than it expects", () => {
    const { differences } = playDraft('cluster 4\n\nledger\n----\n0: 1 [a1]\n');
    assert.deepEqual(differences, ['line 3: "ledger" leads to something else than what stands below it']);
  });

  it("refuses what can't be done, and names the line and what there is", () => {
    const refused = (commands: string, message: RegExp) => assert.throws(() => playDraft(commands), message, commands);
    refused('cluster 3', /^Error: line 1: "cluster 3": a cluster has 1 replica or 4 to 16$/);
    refused('cluster 4 window=0', /line 1: .*: window is at least 1/);
    refused('cluster 4 window=10 interval=4', /line 1: .*the window, 10, must be a multiple of the interval, 4/);
    refused('cluster 4 show=everything', /line 1: .*it can show writes, timers, status/);
    refused('cluster 4\nask 4 a1', /line 2: "ask 4 a1": there is no replica 4/);
    refused('cluster 4\nask 1 alice', /line 2: "alice" names no request: client and number, like a1/);
    refused('cluster 4\ncrash 1\ncrash 1', /line 3: "crash 1": replica 1 is down already/);
    refused('cluster 4\ncrash 1\nask 1 a1', /line 3: "ask 1 a1": replica 1 is down/);
    refused('cluster 4\nrestart 1', /line 2: "restart 1": replica 1 is not down/);
    refused('cluster 4\nexpire 1 request', /line 2: .*: replica 1 has no request timer running; it has .*status/);
    refused('cluster 4\nadvance 9999999999', /line 2: .*: it advances by at most 3600000 ms/);
    refused('cluster 4\nsay 0 Lie to=1', /line 2: .*: nobody can say "Lie"/);
    refused('cluster 4\ndrop to=7', /line 2: .*: there is no replica 7/);
    refused('cluster 4\ncluster 4', /line 2: .*: there is a cluster already/);
    refused('# Nothing.\n', /^Error: there is no cluster: begin with a command such as "cluster 4"$/);
  });

  it('fails where anything else follows than what it expects', () => {
    const expected = play('# One request.\ncluster 4\n----\nok\n\nask 0 a1\n----\nok\n\nrun\n----\nok\n');
    assert.match(expected, /^0 1 2 3: executes sequence 1: \[a1\]$/m);
    const spoilt = expected.replace('[a1]', '[a2]');
    assert.notEqual(play(spoilt), spoilt);
    assert.equal(play(spoilt), expected, 'and an update mends it');
  });

  it('names the line of a command that it does not know or that lacks something', () => {
    const cluster = '# Wrong.\n\ncluster 4\n----\nok\n\n';
    assert.throws(
      () => play(`${cluster}dance 0\n----\nok\n`),
      /^Error: line 7: "dance 0": there is no such command; there are cluster, ask,/,
    );
    assert.throws(() => play(`${cluster}ask 0\n----\nok\n`), /line 7: "ask 0": it needs a request/);
    assert.throws(() => play(`${cluster}run 3\n----\nok\n`), /line 7: "run 3": "3" means nothing to it/);
    assert.throws(() => play('# Wrong.\nrun\n----\nok\n'), /line 2: "run": it needs a cluster/);
    assert.throws(() => play('# Wrong.\nrun\n'), /line 2: the command "run" has no "----" below it/);
    assert.throws(() => play('run\n----\nok\n'), /line 1: a scenario begins with a comment/);
  });
});
