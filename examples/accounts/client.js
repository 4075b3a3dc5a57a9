// @ts-check
/**
 * A client of the accounts: `node client.js ADDRESS[,ADDRESS...] OPERATION`, such as
 *
 *     node client.js 127.0.0.1:7400 '{"op":"open","account":"alice"}'
 *
 * It prints the result; a refusal of the application ends with 1, a failed call with 2, an unknown outcome with 3.
 */
import { ClientError, connect } from 'pbft';

const [addresses = '127.0.0.1:7400', operation = '{"op":"list"}'] = process.argv.slice(2);
const client = connect(addresses.split(','));
try {
  const { result, sequence } = await client.submit(new TextEncoder().encode(operation));
  const text = new TextDecoder().decode(result);
  console.log(`${text} (sequence ${sequence})`);
  process.exitCode = JSON.parse(text).ok ? 0 : 1;
} catch (error) {
  if (!(error instanceof ClientError)) {
    throw error;
  }
  console.error(error.message);
  // After an unknown outcome a transfer with an id can be sent again: it happens once.
  process.exitCode = error.outcomeKnown ? 2 : 3;
} finally {
  client.close();
}
