import { difference, isAddable, sumOf } from '../json/decimal-sum.ts'
import { Decimal } from '../json/decimal.ts'
import { limits } from '../limits.ts'
import type { PotCharge, Usage } from '../policy/state.ts'
import type { StoredCharge } from '../policy/usage.ts'
import { usageOf } from '../policy/usage.ts'

/** Into how many parts the window of a limit is cut where charges of one part become one; as a gate does it. */
const slots = 128
/** Charges of one pot that are kept one by one. */
const singleCharges = 3 * slots

interface Charge extends StoredCharge {
  readonly expiresAtMs: number
  /** The call that made it, until its outcome is known; null from then on. */
  of: number | null
}

interface Pot {
  /** Oldest first. */
  charges: Charge[]
  /** How many of them are no call's any more. */
  settled: number
  /** The charges from `start` on, which were made after `sinceMs`, are `used` together; undefined when it must be counted anew. */
  counted: { sinceMs: number; start: number; used: Sum } | undefined
}

/** What calls have taken out of the pots of limits, as the table of a gate has it: the same bounds, the same answers. */
export class Pots {
  readonly #pots = new Map<string, Pot>()
  /** The pots that a call without an outcome has charged. */
  readonly #open = new Map<number, readonly string[]>()
  #chargedSincePruning = 0

  /** The same pots once more, which go their own way from here. */
  copy(): Pots {
    const copy = new Pots()
    for (const [name, { charges, settled }] of this.#pots) {
      copy.#pots.set(name, {
        charges: charges.map((one) => ({ ...one })),
        settled,
        counted: undefined,
      })
    }
    for (const [seq, names] of this.#open) copy.#open.set(seq, names)
    return copy
  }

  /** How many pots there are. */
  get size(): number {
    return this.#pots.size
  }

  /** What was charged to a pot after a time. */
  usage(name: string, sinceMs: number): Usage | undefined {
    const pot = this.#pots.get(name)
    if (pot === undefined) return usageOf([])
    return countedUsage(pot, sinceMs) ?? addedUsage(pot, sinceMs)
  }

  /** Puts in what was charged before. */
  carry(name: string, charge: StoredCharge & { readonly expiresAtMs: number }): void {
    const pot = this.#potOf(name)
    insert(pot, { ...charge, of: null })
    pot.settled += 1
  }

  /** Takes out of the pots what a call that is forwarded costs. */
  charge(
    charges: readonly PotCharge[],
    { seq, nowMs }: { readonly seq: number; readonly nowMs: number },
  ): void {
    if (charges.length === 0) return
    for (const { pot: name, amount, windowMs, shortestMs } of charges) {
      const pot = this.#potOf(name)
      insert(pot, { atMs: nowMs, amount: amount.canonical, expiresAtMs: nowMs + windowMs, of: seq })
      bound(pot, { windowMs, shortestMs, nowMs })
    }
    this.#open.set(
      seq,
      charges.map(({ pot }) => pot),
    )
    if (this.#open.size > limits.maxReplayOpenCalls) this.settle(firstOf(this.#open) ?? seq)
    this.#chargedSincePruning += charges.length
    if (this.#chargedSincePruning > this.#pots.size + chargesBetweenPrunings) this.#prune(nowMs)
  }

  /** The outcome of a call is known: what it took stays charged. */
  settle(seq: number): void {
    this.#closed(seq, (pot) => {
      // It is one of the last, mostly.
      const charge = pot.charges.findLast(({ of }) => of === seq)
      if (charge === undefined) return
      charge.of = null
      pot.settled += 1
    })
  }

  /** A call was certainly never sent: what it took is given back. */
  giveBack(seq: number): void {
    this.#closed(seq, (pot) => {
      pot.charges = pot.charges.filter(({ of }) => of !== seq)
      pot.counted = undefined
    })
  }

  #closed(seq: number, change: (pot: Pot) => void): void {
    for (const name of this.#open.get(seq) ?? []) {
      const pot = this.#pots.get(name)
      if (pot !== undefined) change(pot)
    }
    this.#open.delete(seq)
  }

  #potOf(name: string): Pot {
    const known = this.#pots.get(name)
    if (known !== undefined) return known
    const pot: Pot = { charges: [], settled: 0, counted: undefined }
    this.#pots.set(name, pot)
    return pot
  }

  /** Pots in which nothing counts any more are gone. */
  #prune(nowMs: number): void {
    this.#chargedSincePruning = 0
    for (const [name, pot] of this.#pots) {
      if (pot.charges.every(({ expiresAtMs }) => expiresAtMs <= nowMs)) this.#pots.delete(name)
    }
  }
}

const chargesBetweenPrunings = 10_000

function firstOf(open: ReadonlyMap<number, unknown>): number | undefined {
  const [first] = open.keys()
  return first
}

/** A clock that was set back puts a charge before others. */
function insert(pot: Pot, charge: Charge): void {
  const last = pot.charges.at(-1)
  if (last === undefined || last.atMs <= charge.atMs) {
    pot.charges.push(charge)
    const { counted } = pot
    if (counted === undefined) return
    if (charge.atMs > counted.sinceMs && isSummable(charge.amount)) {
      counted.used = plus(counted.used, charge.amount)
    } else pot.counted = undefined
    return
  }
  const at = pot.charges.findIndex(({ atMs }) => atMs > charge.atMs)
  pot.charges.splice(at, 0, charge)
  pot.counted = undefined
}

