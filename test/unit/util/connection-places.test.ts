/** Who keeps a place at a port, and who gives way (FU-06). */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import {
  addressGroup,
  ConnectionPlaces,
  type PlaceLimits,
  STANDINGS,
  type Standing,
} from '../../../src/util/connection-places.js';

const LIMITS: PlaceLimits = { placesMax: 64, placesOfAddressMax: 32, reservedForOperator: 4 };

interface Guest {
  readonly address: string;
  readonly number: number;
}

/** A port with what became of each who came. */
class Port {
  readonly places: ConnectionPlaces<Guest>;
  private number = 0;

  constructor(limits: PlaceLimits = LIMITS) {
    this.places = new ConnectionPlaces(limits);
  }

  come(address: string, standing: Standing = 'silent', isOperator = false) {
    const guest = { address, number: ++this.number };
    const admission = this.places.admit(guest, { address, isOperator });
    if (admission.kind === 'admitted') {
      this.places.setStanding(guest, standing);
    }
    return { guest, admission };
  }

  comeOften(count: number, address: string, standing: Standing = 'silent') {
    return Array.from({ length: count }, () => this.come(address, standing));
  }

  countOf(address: string): number {
    return [...this.places.all()].filter((guest) => guest.address === address).length;
  }
}

function displacedBy({ admission }: ReturnType<Port['come']>): Guest | undefined {
  assert.equal(admission.kind, 'admitted');
  return admission.kind === 'admitted' ? admission.displaced : undefined;
}

describe('the places of a port', () => {
  it('FU-06: an address with all its places replaces its longest silent connection, and nobody else’s', () => {
    const port = new Port();
    const other = port.come('10.0.0.2');
    const [first, second] = port.comeOften(100, '10.0.0.1').slice(-30);
    assert.equal(displacedBy(port.come('10.0.0.1')), first?.guest);
    assert.equal(displacedBy(port.come('10.0.0.1')), second?.guest);
    assert.ok([...port.places.all()].includes(other.guest));
  });

  it('FU-06: silent connections give way before idle ones, those before standing streams, the longest first', () => {
    const port = new Port({ placesMax: 12, placesOfAddressMax: 5, reservedForOperator: 0 });
    const [standing, idle, silent] = [port.come('a', 'standing'), port.come('a', 'idle'), port.come('a')];
    const busy = port.come('a', 'busy');
    const older = port.come('a', 'busy');
    port.places.setStanding(older.guest, 'idle');
    const displaced = Array.from({ length: 4 }, () => displacedBy(port.come('a', 'busy')));
    assert.deepEqual(displaced, [silent.guest, idle.guest, older.guest, standing.guest]);
    assert.deepEqual(port.come('a').admission, { kind: 'refused', reason: 'address' });
    assert.ok([...port.places.all()].includes(busy.guest));
  });

  it('FU-06: whatever two addresses hold, and however busy, a third finds places', () => {
    const port = new Port();
    port.comeOften(1_000, '10.0.0.1', 'busy');
    port.comeOften(1_000, '10.0.0.2', 'busy');
    assert.equal(port.countOf('10.0.0.1'), 30, 'half of what there is beside the reserve');
    assert.equal(port.countOf('10.0.0.2'), 15, 'half of the rest');
    assert.equal(displacedBy(port.come('10.0.0.3')), undefined);
  });

  it('FU-06: where every place is taken, those give way whose address holds more than an equal share', () => {
    const port = new Port({ placesMax: 8, placesOfAddressMax: 8, reservedForOperator: 0 });
    const lonely = port.come('10.0.0.9', 'idle');
    const many = port.comeOften(3, '10.0.0.1', 'idle');
    port.comeOften(2, '10.0.0.2', 'idle');
    port.comeOften(1, '10.0.0.3', 'busy');
    port.comeOften(1, '10.0.0.4', 'busy');
    assert.equal(port.places.size, 8);
    assert.equal(displacedBy(port.come('10.0.0.5')), many[0]?.guest);
    assert.ok([...port.places.all()].includes(lonely.guest));
  });

  it('keeps the last places for the operator', () => {
    const port = new Port({ placesMax: 6, placesOfAddressMax: 6, reservedForOperator: 2 });
    for (const address of ['a', 'b', 'c', 'd']) {
      port.come(address, 'busy');
    }
    assert.deepEqual(port.come('e').admission, { kind: 'refused', reason: 'all' });
    assert.equal(displacedBy(port.come('127.0.0.1', 'silent', true)), undefined);
  });

  it('counts the addresses of one IPv6 network as one, and an IPv4 address in IPv6 as itself', () => {
    assert.equal(addressGroup('2001:db8:1:2:aaaa::1'), addressGroup('2001:0db8:0001:0002::ffff'));
    assert.notEqual(addressGroup('2001:db8:1:2::1'), addressGroup('2001:db8:1:3::1'));
    assert.equal(addressGroup('::1'), addressGroup('0:0:0:0:0:0:0:2'));
    assert.equal(addressGroup('fe80::1%eth0'), addressGroup('fe80::2'));
    assert.equal(addressGroup('::ffff:10.0.0.1'), addressGroup('10.0.0.1'));
  });

  it('FU-06: for any sequence of comings and goings the bounds hold, the busy stay, and somebody new gets in', () => {
    const act = fc.record({
      address: fc.integer({ min: 0, max: 3 }),
      standing: fc.constantFrom(...STANDINGS),
      leaves: fc.integer({ min: 0, max: 9 }),
    });
    fc.assert(
      fc.property(fc.array(act, { maxLength: 300 }), (acts) => {
        const port = new Port();
        const busy = new Set<Guest>();
        for (const { address, standing, leaves } of acts) {
          const { guest, admission } = port.come(`10.0.0.${address}`, standing);
          if (admission.kind === 'refused') {
            continue;
          }
          assert.ok(admission.displaced === undefined || !busy.has(admission.displaced));
          if (leaves === 0) {
            port.places.release(guest);
          } else if (standing === 'busy') {
            busy.add(guest);
          }
          assert.ok(port.places.size <= LIMITS.placesMax - LIMITS.reservedForOperator);
          assert.ok(port.countOf(`10.0.0.${address}`) <= LIMITS.placesOfAddressMax);
        }
        const all = new Set(port.places.all());
        assert.ok([...busy].every((guest) => all.has(guest)));
        assert.equal(port.come('10.9.9.9').admission.kind, 'admitted');
      }),
    );
  });
});
