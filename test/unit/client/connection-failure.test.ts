import assert from 'node:assert/strict';
import { judgeConnection } from '../../../src/client/connection-failure.js';

const ADDRESS = '[::1]:8430';
const LAST = 'No connection established. Last error: ';

/** What the library was seen to say, whether TLS was wanted, and what is made of it. */
const SEEN: readonly (readonly [string, boolean, string, RegExp])[] = [
  [
    `Error: connect ECONNREFUSED ${ADDRESS}. Resolution note: `,
    false,
    'CONNECTION',
    /^nobody answers at \[::1\]:8430: connect ECONNREFUSED$/,
  ],
  [
    'Failed to connect (2026-11-28T10:41:32.866Z). Resolution note: ',
    false,
    'NOT_PLAINTEXT',
    /hung up .* may want TLS/,
  ],
  ['read ECONNRESET (2026-11-28T10:41:32.866Z)', false, 'NOT_PLAINTEXT', /hung up/],
  ['Protocol error (2026-11-28T10:42:00.984Z). Resolution note: ', false, 'NOT_FOR_CALLERS', /does not speak gRPC/],
  [
    'Error: 80EC6F0B807F0000:error:0A00010B:SSL routines:ssl3_get_record:wrong version number:../deps/record.c:350:\n. Resolution note: ',
    true,
    'NOT_TLS',
    /^\[::1\]:8430 does not speak TLS: it serves plaintext$/,
  ],
  [
    'Error: unable to verify the first certificate. Resolution note: ',
    true,
    'CERTIFICATE_UNTRUSTED',
    /no authority that is trusted/,
  ],
  ['Error: self-signed certificate in certificate chain', true, 'CERTIFICATE_UNTRUSTED', /no authority/],
  ['Error: certificate has expired', true, 'CERTIFICATE_EXPIRED', /^\[::1\]:8430: its certificate has expired/],
  [
    "Error [ERR_TLS_CERT_ALTNAME_INVALID]: Hostname/IP does not match certificate's altnames: Host: example.org. is not in the cert's altnames: DNS:localhost, IP Address:127.0.0.1",
    true,
    'CERTIFICATE_NAME',
    /does not name "example\.org", but DNS:localhost, IP Address:127\.0\.0\.1$/,
  ],
  [
    'Error: 804CCFFF077F0000:error:0A00045C:SSL routines:ssl3_read_bytes:tlsv13 alert certificate required:../x.c:1601:SSL alert number 116\n (2026-11-28T10:41:57.650Z)',
    true,
    'NOT_FOR_CALLERS',
    /port for replicas/,
  ],
  [
    'Error: Client network socket disconnected before secure TLS connection was established',
    true,
    'CONNECTION',
    /hung up before TLS/,
  ],
  [
    'Error: 80:error:0A000126:SSL routines:ssl3_read_n:something new:../x.c:1:\n',
    true,
    'CONNECTION',
    /^no TLS connection to \[::1\]:8430 came about: something new$/,
  ],
  ['something else', true, 'CONNECTION', /^nobody answers at \[::1\]:8430: something else$/],
];

describe('a connection that never was', () => {
  for (const [said, isTls, reason, message] of SEEN) {
    it(`is ${reason} where ${isTls ? 'TLS' : 'plaintext'} ended with: ${said.slice(0, 60)}`, () => {
      const tls = isTls ? { tls: { serverName: 'example.org' } } : {};
      const judged = judgeConnection(LAST + said, { address: ADDRESS, ...tls });
      assert.equal(judged.reason, reason);
      assert.match(judged.message, message);
      assert.ok(!judged.message.includes('\n'), judged.message);
    });
  }
});
