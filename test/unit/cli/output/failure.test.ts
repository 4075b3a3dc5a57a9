import assert from 'node:assert/strict';
import { CommandError } from '../../../../src/cli/exit.js';
import { describeFailure } from '../../../../src/cli/output/failure.js';
import { ClientError } from '../../../../src/client/client-error.js';
import { StartError } from '../../../../src/replica/start-error.js';
import { ConfigurationError } from '../../../../src/util/configuration-error.js';

function clientError(outcomeKnown: boolean): ClientError {
  const fields = { code: 'DEADLINE_EXCEEDED', reason: 'CALL', field: undefined, retryAfterMs: undefined } as const;
  return new ClientError('no answer', { ...fields, outcomeKnown });
}

describe('a failed command', () => {
  it('says every problem of a configuration with its place and remedy', () => {
    const problem = { file: 'config.yaml', path: 'a.b', message: 'too large', remedy: 'Take less' };
    const error = new ConfigurationError(problem, [{ ...problem, path: 'a.c' }]);
    assert.deepEqual(describeFailure(error), {
      lines: ['config.yaml: a.b: too large. Take less', 'config.yaml: a.c: too large. Take less'],
      exitCode: 1,
    });
  });

  it('ends with 2 where the mistake is on the command line alone', () => {
    const problem = { file: 'flags', path: 'a.b', message: 'no setting', remedy: '' };
    assert.equal(describeFailure(new ConfigurationError(problem)).exitCode, 2);
    assert.equal(describeFailure(new ConfigurationError(problem, [{ ...problem, file: 'x' }])).exitCode, 1);
    assert.equal(describeFailure(new CommandError('which?', 2)).exitCode, 2);
  });

  it('ends with 3 where the outcome is not known, and says what to do', () => {
    const { lines, exitCode } = describeFailure(clientError(false));
    assert.equal(exitCode, 3);
    assert.match(lines.join('\n'), /^no answer\n.*--request-id/);
    assert.deepEqual(describeFailure(clientError(true)), { lines: ['no answer'], exitCode: 1 });
  });

  it('shows no stack trace, unless asked for one of a bug', () => {
    const system = Object.assign(new Error('ENOENT: no such file, open x'), { code: 'ENOENT', syscall: 'open' });
    for (const error of [new StartError('the port is taken'), system]) {
      assert.deepEqual(describeFailure(error, true), { lines: [error.message], exitCode: 1 });
    }
    const bug = new TypeError('x is not a function\nmore');
    const [first, ...rest] = describeFailure(bug).lines;
    assert.equal(first, 'unexpected error: TypeError: x is not a function');
    assert.equal(rest.length, 1);
    assert.ok(describeFailure(bug, true).lines.some((line) => line.includes('failure.test')));
  });

  it('says which file the operating system refused, why, and what to do', () => {
    const path = '/x/cluster.json';
    const denied = Object.assign(new Error(`EACCES: permission denied, open '${path}'`), {
      code: 'EACCES',
      syscall: 'open',
      path,
    });
    const { lines, exitCode } = describeFailure(denied);
    assert.equal(exitCode, 1);
    assert.match(lines.join(), /^\/x\/cluster\.json: this process may not use it \(EACCES\); give the file.*chown/);
  });

  it('bears anything that is thrown', () => {
    assert.equal(describeFailure('text').lines[0], 'unexpected error: text');
    assert.equal(describeFailure(undefined).exitCode, 1);
  });
});
