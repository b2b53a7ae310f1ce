import { writeSync } from 'node:fs'
import { checkpointLine, headerLine, recordLine } from '../audit/export-lines.ts'
import { appendLeaf, emptyTree, rootOf, type TreeHead } from '../audit/tree.ts'
import type { LogSnapshot } from '../storage/log-snapshot.ts'
import type { Exported } from './audit-export.ts'
import { disclosuresOf, type ExportOptions } from './export-options.ts'
import { damaged, pinNamedBy, signedHeadOf, soundRows } from './signed-log.ts'
import { writeWhole } from './write-whole.ts'

/**
 * Writes a log as JSON Lines; the file is there when it is whole, and replaces an earlier one.
 *
 * @throws CapFenceError `AUDIT_CORRUPT` when the log is not what was signed; `USAGE` when it cannot be written
 */
export function exportLines(snapshot: LogSnapshot, options: ExportOptions): Exported {
  return writeWhole(options.to, (file) =>
    writeLines(snapshot, options, (text) => void writeSync(file, text)),
  )
}

function writeLines(
  snapshot: LogSnapshot,
  { hasDisclosures, onProgress }: ExportOptions,
  write: (text: string) => void,
): Exported {
  const head = signedHeadOf(snapshot)
  const notes = new Map(Array.from(snapshot.checkpoints(0), ({ size, note }) => [size, note]))
  let text = headerLine({ pin: pinNamedBy(snapshot), head: head.note, hasDisclosures })
  let tree: TreeHead = emptyTree
  for (const row of soundRows(snapshot, 0)) {
    text += recordLine(row, hasDisclosures ? disclosuresOf(row) : undefined)
    tree = appendLeaf(tree, Buffer.from(row.leaf).toString('hex'))
    const note = notes.get(tree.size)
    if (note !== undefined) text += checkpointLine(note)
    if (text.length < charactersPerWrite) continue
    write(text)
    text = ''
    onProgress(tree.size, head.size)
  }
  write(text)
  if (tree.size !== head.size || rootOf(tree) !== head.root) {
    throw damaged('the log does not hold the records that its head was signed over')
  }
  return { log: head.origin, size: head.size, root: head.root, files: 1 }
}

const charactersPerWrite = 262_144
