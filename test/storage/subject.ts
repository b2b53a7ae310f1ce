import type { LogReader, Store } from '../../src/runtime/store.ts'

/** How the suite opens a store. */
export interface OpenOptions {
  readonly maxLockWaitMs?: number
}

/** An empty database of its own, and every way in which the suite comes to it. */
export interface Place {
  open(options?: OpenOptions): Store | Promise<Store>
  openReader(): LogReader | Promise<LogReader>
  /**
   * How a child process opens the same database: `module` exports `engine`, which has `open(options)`, whose answer may be waited for.
   *
   * A child runs the built output, because Node cannot run the sources.
   */
  readonly child: { readonly module: string; readonly engine: string; readonly options: object }
  /** Takes the lock for writing, as a process does that never gives it back; returns how to give it back. */
  holdLock(): (() => void) | Promise<() => void>
}

/** A database engine under test. */
export interface Subject {
  readonly name: string
  newPlace(): Place
}
