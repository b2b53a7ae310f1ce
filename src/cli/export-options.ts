import { disclosureEnd } from '../audit/disclosed.ts'
import type { RowWithDisclosures } from '../audit/read-row.ts'

/** How a log is exported. */
export interface ExportOptions {
  /** The file or folder. */
  readonly to: string
  /** Whether the values go with it that the records have digests of. */
  readonly hasDisclosures: boolean
  readonly onProgress: (done: number, size: number) => void
}

/** The disclosures of a row, each by itself. */
export function disclosuresOf({ disclosures }: RowWithDisclosures): readonly string[] {
  return disclosures.split(disclosureEnd).filter((one) => one !== '')
}
