/**
 * The view that a replica is in, and what is true only while it is active there, or only between two views [OSDI §4.4].
 *
 * 1. The view never goes back.
 * 2. It is left by a move to a later one, and entered once after that: changing → active.
 *
 * Nobody else writes it; when and why is for leaving-view.ts and beginning-view.ts to say.
 */
import { assert } from '../util/assert.js';
import type { Digest } from '../util/digest.js';
import { owned } from '../util/owned.js';
import type { ViewChangeCause } from './explanation.js';
import { type Sequence, sequence, type View } from './identifiers.js';
import type { BegunView } from './log-record.js';
import type { HeldViewChange } from './view-change-log.js';
import type { NewViewPlan } from './view-change-rules.js';

/** It takes part in this view. */
export interface ActiveView {
  readonly kind: 'active';
  readonly number: View;
  /** What began it; undefined in view 0. */
  readonly begun: BegunView | undefined;
  /** The highest sequence that its NewView proposes, 0 for none: no other proposal is taken up to it. */
  readonly newViewMax: Sequence;
  /** Since when its primary has its time, monotonic: since it was entered, or since nobody was to blame. */
  readonly patientSinceMs: number;
}

/** It has left every view below this one, and this one hasn't begun here. */
export interface ChangingView {
  readonly kind: 'changing';
  readonly number: View;
  /** Why it left the last view; undefined where it started in between. */
  readonly cause: ViewChangeCause | undefined;
  /** When it left the last view that it was active in, or started, monotonic. */
  readonly leftAtMs: number;
  /** The NewView that this replica, as primary, is about to sign. */
  readonly forming: FormingView | undefined;
  /** ViewChanges that the NewView of this view names and that are bad; joining-view.ts adds them. */
  readonly badNamed: ReadonlySet<Digest>;
}

/** A NewView that waits for signatures. */
export interface FormingView {
  readonly viewChanges: readonly HeldViewChange[];
  readonly plan: NewViewPlan;
}

/** One of the two. */
export type ViewState = ActiveView | ChangingView;

/** Where the view stands. */
interface ViewHolder {
  readonly view: ViewState;
}

/** Whether it takes part in its view. */
export function isActive({ view }: ViewHolder): boolean {
  return view.kind === 'active';
}

/** What began the view that it is active in; undefined in view 0 and between two views. */
export function begunView({ view }: ViewHolder): BegunView | undefined {
  return view.kind === 'active' ? view.begun : undefined;
}

/** The NewView that this replica, as primary of the view that it moved to, is about to sign. */
export function formingView({ view }: ViewHolder): FormingView | undefined {
  return view.kind === 'changing' ? view.forming : undefined;
}

/** The highest sequence that the NewView of this view proposes, 0 for none and between two views. */
export function newViewMax({ view }: ViewHolder): Sequence {
  return view.kind === 'active' ? view.newViewMax : sequence(0);
}

/** The view that a replica starts in. */
export function recoverView(number: View, active: boolean, begun: BegunView | undefined): ViewState {
  return active ? activeView(number, begun, 0) : changingView(number, undefined, 0);
}

/** The replica starts: time begins. */
export function startClock(state: ViewHolder, nowMs: number): void {
  const { view } = state;
  owned(state).view = view.kind === 'active' ? { ...view, patientSinceMs: nowMs } : { ...view, leftAtMs: nowMs };
}

/** It leaves its view for a later one. */
export function moveTo(
  state: ViewHolder,
  target: View,
  { cause, nowMs }: { readonly cause: ViewChangeCause; readonly nowMs: number },
): void {
  const { view } = state;
  assert(target > view.number, 'a replica moves to a later view');
  owned(state).view = changingView(target, cause, view.kind === 'active' ? nowMs : view.leftAtMs);
}

/** The view that it moved to begins; gives how long it was in none, in milliseconds. */
export function becomeActive(state: ViewHolder, begun: BegunView, nowMs: number): number {
  const { view } = state;
  assert(view.kind === 'changing', 'a view is entered once, after moving to it');
  assert(begun.newView.message.newView === view.number, 'a view is begun by its own NewView');
  owned(state).view = activeView(view.number, begun, nowMs);
  return nowMs - view.leftAtMs;
}

/** The primary has its time anew: that something waits was no fault of its. Nothing between two views. */
export function beginPatience(state: ViewHolder, nowMs: number): void {
  const { view } = state;
  if (view.kind === 'active') {
    owned(state).view = { ...view, patientSinceMs: nowMs };
  }
}

/** As primary of the view that it moved to, it forms this NewView. */
export function beginForming(state: ViewHolder, forming: FormingView): void {
  const { view } = state;
  assert(view.kind === 'changing' && view.forming === undefined, 'one NewView is formed for a view, before it begins');
  owned(state).view = { ...view, forming };
}

/** A ViewChange that the NewView of this view names is bad. Nothing once the view has begun. */
export function addBadNamed(state: ViewHolder, digest: Digest): void {
  const { view } = state;
  if (view.kind === 'changing') {
    owned(state).view = { ...view, badNamed: new Set([...view.badNamed, digest]) };
  }
}

function changingView(number: View, cause: ViewChangeCause | undefined, leftAtMs: number): ChangingView {
  return { kind: 'changing', number, cause, leftAtMs, forming: undefined, badNamed: new Set() };
}

function activeView(number: View, begun: BegunView | undefined, patientSinceMs: number): ActiveView {
  const newViewMax = begun?.newView.message.prePrepares.at(-1)?.message.sequence ?? sequence(0);
  return { kind: 'active', number, begun, newViewMax, patientSinceMs };
}
