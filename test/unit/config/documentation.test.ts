/** docs/configuration.md says what the schema says. `UPDATE_DOCUMENTS=1` writes its tables anew. */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { SETTINGS, settingAtPath, settingOfVariable } from '../../../src/config/setting-table.js';
import { describeConsensusParameters, describeSettings } from '../../support/configuration-tables.js';

const DOCUMENT = new URL('../../../docs/configuration.md', import.meta.url);

/** The document with a section between its two marks replaced. */
function withSection(text: string, name: string, content: string): string {
  const section = new RegExp(`(<!-- ${name}: .*-->\\n)[^]*(<!-- end of ${name} -->)`);
  assert.match(text, section);
  return text.replace(section, (_, begin: string, end: string) => `${begin}${content}\n${end}`);
}

describe('the documentation of the configuration', () => {
  it('has the tables that the schema makes', () => {
    const text = readFileSync(DOCUMENT, 'utf8');
    const settings = withSection(text, 'settings', describeSettings());
    const expected = withSection(settings, 'parameters', describeConsensusParameters());
    if (process.env['UPDATE_DOCUMENTS'] === '1') {
      writeFileSync(DOCUMENT, expected);
    }
    assert.equal(readFileSync(DOCUMENT, 'utf8'), expected, 'run this test with UPDATE_DOCUMENTS=1');
  });

  it('describes every setting, with a unit for every number that measures something', () => {
    for (const { path, description, kind, unit } of SETTINGS) {
      assert.match(description, /\.$/, path);
      assert.ok(kind !== 'integer' || unit !== undefined || path === 'replica', path);
      if (/(?:Ms|Bytes(?:Max)?)$/.test(path)) {
        assert.match(unit ?? '', path.endsWith('Ms') ? /^ms$/ : /^bytes/, path);
      }
    }
  });

  it('has one variable and one path a setting', () => {
    assert.equal(new Set(SETTINGS.map(({ variable }) => variable)).size, SETTINGS.length);
    for (const setting of SETTINGS) {
      assert.equal(settingAtPath(setting.path)?.setting, setting);
      assert.equal(settingOfVariable(setting.variable)?.setting, setting);
    }
    assert.deepEqual(settingOfVariable('PBFT_PEERS_12')?.entry, '12');
    assert.equal(
      SETTINGS.find(({ path }) => path === 'agreement.requestTimeoutMaxMs')?.variable,
      'PBFT_AGREEMENT_REQUEST_TIMEOUT_MAX_MS',
    );
  });
});
