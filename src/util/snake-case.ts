/**
 * How the code's names of kinds, causes and reasons are told to the outside: `viewChange` in the code is `view_change`
 * in a metric's label and in a status. One way for all, so that an operator meets one spelling.
 */

/** `request_timeout` of `requestTimeout`; what is no name in lower camel case stays as it is: ids, `OK`, `A/B`. */
export function snakeCase(name: string): string {
  return /^[a-z]+(?:[A-Z][a-z]*)+$/.test(name) ? name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`) : name;
}
