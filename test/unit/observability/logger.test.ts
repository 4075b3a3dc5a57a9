import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import fc from 'fast-check';
import { createLogger, type LogLevel } from '../../../src/observability/logger.js';

describe('the logger', () => {
  let lines: string[] = [];
  beforeEach(() => {
    lines = [];
  });

  function logger(options: { level?: LogLevel; pretty?: boolean; fields?: Record<string, unknown> } = {}) {
    return createLogger({
      level: options.level ?? 'debug',
      pretty: options.pretty ?? false,
      fields: options.fields ?? { replica: 1 },
      destination: { write: (line) => lines.push(line) },
    });
  }

  function record(): Record<string, unknown> {
    assert.equal(lines.length, 1);
    return JSON.parse(lines[0] ?? '');
  }

  it('writes level, time, its own fields, the fields of the record and the message', () => {
    logger().warn({ peer: 2, waitedMs: 5 }, 'the link is down');
    const { time, ...rest } = record();
    assert.deepEqual(rest, { level: 'warn', replica: 1, peer: 2, waitedMs: 5, message: 'the link is down' });
    assert.match(String(time), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
  });

  it('leaves out what is less urgent than its level', () => {
    const quiet = logger({ level: 'warn' });
    quiet.debug({}, 'd');
    quiet.info({}, 'i');
    quiet.warn({}, 'w');
    quiet.error({}, 'e');
    assert.deepEqual(
      lines.map((line) => JSON.parse(line).message),
      ['w', 'e'],
    );
    logger({ level: 'silent' }).error({}, 'nothing');
    assert.equal(lines.length, 2);
  });

  for (const pretty of [false, true]) {
    it(`writes one line a record, whatever stands in it, ${pretty ? 'pretty' : 'as JSON'}`, () => {
      fc.assert(
        fc.property(fc.string({ unit: 'binary' }), fc.dictionary(fc.string(), fc.anything()), (message, fields) => {
          lines = [];
          logger({ pretty }).info({ ...fields, error: new Error(`a\nb${message}`) }, `x\r\n\u001b[31m${message}`);
          assert.equal(lines.length, 1);
          const text = (lines[0] ?? '').replace(/\n$/, '');
          // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it looks for.
          assert.doesNotMatch(text, /[\u0000-\u001f\u007f-\u009f\u2028\u2029]/);
        }),
      );
    });

    it(`never writes a private key, by name, by type or by look, ${pretty ? 'pretty' : 'as JSON'} (MK-06)`, () => {
      const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
      const pem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
      const der = privateKey.export({ type: 'pkcs8', format: 'der' });
      const fields = {
        privateKey: 'hunter2',
        nested: { list: [{ password: 'hunter2', tls: { passphrase: 'hunter2' } }] },
        authorization: 'Bearer hunter2',
        a: privateKey,
        b: pem,
        c: der,
        d: [new Map([['x', { secret: 'hunter2' }]])],
        keyFile: '/etc/pbft/signing.pem',
        keyFingerprint: 'ab12',
        publicKey,
      };
      logger({ pretty }).error({ ...fields, error: new Error('bad key', { cause: new Error(pem) }) }, `loading ${pem}`);
      const text = lines.join('');
      assert.doesNotMatch(text, /hunter2|BEGIN|MII/);
      assert.ok(!text.includes(pem.split('\n')[3] ?? '-'));
      assert.match(text, /\/etc\/pbft\/signing\.pem/);
      assert.match(text, /ab12/);
      assert.match(text, /bad key/);
    });
  }

  it("says of bytes how many, not which: they may be a caller's data", () => {
    logger().info({ operation: new Uint8Array([1, 2, 3]) }, 'x');
    assert.equal(record()['operation'], '[3 bytes]');
  });

  it('keeps its own fields apart from those of the record that have their names', () => {
    logger().info({ replica: 3, level: 'x', time: 0, message: 'y' }, 'z');
    const { time: _time, ...rest } = record();
    assert.deepEqual(rest, {
      level: 'info',
      replica: 1,
      replica_: 3,
      level_: 'x',
      time_: 0,
      message_: 'y',
      message: 'z',
    });
  });

  it('shows an error with its code, stack and cause', () => {
    const error = Object.assign(new TypeError('outer', { cause: new Error('inner') }), {
      code: 'EIO',
      path: '/secret',
    });
    logger().error({ error }, 'failed');
    const shown = record()['error'];
    assert.ok(typeof shown === 'object' && shown !== null && 'stack' in shown && Array.isArray(shown.stack));
    assert.ok(shown.stack.length > 0 && shown.stack.length <= 12);
    const text = lines.join('');
    assert.match(text, /"type":"TypeError","message":"outer","code":"EIO"/);
    assert.match(text, /"cause":\{"type":"Error","message":"inner"/);
    assert.doesNotMatch(text, /\/secret/);
  });

  it('bounds depth, entries and length, circles included', () => {
    const circle: Record<string, unknown> = {
      long: 'x'.repeat(1_000_000),
      many: Array.from({ length: 10_000 }, () => 1),
    };
    circle['self'] = circle;
    logger().info({ circle }, 'y'.repeat(1_000_000));
    assert.ok((lines[0] ?? '').length < 50_000);
  });
});
