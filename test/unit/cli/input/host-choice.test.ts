import assert from 'node:assert/strict';
import { Command } from 'commander';
import { type HostOf, hostChoices, hostOption } from '../../../../src/cli/input/host-choice.js';

const NAMES = ['Apple', 'MS', 'Google', 'IBM'];

function choicesOf(...hosts: readonly string[]) {
  const command = new Command().exitOverride().configureOutput({ writeErr: () => undefined });
  command.addOption(hostOption()).parse(
    hosts.flatMap((host) => ['--host', host]),
    { from: 'user' },
  );
  return hostChoices(command.opts<{ host?: readonly HostOf[] }>().host ?? [], NAMES);
}

describe('the flag --host', () => {
  it('is one for all, or one for each by name or id', () => {
    assert.deepEqual(choicesOf(), {});
    assert.deepEqual(choicesOf('pbft.example'), { host: 'pbft.example' });
    assert.deepEqual(choicesOf('Apple=a', '1=10.0.0.2', 'IBM=fd00::4', 'Google=g'), {
      hosts: ['a', '10.0.0.2', 'g', 'fd00::4'],
    });
  });

  it('may be one for some, and one for all others', () => {
    assert.deepEqual(choicesOf('pbft.example', 'MS=10.0.0.2'), {
      host: 'pbft.example',
      hosts: [undefined, '10.0.0.2', undefined, undefined],
    });
  });

  it('is refused where it leaves a doubt', () => {
    const cases: readonly (readonly [readonly string[], RegExp])[] = [
      [['a', 'b'], /2 hosts for all replicas/],
      [['Apple=a'], /no host for MS, Google, IBM/],
      [['Apple=a', '0=b', 'x'], /two hosts for Apple/],
      [['Oracle=a', 'x'], /no replica Oracle; there will be 0 \(Apple\)/],
      [['a=b=c'], /name=host/],
      [['=c'], /name=host/],
      [['Apple='], /name=host/],
    ];
    for (const [hosts, message] of cases) {
      assert.throws(() => choicesOf(...hosts), message, hosts.join());
    }
  });
});
