import type { AddedLabel, KnownLabel } from '../policy/state.ts'

/** For good: later than any clock. */
const never = Number.MAX_SAFE_INTEGER

interface Times {
  heldUntilMs: number
  provenUntilMs: number
  /** Until when it may be held: it is not known whether a call was forwarded that adds it. */
  perhapsHeldUntilMs: number
  /** Until when it may be proven: a call added it of which nobody knows how it would have ended. */
  perhapsProvenUntilMs: number
}

interface Label {
  /** About whatever value. */
  readonly any: Times
  readonly about: Map<string, Times>
}

/** A label that is proven when its call ends without an error. */
export interface WaitingProof {
  readonly subject: string
  readonly added: readonly AddedLabel[]
}

/** The labels of sessions, as the table of a gate has them. */
export class SessionLabels {
  readonly #subjects = new Map<string, Map<string, Label>>()
  /** Labels about one value each of which only a keyed digest is known, and until when. */
  readonly #unreadable = new Map<string, number>()
  #size = 0
  #addedSincePruning = 0

  /** How many labels there are. */
  get size(): number {
    return this.#size
  }

  /** Undefined where it may be the one of which only a digest is known. */
  find(
    subject: string,
    name: string,
    { bind, nowMs }: { readonly bind: string | undefined; readonly nowMs: number },
  ): KnownLabel | undefined {
    const label = this.#subjects.get(subject)?.get(name)
    const times = label === undefined ? [] : timesOf(label, bind)
    const held = times.some(({ heldUntilMs }) => heldUntilMs > nowMs)
    const proven = times.some(({ provenUntilMs }) => provenUntilMs > nowMs)
    const unreadableUntilMs = this.#unreadable.get(keyOf(subject, name)) ?? 0
    if (!proven && unreadableUntilMs > nowMs) return undefined
    if (!held && times.some((one) => one.perhapsHeldUntilMs > nowMs)) return undefined
    const isPerhaps = times.some((one) => one.perhapsProvenUntilMs > nowMs)
    return { held, proven: !proven && isPerhaps ? undefined : proven }
  }

  /** A call is forwarded that adds labels. */
  hold(subject: string, added: readonly AddedLabel[], nowMs: number): void {
    for (const one of added) extend(this.#at(subject, one), one, { nowMs, what: 'heldUntilMs' })
    this.#prune(nowMs)
  }

  /** Such a call has ended without an error. */
  prove({ subject, added }: WaitingProof, nowMs: number): void {
    for (const one of added) {
      const times = this.#at(subject, one)
      extend(times, one, { nowMs, what: 'heldUntilMs' })
      extend(times, one, { nowMs, what: 'provenUntilMs' })
    }
  }

  /** Nobody knows how such a call would have ended. */
  perhapsProve({ subject, added }: WaitingProof, nowMs: number): void {
    for (const one of added) {
      extend(this.#at(subject, one), one, { nowMs, what: 'perhapsProvenUntilMs' })
    }
  }

  /** Nobody knows whether such a call is forwarded. */
  perhapsHold(subject: string, added: readonly AddedLabel[], nowMs: number): void {
    for (const one of added) {
      const times = this.#at(subject, one)
      extend(times, one, { nowMs, what: 'perhapsHeldUntilMs' })
      extend(times, one, { nowMs, what: 'perhapsProvenUntilMs' })
    }
    this.#prune(nowMs)
  }

  /** Puts in what a session had before. */
  carry(
    subject: string,
    label: string,
    times: Pick<Times, 'heldUntilMs' | 'provenUntilMs'> & {
      readonly isBound: boolean
      readonly perhapsUntilMs: number
    },
  ): void {
    if (times.isBound) {
      const key = keyOf(subject, label)
      this.#unreadable.set(key, Math.max(this.#unreadable.get(key) ?? 0, times.heldUntilMs))
      return
    }
    const known = this.#at(subject, { label, bind: '' })
    known.heldUntilMs = Math.max(known.heldUntilMs, times.heldUntilMs)
    known.provenUntilMs = Math.max(known.provenUntilMs, times.provenUntilMs)
    known.perhapsProvenUntilMs = Math.max(known.perhapsProvenUntilMs, times.perhapsUntilMs)
  }

  #at(subject: string, { label: name, bind }: Pick<AddedLabel, 'label' | 'bind'>): Times {
    let labels = this.#subjects.get(subject)
    if (labels === undefined) this.#subjects.set(subject, (labels = new Map()))
    let label = labels.get(name)
    if (label === undefined) labels.set(name, (label = { any: noTimes(), about: new Map() }))
    if (bind === '') return label.any
    const about = label.about.get(bind)
    if (about !== undefined) return about
    const times = noTimes()
    label.about.set(bind, times)
    this.#size += 1
    this.#addedSincePruning += 1
    return times
  }

  /** Labels about a value that have ended are gone. */
  #prune(nowMs: number): void {
    if (this.#addedSincePruning <= this.#size / 2 + labelsBetweenPrunings) return
    this.#addedSincePruning = 0
    for (const labels of this.#subjects.values()) {
      for (const { about } of labels.values()) {
        for (const [bind, times] of about) {
          if (endOf(times) <= nowMs && about.delete(bind)) this.#size -= 1
        }
      }
    }
  }
}

const labelsBetweenPrunings = 10_000

function keyOf(subject: string, name: string): string {
  return JSON.stringify([subject, name])
}

function endOf(times: Times): number {
  const { heldUntilMs, provenUntilMs, perhapsHeldUntilMs, perhapsProvenUntilMs } = times
  return Math.max(heldUntilMs, provenUntilMs, perhapsHeldUntilMs, perhapsProvenUntilMs)
}

function noTimes(): Times {
  return { heldUntilMs: 0, provenUntilMs: 0, perhapsHeldUntilMs: 0, perhapsProvenUntilMs: 0 }
}

/** A label about any value is about this one too; asked about none, every one counts. */
function timesOf({ any, about }: Label, bind: string | undefined): readonly Times[] {
  if (bind === undefined) return about.size === 0 ? [any] : [any, ...about.values()]
  const times = about.get(bind)
  return times === undefined ? [any] : [any, times]
}

function extend(
  times: Times,
  { ttlMs }: Pick<AddedLabel, 'ttlMs'>,
  { nowMs, what }: { readonly nowMs: number; readonly what: keyof Times },
): void {
  times[what] = Math.max(times[what], ttlMs === undefined ? never : nowMs + ttlMs)
}
