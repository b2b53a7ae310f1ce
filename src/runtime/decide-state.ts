import { keyedDigest } from '../audit/keyed-digest.ts'
import { limits } from '../limits.ts'
import type {
  AddedLabel,
  Consequences,
  LabelState,
  PolicyState,
  RealPath,
  Usage,
} from '../policy/state.ts'
import type { DiskFacts } from './real-paths.ts'
import { usageOf } from '../policy/usage.ts'
import type { Effects, LabelChange, StoreView } from './store.ts'

/** Whose labels and limits are asked for, and the key of what is kept of arguments. */
export interface StateSubject {
  /** The session: `sessionSubject`. */
  readonly subject: string
  /** Values that labels are about are kept as keyed digests only: a short one could be guessed from a plain hash. */
  readonly digestKey: () => Uint8Array
  /** Where paths of the call really lead; undefined where gate and server share no disk. */
  readonly disk?: KnownDisk | undefined
}

/** What was found out of the disk before the transaction. */
export interface KnownDisk {
  readonly facts: DiskFacts
  /** Whether a path may stand in the log as it is. */
  readonly isKept: (path: string) => boolean
}

/** A label that is proven when its call ends without an error. */
export interface Proof {
  readonly subject: string
  readonly label: string
  /** As it is stored. */
  readonly bind: string
  readonly ttlMs: number | undefined
}

/** Labels belong to the client's instance; where none is known, as here, to the actor (THREATS B38). */
export function sessionSubject(actor: string): string {
  return JSON.stringify(['actor', actor])
}

/** For good: later than any clock. */
const never = Number.MAX_SAFE_INTEGER

/**
 * The state inside the transaction as a policy asks for it; what was asked and answered is kept for the record.
 *
 * After a bounded number of questions nothing more is known, so that the record stays bounded too.
 */
export class AskedState implements PolicyState {
  readonly nowMs: number
  #view: StoreView | undefined
  readonly #of: StateSubject
  readonly #usages = new Map<string, AskedUsage>()
  readonly #labels = new Map<string, AskedLabel>()
  readonly #paths = new Map<string, string | undefined>()
  readonly realPath: RealPath | undefined

  constructor(view: StoreView, of: StateSubject) {
    const { disk } = of
    this.realPath = disk && ((path) => this.#pathOn(disk, path))
    this.nowMs = view.nowMs
    this.#view = view
    this.#of = of
  }

  usage(pot: string, sinceMs: number): Usage | undefined {
    const key = `${sinceMs} ${pot}`
    const known = this.#usages.get(key)
    if (known !== undefined) return known.usage
    if (this.#view === undefined || this.#isFull) return undefined
    const charges = this.#view.charges(pot, sinceMs)
    const usage = charges === undefined ? undefined : usageOf(charges)
    this.#usages.set(key, { pot, sinceMs, usage })
    return usage
  }

  label(label: string, value: string | undefined): LabelState | undefined {
    const bind = value === undefined ? undefined : this.#bindOf(value)
    const key = JSON.stringify([label, bind])
    const known = this.#labels.get(key)
    if (known !== undefined) return known.state
    if (this.#view === undefined || this.#isFull) return undefined
    const state = this.#view.label({ subject: this.#of.subject, label, bind })
    this.#labels.set(key, { label, bind, state })
    return state
  }

  /** The transaction is over: what was not asked in it cannot be known any more. */
  end(): void {
    this.#view = undefined
  }

  /** What the store has to keep of a call that is forwarded. */
  effects(
    { charges, labels }: Consequences,
    seq: number,
  ): Required<Pick<Effects<unknown>, 'charges' | 'labels'>> {
    return {
      charges: charges.map(({ pot, amount, windowMs, shortestMs }) => ({
        pot,
        amount: amount.canonical,
        atMs: this.nowMs,
        expiresAtMs: this.nowMs + windowMs,
        windowMs,
        shortestMs,
        decisionSeq: seq,
      })),
      labels: this.#changes(labels, seq),
    }
  }

  /** What is proven if the call ends without an error. */
  proofs({ labels }: Consequences): readonly Proof[] {
    const { subject } = this.#of
    return labels
      .filter(({ proves }) => proves)
      .map(({ label, bind, ttlMs }) => ({ subject, label, bind: this.#bindOf(bind), ttlMs }))
  }

  /** What was asked and answered, and what the call does to the store; as JSON, for the record. */
  account(effects: Pick<Effects<unknown>, 'charges' | 'labels'>): string {
    return JSON.stringify({
      added: (effects.labels ?? []).map(({ label, bind, heldUntilMs }) => ({
        bind,
        label,
        until_ms: heldUntilMs,
      })),
      charged: (effects.charges ?? []).map(({ pot, amount, expiresAtMs }) => ({
        amount,
        expires_ms: expiresAtMs,
        pot,
      })),
      labels: [...this.#labels.values()].map(({ label, bind, state: { held, proven } }) => ({
        bind: bind ?? null,
        held,
        label,
        proven,
      })),
      ...(this.#of.disk === undefined ? {} : { paths: this.#keptPaths(this.#of.disk) }),
      pots: [...this.#usages.values()].map(({ pot, sinceMs, usage }) => ({
        pot,
        since_ms: sinceMs,
        used: usage?.used.canonical ?? null,
      })),
    })
  }

  #pathOn({ facts }: KnownDisk, path: string): string | undefined {
    const real = facts.get(path)
    // Beyond the bound nothing was asked, and nothing is said.
    if (facts.has(path)) this.#paths.set(path, real)
    return real
  }

  #keptPaths({
    isKept,
  }: KnownDisk): readonly { readonly path: string; readonly real: string | null }[] {
    return [...this.#paths]
      .filter(([path]) => isKept(path))
      .map(([path, real]) => ({ path, real: real ?? null }))
  }

  get #isFull(): boolean {
    return this.#usages.size + this.#labels.size >= limits.maxStateQuestions
  }

  #changes(labels: readonly AddedLabel[], seq: number): readonly LabelChange[] {
    return labels.map(({ label, bind, ttlMs }) => ({
      subject: this.#of.subject,
      label,
      bind: this.#bindOf(bind),
      heldUntilMs: untilMs(this.nowMs, ttlMs),
      provenUntilMs: 0,
      seq,
    }))
  }

  #bindOf(value: string): string {
    return value === '' ? '' : keyedDigest(this.#of.digestKey(), bindDomain, value)
  }
}

const bindDomain = 'capfence.dev/label-value/v1'

interface AskedUsage {
  readonly pot: string
  readonly sinceMs: number
  readonly usage: Usage | undefined
}

interface AskedLabel {
  readonly label: string
  readonly bind: string | undefined
  readonly state: LabelState
}

/** When something ends that begins now; for good without a time to live. */
export function untilMs(nowMs: number, ttlMs: number | undefined): number {
  return ttlMs === undefined ? never : nowMs + ttlMs
}
