/**
 * One key of the key-value store as a sequential object, written from its documentation and not from its code. A
 * version of undefined is one that nobody was told yet: the put that made it has an unknown outcome.
 */
import type { ExpectedState, KeyValueInput, KeyValueOutput } from './history.js';

/** What a key holds; undefined where it is absent. */
export type KeyState = { readonly value: string; readonly version: number | undefined } | undefined;

/** The states that may follow when the operation takes effect with this output, or with any where it is unknown. */
export function computeNextStates(
  state: KeyState,
  input: KeyValueInput,
  output: KeyValueOutput | undefined,
): readonly KeyState[] {
  if (output !== undefined && output.kind !== input.kind) {
    return [];
  }
  switch (input.kind) {
    case 'put': {
      const version = output?.kind === 'put' ? output.version : undefined;
      return [{ value: input.value, version }];
    }
    case 'get':
      return output?.kind === 'get' ? statesShown(state, output.value, output.version) : [state];
    case 'delete':
      return output?.kind === 'delete' && output.found !== (state !== undefined) ? [] : [undefined];
    case 'compareAndSwap':
      return swap(state, input, output?.kind === 'compareAndSwap' ? output : undefined);
  }
}

/** The state where it may be what an answer shows, with the version that the answer tells. */
function statesShown(state: KeyState, value: string | undefined, version: number): readonly KeyState[] {
  if (state === undefined || value === undefined) {
    return state === undefined && value === undefined && version === 0 ? [undefined] : [];
  }
  const isSame = state.value === value && (state.version === undefined || state.version === version);
  return isSame ? [{ value, version }] : [];
}

function swap(
  state: KeyState,
  { expected, value }: Extract<KeyValueInput, { kind: 'compareAndSwap' }>,
  output: Extract<KeyValueOutput, { kind: 'compareAndSwap' }> | undefined,
): readonly KeyState[] {
  const matches = matchesOf(state, expected);
  const states: KeyState[] = [];
  if (matches.possible && output?.swapped !== false) {
    states.push({ value, version: output?.version });
  }
  if (!matches.certain && output?.swapped !== true) {
    states.push(...(output === undefined ? [state] : statesOfVersion(state, expected, output.version)));
  }
  return states;
}

/** A swap that was refused tells the version that the key has. */
function statesOfVersion(state: KeyState, expected: ExpectedState, version: number): readonly KeyState[] {
  if (expected.kind === 'version' && expected.version === version) {
    return [];
  }
  return state === undefined ? (version === 0 ? [undefined] : []) : statesShown(state, state.value, version);
}

function matchesOf(
  state: KeyState,
  expected: ExpectedState,
): { readonly possible: boolean; readonly certain: boolean } {
  const sure = (matches: boolean) => ({ possible: matches, certain: matches });
  switch (expected.kind) {
    case 'absent':
      return sure(state === undefined);
    case 'value':
      return sure(state?.value === expected.value);
    case 'version': {
      if (state === undefined) {
        return sure(expected.version === 0);
      }
      return state.version === undefined
        ? { possible: true, certain: false }
        : sure(state.version === expected.version);
    }
  }
}