/** What charges come to is kept from one call to the next: a gate adds them up anew, to the same sum. */
function countedUsage(pot: Pot, sinceMs: number): Usage | undefined {
  const counted = countedSince(pot, sinceMs)
  if (counted === undefined) return undefined
  const { start, used } = counted
  return {
    used: typeof used === 'number' ? new Decimal(String(used)) : used,
    reachedAtMs: (wanted) => usageOf(pot.charges.slice(start))?.reachedAtMs(wanted),
  }
}

function countedSince(pot: Pot, sinceMs: number): Pot['counted'] {
  const before = pot.counted
  const isLater = before !== undefined && before.sinceMs <= sinceMs
  let { start, used }: { start: number; used: Sum } = isLater ? before : { start: 0, used: 0 }
  for (const { amount } of isLater ? [] : pot.charges) {
    if (!isSummable(amount)) return undefined
    used = plus(used, amount)
  }
  for (; start < pot.charges.length; start += 1) {
    const charge = pot.charges[start]
    if (charge === undefined || charge.atMs > sinceMs) break
    used = minus(used, charge.amount)
  }
  pot.counted = { sinceMs, start, used }
  return pot.charges.length - start > limits.maxCharges ? undefined : pot.counted
}

/** A number where all that is added is small and whole. */
type Sum = number | Decimal

function plus(sum: Sum, amount: string): Sum {
  if (typeof sum === 'number' && isSmall(amount)) return sum + Number(amount)
  return sumOf([exact(sum), new Decimal(amount)])
}

function minus(sum: Sum, amount: string): Sum {
  if (typeof sum === 'number' && isSmall(amount)) return sum - Number(amount)
  return difference(exact(sum), new Decimal(amount))
}

function exact(sum: Sum): Decimal {
  return typeof sum === 'number' ? new Decimal(String(sum)) : sum
}

function isSummable(amount: string): boolean {
  if (isSmall(amount)) return true
  const number = Decimal.parsePlain(amount)
  return number !== undefined && isAddable(number)
}

function addedUsage({ charges }: Pot, sinceMs: number): Usage | undefined {
  const since = charges.filter(({ atMs }) => atMs > sinceMs)
  return since.length > limits.maxCharges ? undefined : usageOf(since)
}

function isSmall(amount: string): boolean {
  return /^[0-9]{1,9}$/.test(amount)
}

interface Window {
  readonly windowMs: number
  readonly shortestMs: number
  readonly nowMs: number
}

/** Keeps few charges of a pot: what has expired goes, and what falls into the same short time becomes one. */
function bound(pot: Pot, window: Window): void {
  if (pot.charges.length <= singleCharges) return
  dropExpired(pot, window.nowMs)
  if (pot.settled <= singleCharges) return
  // Only the oldest are looked at, as by a gate.
  const oldest = pot.charges.slice(0, 2 * singleCharges)
  if (oldest.filter(({ of }) => of === null).length <= singleCharges) return
  pot.charges = merged(pot.charges, window)
  pot.settled = pot.charges.filter(({ of }) => of === null).length
  pot.counted = undefined
}

/** Those at the beginning, several at a time. */
function dropExpired(pot: Pot, nowMs: number): void {
  const { charges, counted } = pot
  const kept = charges.findIndex(({ expiresAtMs }) => expiresAtMs > nowMs)
  const count = kept === -1 ? charges.length : kept
  if (count < droppedAtOnce) return
  for (const { of } of charges.splice(0, count)) if (of === null) pot.settled -= 1
  if (counted === undefined || counted.start < count) pot.counted = undefined
  else counted.start -= count
}

const droppedAtOnce = 64

/** A merged charge counts as made with the last of those in it, so that it counts for longer and never for less. */
function merged(charges: readonly Charge[], { windowMs, shortestMs, nowMs }: Window): Charge[] {
  const partOf = ({ atMs }: Charge): string =>
    atMs > nowMs - shortestMs ? `short ${part(atMs, shortestMs)}` : String(part(atMs, windowMs))
  const latestFirst: Charge[] = []
  let last: number | undefined
  for (const charge of charges.toReversed()) {
    const before = last === undefined ? undefined : latestFirst[last]
    const isAlike = before !== undefined && charge.of === null && partOf(charge) === partOf(before)
    const amount = isAlike ? sumOfTwo(before.amount, charge.amount) : undefined
    if (amount !== undefined && before !== undefined && last !== undefined) {
      const expiresAtMs = Math.max(before.expiresAtMs, charge.expiresAtMs)
      latestFirst[last] = { ...before, amount, expiresAtMs }
      continue
    }
    // A call that is under way keeps its own, which may have to be given back.
    if (charge.of === null) last = latestFirst.length
    latestFirst.push(charge)
  }
  return latestFirst.toReversed()
}

function part(atMs: number, windowMs: number): number {
  return Math.floor(atMs / Math.max(1, Math.ceil(windowMs / slots)))
}

function sumOfTwo(one: string, other: string): string | undefined {
  const numbers = [one, other].flatMap((amount) => Decimal.parsePlain(amount) ?? [])
  if (numbers.length < 2 || !numbers.every(isAddable)) return undefined
  const sum = sumOf(numbers)
  return isAddable(sum) ? sum.canonical : undefined
}
