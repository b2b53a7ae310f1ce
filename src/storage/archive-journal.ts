import { CapFenceError } from '../errors.ts'
import type { Files } from './files.ts'

/** The file beside a log that is there while it is being archived. */
export function archiveJournal(path: string): string {
  return `${path}.archiving`
}

/**
 * A log that is half archived is not written to, and none is made in its place.
 *
 * @throws CapFenceError `AUDIT_UNAVAILABLE`
 */
export function requireNotHalfArchived(path: string, files: Files): void {
  if (!files.exists(archiveJournal(path))) return
  throw new CapFenceError('AUDIT_UNAVAILABLE', `the log at ${path} is being archived`, {
    hint: 'if nobody is at it any more, run `capfence audit archive` again: it goes on where it was stopped',
  })
}
