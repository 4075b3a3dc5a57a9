import assert from 'node:assert/strict';
import { type DoorWarning, PortDoor } from '../../../src/util/port-door.js';
import { ManualTimers } from '../../support/network-manual-timers.js';

describe('the door of a port', () => {
  let timers: ManualTimers;
  let door: PortDoor<string>;
  let closed: string[];
  let reasons: string[];
  let warnings: DoorWarning[];
  let open: number;
  const spoken = new Set<string>();

  beforeEach(() => {
    timers = new ManualTimers();
    [closed, reasons, warnings, open] = [[], [], [], 0];
    spoken.clear();
    door = new PortDoor<string>({
      limits: { placesMax: 8, placesOfAddressMax: 4, reservedForOperator: 0 },
      settings: { max: 'the.max', ofAddressMax: 'the.ofAddressMax' },
      silentMs: 5_000,
      isOperator: () => false,
      timers,
      hasSpoken: (connection) => spoken.has(connection),
      close: (connection) => closed.push(connection),
      onClosed: (reason) => reasons.push(reason),
      onOpen: (count) => {
        open = count;
      },
      onWarning: (warning) => warnings.push(warning),
    });
  });

  it('FU-06: closes what has said nothing for a while, and leaves alone who spoke', () => {
    door.enter('silent', '10.0.0.1');
    door.enter('spoke', '10.0.0.1');
    door.enter('left', '10.0.0.1');
    spoken.add('spoke');
    door.leave('left');
    timers.advance(5_000);
    assert.deepEqual([closed, reasons, open], [['silent'], ['silent'], 1]);
    assert.deepEqual(door.all(), ['spoke']);
  });

  it('FU-06: counts every connection that gives way, and says so at most once in ten seconds, with what to do', () => {
    for (let index = 0; index < 24; index++) {
      assert.ok(door.enter(`c${index}`, '10.0.0.1'));
    }
    assert.equal(reasons.filter((reason) => reason === 'displaced').length, 20);
    assert.deepEqual(
      closed,
      Array.from({ length: 20 }, (_, index) => `c${index}`),
    );
    assert.equal(warnings.length, 1);
    assert.equal(warnings[0]?.address, '10.0.0.1');
    assert.match(warnings[0]?.text ?? '', /10\.0\.0\.1.*raise `the\.max` or `the\.ofAddressMax`/);
    // The four that are left say nothing.
    timers.advance(10_000);
    door.noteAcceptFailure(new Error('accept EMFILE'));
    assert.equal(warnings.length, 2);
    assert.equal(warnings[1]?.omitted, 19 + 4);
  });

  it('FU-07: says of a connection that could not be accepted that descriptors are too few', () => {
    door.noteAcceptFailure(new Error('accept EMFILE'));
    assert.deepEqual(reasons, ['accept_failed']);
    assert.match(warnings[0]?.text ?? '', /EMFILE.*file descriptors is too low.*LimitNOFILE/);
  });
});
