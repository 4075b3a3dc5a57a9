/** The brand of verified messages has two makers, and each is used where it may be. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const SOURCE = fileURLToPath(new URL('../../../src/', import.meta.url));

/** Where signatures of what came from outside are checked. */
const INGRESS = /^runtime\/(?:ingress\/)?(?:[a-z-]+\/)?(?:ingress|evidence-judge|own-statement-judge)\.ts$/;
/** What this replica signs, and what its own store gives back. */
const OWN = /^(?:runtime\/(?:egress\/|gateway\/)?(?:egress|gateway)|wire\/[a-z-]+)\.ts$/;
const MAKERS = 'protocol/verified.ts';

function filesWith(pattern: RegExp): readonly string[] {
  return readdirSync(SOURCE, { recursive: true, encoding: 'utf8' })
    .filter(
      (file) =>
        file.endsWith('.ts') && !file.startsWith('wire/gen/') && pattern.test(readFileSync(`${SOURCE}${file}`, 'utf8')),
    )
    .sort();
}

describe('the brand of verified messages', () => {
  it('is cast nowhere but in its makers', () => {
    assert.deepEqual(filesWith(/\bas (?:unknown as )?(?:readonly )?(?:Verified<|\w*Certificate\b)/), [MAKERS]);
  });

  for (const [maker, where] of [
    ['checked', INGRESS],
    ['own', OWN],
  ] as const) {
    it(`is given by ${maker}() only where it may be`, () => {
      const users = filesWith(new RegExp(`import \\{[^}]*\\b${maker}\\b[^}]*\\} from '[./]*protocol/verified\\.js'`));
      assert.ok(users.length > 0, 'somebody makes verified messages');
      assert.deepEqual(
        users.filter((file) => !where.test(file)),
        [],
      );
    });
  }
});
