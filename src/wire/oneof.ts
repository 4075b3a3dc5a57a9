/**
 * Exactly one of several fields: a value of a union, told apart by `kind`. The arms' names in the .proto files are the
 * kinds in snake case, and what an arm holds stands beside `kind`.
 */
import { defined } from '../util/assert.js';
import { type Field, snakeCase } from './field.js';

type Content = Record<string, unknown>;
type Arms = Readonly<Record<string, Field<object, never>>>;
type Tagged<K, C> = { readonly kind: K } & C;
type ReadOf<A> = { [K in keyof A]: A[K] extends Field<infer R, never> ? Tagged<K, R> : never }[keyof A];
type WrittenOf<A> = { [K in keyof A]: A[K] extends Field<unknown, infer W> ? Tagged<K, W> : never }[keyof A];

/** An arm whose field is one property of the value; `written` names it where it is another one in what is written. */
export function as<P extends string, R, W, Q extends string = P>(
  property: P,
  field: Field<R, W>,
  written?: Q,
): Field<{ readonly [K in P]: R }, { readonly [K in Q]: W }> {
  const writtenProperty = (written ?? property) as Q;
  return {
    ...field,
    read: (reader, name, limits) => {
      const content: Content = {};
      content[property] = field.read(reader, name, limits);
      return content as { readonly [K in P]: R };
    },
    write: (writer, value) => field.write(writer, value[writtenProperty]),
    sizeBytes: (value, lengths) => field.sizeBytes(value[writtenProperty], lengths),
  };
}

/** A oneof: arms in the order of their numbers. One that stands nowhere, or an unknown one, is malformed. */
export function oneof<A extends Arms>(arms: A): Field<ReadOf<A>, WrittenOf<A>> {
  const entries = Object.entries(arms).map(([kind, field]) => ({ kind, field, name: snakeCase(kind) }));
  const ofNumber = new Map(entries.map((entry) => [entry.field.number, entry]));
  const ofKind = new Map(entries.map(({ kind, field }) => [kind, field]));
  const armOf = ({ kind }: { readonly kind: unknown }): Field<object, never> =>
    defined(ofKind.get(kind as string), 'what is written is of a kind that exists');
  const numbers = [...ofNumber.keys()];
  return {
    number: Math.min(...numbers),
    numberMax: Math.max(...numbers),
    name: undefined,
    read: (reader, name, limits) => {
      const arm = ofNumber.get(reader.nextNumber());
      if (arm === undefined) {
        reader.fail(name, 'is of no known kind');
        return undefined;
      }
      // Its own: the arm made it just now.
      const content = arm.field.read(reader, arm.name, limits) as Content | undefined;
      if (content !== undefined) {
        content['kind'] = arm.kind;
      }
      return content as ReadOf<A>;
    },
    write: (writer, value) => armOf(value).write(writer, value as never),
    sizeBytes: (value, lengths) => armOf(value).sizeBytes(value as never, lengths),
    sizeBytesMax: (limits) => Math.max(...entries.map(({ field }) => field.sizeBytesMax(limits))),
  };
}
