import type { ReadRecord } from './read-row.ts'

/** What a log says itself that it does not know, counted. */
export interface UnknownCounts {
  /** Outages, and the commits that left no record in them. */
  readonly gaps: number
  readonly unrecorded: number
  /** Breaks that an operator has confirmed. */
  readonly recoveries: number
}

/** Counts what a log says itself that it does not know. */
export class UnknownThings {
  #counts: UnknownCounts

  constructor(counts: UnknownCounts = { gaps: 0, unrecorded: 0, recoveries: 0 }) {
    this.#counts = counts
  }

  get counts(): UnknownCounts {
    return this.#counts
  }

  accept({ type, said }: ReadRecord): void {
    const { gaps, unrecorded, recoveries } = this.#counts
    if (isRecovery(type)) this.#counts = { gaps, unrecorded, recoveries: recoveries + 1 }
    if (type !== 'audit.gap') return
    const more = typeof said['unrecorded'] === 'number' ? said['unrecorded'] : 0
    this.#counts = { gaps: gaps + 1, unrecorded: unrecorded + more, recoveries }
  }

  /** @param signedFrom undefined when nothing is signed */
  list(orphans: number, signedFrom: number | undefined): readonly string[] {
    const { gaps, unrecorded, recoveries } = this.#counts
    const list: string[] = []
    if (orphans > 0) list.push(`the end of ${calls(orphans)} is not known`)
    if (gaps > 0) list.push(`${unrecorded} refused in ${gaps} outages left no record`)
    if (recoveries > 0) list.push(`an operator has confirmed ${recoveries} breaks`)
    if (signedFrom !== undefined && signedFrom > 0) {
      list.push(`records before ${signedFrom} were signed only afterwards`)
    }
    return list
  }
}

function isRecovery(type: string): boolean {
  return type === 'log.recover'
}

function calls(count: number): string {
  return count === 1 ? '1 call' : `${count} calls`
}
