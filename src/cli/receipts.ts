import type { ReceiptWriter } from '../proxy/runtime-gate.ts'
import type { Store } from '../runtime/store.ts'

/**
 * Receipts for records of decisions, which have been stored by `power` commits.
 *
 * A receipt is a promise: the signed checkpoint in it covers the record, and a power cut takes neither back (AUDIT.md,
 * "Order and durability", rule 4). Whoever keeps it can ask for the proof that the record is in a later log.
 */
export function receiptsOf(store: Store, log: (text: string) => void): ReceiptWriter {
  return {
    async receiptOf(seq) {
      const head = store.syncedHead()
      try {
        const [row] = await store.rows(seq, 1)
        if (row === undefined || head === undefined || head.size <= seq) {
          log(`no receipt for record ${seq}: no synced head covers it`)
          return undefined
        }
        const leaf = Buffer.from(row.leaf).toString('hex')
        return JSON.stringify({ v: 1, seq, leaf, size: head.size, checkpoint: head.note })
      } catch (error) {
        // The call is in the log and may go on; only its receipt cannot be made.
        log(`no receipt for record ${seq}: ${String(error)}`)
        return undefined
      }
    },
  }
}
