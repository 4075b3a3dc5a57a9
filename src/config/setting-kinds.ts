/** The kinds of settings: each is a schema that carries its own documentation. */
import { isIP } from 'node:net';
import { z } from 'zod';
import { type Address, parseAddress } from './address.js';

/** How a setting's text is read, and how it is documented. */
export type SettingKind = 'integer' | 'boolean' | 'choice' | 'address' | 'addresses' | 'ipAddresses' | 'file';

/** What is known of a setting beside its schema. */
export interface SettingMeta {
  readonly kind: SettingKind;
  readonly description: string;
  /** `ms`, `bytes` … ; absent for what has none. */
  readonly unit?: string;
  /** As it would stand in the file; absent where the setting must be given or has none. */
  readonly default?: string | number | boolean;
  /** Bounds or choices in words. */
  readonly allowed?: string;
}

/** What is known of each setting, by its schema. */
export const settingRegistry = z.registry<SettingMeta>();

interface IntegerOptions {
  readonly min: number;
  readonly max: number;
  readonly default: number;
  readonly unit: string;
  readonly description: string;
}

/** A whole number with bounds and a default. */
export function integer({ min, max, default: value, unit, description }: IntegerOptions): z.ZodDefault<z.ZodInt> {
  const allowed = `${min} to ${max}`;
  const meta: SettingMeta = { kind: 'integer', description, unit, default: value, allowed };
  return z.int().min(min).max(max).default(value).register(settingRegistry, meta);
}

/** True or false, false by default. */
export function flag(description: string): z.ZodDefault<z.ZodBoolean> {
  return z.boolean().default(false).register(settingRegistry, { kind: 'boolean', description, default: false });
}

/** One of a few words. */
export function choice<const T extends readonly [string, ...string[]]>(
  values: T,
  value: T[number],
  description: string,
) {
  const meta: SettingMeta = { kind: 'choice', description, default: value, allowed: values.join(', ') };
  return z
    .enum(values)
    .default(() => value)
    .register(settingRegistry, meta);
}

const addressText = z.string().transform((text, context): Address => {
  const address = parseAddress(text);
  if (address === undefined) {
    context.addIssue({ code: 'custom', message: `\`${text}\` is not an address such as 127.0.0.1:7400` });
    return z.NEVER;
  }
  return address;
});

/** An address that must be given. */
export function address(description: string) {
  return addressText.pipe(z.custom<Address>()).register(settingRegistry, { kind: 'address', description });
}

/** A path. The loader makes it absolute and fills in the default: both are relative to where a value comes from. */
export function file(value: string, description: string): z.ZodString {
  return z.string().min(1).register(settingRegistry, { kind: 'file', description, default: value });
}

/** A path that may be absent. */
export function optionalFile(description: string): z.ZodOptional<z.ZodString> {
  return z.string().min(1).optional().register(settingRegistry, { kind: 'file', description });
}

/** Addresses by replica id. */
export function addresses(description: string) {
  return z
    .record(z.string().regex(/^(0|[1-9][0-9]?)$/), addressText.pipe(z.custom<Address>()))
    .default({})
    .register(settingRegistry, { kind: 'addresses', description });
}

/** IP addresses separated by commas; empty for none. */
export function ipAddresses(description: string) {
  const meta: SettingMeta = {
    kind: 'ipAddresses',
    description,
    default: '',
    allowed: 'IP addresses, separated by commas',
  };
  return z
    .string()
    .default('')
    .superRefine((text, context) => {
      const wrong = ipAddressesIn(text).find((one) => isIP(one) === 0);
      if (wrong !== undefined) {
        context.addIssue({ code: 'custom', message: `\`${wrong}\` is not an IP address` });
      }
    })
    .register(settingRegistry, meta);
}

/** The addresses in such a setting. */
export function ipAddressesIn(text: string): string[] {
  return text
    .split(',')
    .map((one) => one.trim())
    .filter((one) => one !== '');
}
