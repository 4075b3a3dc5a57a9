/** Assignments as they are given on the command line. */
import assert from 'node:assert/strict';
import { flagsOfAssignments } from '../../../src/config/setting-sources.js';
import { ConfigurationError } from '../../../src/util/configuration-error.js';

describe('flags', () => {
  it('takes assignments apart at the first equals sign', () => {
    assert.deepEqual(flagsOfAssignments(['peers.2=a:1', 'dataDirectory=/x=y']), {
      'peers.2': 'a:1',
      dataDirectory: '/x=y',
    });
    for (const text of ['replica', '=3', '']) {
      assert.throws(() => flagsOfAssignments([text]), ConfigurationError);
    }
  });
});
